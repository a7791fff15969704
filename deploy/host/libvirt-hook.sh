#!/bin/sh
# libvirt hook for QEMU guests: tells a guest that came from a saved image or from another host what happened to it.
# Install: /etc/libvirt/hooks/qemu.d/50-clockmend, mode 755, then restart libvirtd. libvirt calls it as
#   50-clockmend GUEST OPERATION SUB-OPERATION EXTRA     with the guest's XML on stdin
# libvirt waits for this script, and asking libvirt from within it would wait for ever: so it only starts clockmend-host, which
# goes on when libvirt does, and speaks to the guest as soon as that runs.
# Guests that are paused and resumed have no hook in libvirt: `clockmend-host watch` sees those.
notify=${CLOCKMEND_HOST:-clockmend-host}
memory=${CLOCKMEND_HOOK_MEMORY:-/run/clockmend-hook}
guest=$1

case "$2 $3" in
"restore begin") mkdir -p "$memory" && echo restored > "$memory/of-$guest" ;;
"migrate begin") mkdir -p "$memory" && echo migrated > "$memory/of-$guest" ;;
"started begin")
    [ -e "$memory/of-$guest" ] || exit 0
    read -r event < "$memory/of-$guest"
    rm -f "$memory/of-$guest"
    # Whatever the hook leaves open keeps libvirt waiting.
    # shellcheck disable=SC2086 # options of the site
    setsid "$notify" notify --domain "$guest" --event "$event" --answer-deadline 60s --deadline 90s ${CLOCKMEND_NOTIFY_OPTIONS:-} \
        < /dev/null > /dev/null 2>&1 &
    ;;
"release end") rm -f "$memory/of-$guest" ;;
esac
exit 0
