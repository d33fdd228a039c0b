#compdef guidewayd
# Zsh completion of guidewayd.
_guidewayd() {
    _arguments -s \
        '(- *)'{-h,--help}'[Print this help and exit]' \
        '(- *)--version[Print the version and exit]' \
        '(--withdraw)--check[Only say whether the file is right]' \
        '(--check)--withdraw[Only take the routes of a guidewayd that is gone from the BGP speaker]' \
        '(1 -c --config)'{-c+,--config=}'[The configuration file]:FILE:_files' \
        '(-c --config)1:FILE:_files'
}

if [[ ${funcstack[1]} == _guidewayd ]]; then
    _guidewayd "$@"
else
    compdef _guidewayd guidewayd
fi
