# bash completion for clockmend-host(1)
_clockmend_host() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --socket) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --event)
        mapfile -t COMPREPLY < <(compgen -W 'pausing resumed hot-upgrade migrated restored snapshot' -- "$word")
        return
        ;;
    --id | --epoch | --deadline | --answer-deadline | --max-age) return ;;
    esac
    local words='notify --version --help'
    if [[ " ${COMP_WORDS[*]:0:COMP_CWORD} " == *' notify '* ]]; then
        words='--socket --event --id --epoch --no-exchange --wait --no-wait --deadline --answer-deadline --max-age --json --help'
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _clockmend_host clockmend-host
