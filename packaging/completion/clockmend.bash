# bash completion for clockmend(1)
_clockmend() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in status | resync | history | doctor) command=${COMP_WORDS[i]} ;; esac
    done
    local words
    case $previous in
    --root) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --deadline | -n | --records) return ;;
    --backend) mapfile -t COMPREPLY < <(compgen -W 'builtin ntpdate ntpd ntpdig chronyd' -- "$word"); return ;;
    esac
    case $command in
    status) words='--json --check --help' ;;
    resync) words='--dry-run --force --json --deadline --backend --help' ;;
    history) words='--records --json --full --help' ;;
    doctor) words='--help' ;;
    *) words='status resync history doctor --root --version --help' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _clockmend clockmend
