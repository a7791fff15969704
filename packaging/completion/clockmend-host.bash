# bash completion for clockmend-host(1)
_clockmend_host() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --socket | --config | --control | --metrics) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --directory) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --event)
        mapfile -t COMPREPLY < <(compgen -W 'pausing resumed hot-upgrade migrated restored snapshot' -- "$word")
        return
        ;;
    --domain)
        mapfile -t COMPREPLY < <(compgen -W "$(virsh list --name 2> /dev/null)" -- "$word")
        return
        ;;
    --id | --epoch | --deadline | --answer-deadline | --max-age | --max-offset | --parallel | --connect) return ;;
    esac
    local words='notify exchange watch --config --version --help'
    local common='--socket --domain --all --connect --control --directory --parallel --deadline --answer-deadline --json --help'
    case " ${COMP_WORDS[*]:0:COMP_CWORD} " in
    *' notify '*) words="$common --event --id --epoch --no-exchange --wait --no-wait --max-age" ;;
    *' exchange '*) words="$common --max-offset" ;;
    *' watch '*) words='--connect --control --metrics --parallel --help' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _clockmend_host clockmend-host
