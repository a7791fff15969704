# Sourced by every entry script before anything else: starts it again without CAP_SYS_TIME, so that nothing it does, and no
# child of its, can set this machine's clock or RTC. The kernel's word counts (capabilities(7): root's children get what is in
# the bounding or the inheritable set), not a variable that somebody may have inherited.
without_sys_time() {
    local name mask
    while read -r name mask; do
        case $name in
            # CAP_SYS_TIME is 25, linux/capability.h
            CapInh: | CapEff: | CapBnd:) [ $((0x$mask >> 25 & 1)) = 0 ] || return 1 ;;
        esac
    done < /proc/self/status
}
without_sys_time || exec setpriv --bounding-set=-sys_time --inh-caps=-sys_time -- "$0" "$@"
