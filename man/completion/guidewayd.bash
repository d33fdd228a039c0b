# Bash completion of guidewayd.
_guidewayd() {
    local cur=${COMP_WORDS[COMP_CWORD]} option
    COMPREPLY=()
    if [[ $cur == -* ]]; then
        for option in --check --config --help --version --withdraw; do
            [[ $option == "$cur"* ]] && COMPREPLY+=("$option")
        done
        return
    fi
    [[ $cur == = ]] && cur=''
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

complete -F _guidewayd guidewayd
