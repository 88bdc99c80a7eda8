# Completion for bash: subcommands and options come from the program's own help.
_steelyard() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} help i
    local -a at=()
    for ((i = 1; i < COMP_CWORD && i < 3; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] && break
        at+=("${COMP_WORDS[i]}")
    done
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        help=$(LC_ALL=C steelyard --help 2>/dev/null | sed -n 's/^  \([a-z]\{2,\}\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$help --help --version" -- "$word")
        return
    fi
    case $before in
    --config | --data | --out | --cert | --key | --ca | --client-ca | --readings | --against)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    esac
    help=$(LC_ALL=C steelyard "${at[@]}" --help 2>/dev/null)
    if [[ $word == -* ]]; then
        help=$(grep -oE -- '--[a-z][a-z-]*' <<<"$help" | sort -u)
    elif ((COMP_CWORD == 2)); then
        help=$(sed -nE "s/.*steelyard ${at[0]} ([a-z|]+)( .*|\$)/\1/p; s/^  ([a-z]+) {2,}[a-z].*/\1/p" \
            <<<"$help" | tr '|' '\n' | sort -u)
    else
        help=
    fi
    mapfile -t COMPREPLY < <(compgen -W "$help" -- "$word")
    [[ ${#COMPREPLY[@]} -gt 0 || $word == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _steelyard steelyard
