# What the scripts of this folder share; sourced, not run. They start with the comment that --help
# shows, and with `set -euo pipefail` behind it.
# shellcheck shell=bash

usage() {
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
}

# One line for each step that a person may wait for.
step() {
    printf '==> %s\n' "$*"
}

# build_quietly PRESET [OPTION...]: scripts/build with its output in a file; all of it is shown when
# it fails.
build_quietly() {
    local preset=$1 log started=$SECONDS
    shift
    mkdir -p build
    log=build/build-$preset.log
    step "building build/$preset (log: $log)"
    if ! scripts/build --preset "$preset" "$@" > "$log" 2>&1; then
        cat "$log" >&2
        echo "the build of build/$preset failed" >&2
        return 1
    fi
    step "built build/$preset in $((SECONDS - started)) s"
}
