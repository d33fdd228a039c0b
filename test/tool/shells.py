"""What a shell offers when TAB is pressed, asked of the shell itself."""
import subprocess

from terminal import Terminal

BASH_DRIVER = """
source "$1"; shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_${1##*/} "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
"""

# Whatever would be offered is written to a file, and then a line that says that this was all.
ZSH_DRIVER = """
PS1='' PS2='' RPS1=''
unsetopt prompt_sp prompt_cr beep
autoload -Uz compinit && compinit -u -D
source {script}
compadd() {{
    if [[ " $* " == *" -"[OAD]" "* ]]; then builtin compadd "$@"; return; fi
    local -a offered
    builtin compadd -O offered "$@"
    print -rl -- "${{offered[@]}}" >> {result}
    builtin compadd "$@"
}}
capture() {{ _main_complete; print -r -- 'that was all' >> {result} }}
zle -C capture complete-word capture
bindkey '^I' capture
print -r -- rea''dy
"""


def bash(script, environment, folder, words):
    """`words` as bash splits them: --pool=web is three."""
    done = subprocess.run(["bash", "--norc", "--noprofile", "-c", BASH_DRIVER, "bash", script, *words],
                          capture_output=True, text=True, timeout=30, env=environment, cwd=folder)
    assert done.stderr == ""
    return sorted(done.stdout.splitlines())


def zsh(script, environment, folder, line):
    result, driver = folder / "offered", folder / "driver.zsh"
    result.unlink(missing_ok=True)
    driver.write_text(ZSH_DRIVER.format(script=script, result=result))
    with Terminal(["zsh", "-f", "-i"], {**environment, "ZDOTDIR": str(folder)}) as terminal:
        terminal.type(f"cd {folder}; source {driver}\n")
        terminal.read_until(lambda output: "ready\r\n" in output, "zsh has started")
        terminal.type(line + "\t")
        terminal.read_until(lambda _: result.exists() and "that was all" in result.read_text(), "zsh has completed")
    return sorted({word for word in result.read_text().splitlines() if word} - {"that was all"})


def fish(script, environment, folder, line):
    done = subprocess.run(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line],
                          capture_output=True, text=True, timeout=30, env=environment, cwd=folder)
    assert done.stderr == ""
    return sorted(word.split("\t")[0] for word in done.stdout.splitlines())
