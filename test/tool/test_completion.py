"""Completion in the shells themselves: what is offered when TAB is pressed."""
import re
import subprocess

import pytest

import shells
from conftest import BIN, needs
from terminal import Terminal

BACKENDS = ["10.0.1.11", "10.0.1.12", "10.9.0.1"]
SERVICES = ["$(touch pwned)`touch pwned`", "198.51.100.1 tcp/80, udp/443", "shop"]
SCRIPTS = BIN.parent / "completion"


def offered_by_bash(script, environment, folder, line):
    words = [part for word in line.split(" ") for part in re.split("(=)", word) if part or not word]
    return sorted(re.sub(r"\\(.)", r"\1", word) for word in shells.bash(script, environment, folder, words))


SHELLS = {"bash": offered_by_bash, "zsh": shells.zsh, "fish": shells.fish}


@pytest.fixture(params=[pytest.param(shell, marks=needs(shell)) for shell in SHELLS])
def offered(request, environment, tmp_path, daemon):
    """What the shell offers behind a line; GUIDEWAY_SOCKET names a daemon that knows some names."""
    def ask(line, script="guideway", **more):
        here = {**environment, "GUIDEWAY_SOCKET": daemon.path, **more}
        words = SHELLS[request.param](SCRIPTS / f"{script}.{request.param}", here, tmp_path, line)
        # fish puts the option before its value, the others do not.
        return [word.partition("=")[2] if word.startswith("--pool=") else word for word in words]
    yield ask
    assert not (tmp_path / "pwned").exists()


def test_commands_are_offered_and_hidden_ones_are_not(offered):
    commands = offered("guideway ")
    assert {"status", "drain", "check", "help", "completion"} <= set(commands)
    assert not {"names", "manual"} & set(commands)
    assert offered("guideway sta") == ["status"]


def test_options_of_the_command_are_offered(offered):
    assert offered("guideway backends --") == ["--help", "--json", "--pool", "--socket"]


@pytest.mark.parametrize("line, names", [
    ("guideway drain ", BACKENDS),
    ("guideway undrain 10.9", ["10.9.0.1"]),
    ("guideway drain --pool web ", BACKENDS),
    ("guideway drain --pool=web ", BACKENDS),
    ("guideway drain 10.0.1.11 --pool ", ["api", "web"]),
    ("guideway backends --pool=w", ["web"]),
    ("guideway interfaces ", ["eth7", "eth8"]),
    ("guideway flows --service ", SERVICES),
])
def test_what_the_daemon_knows_is_offered(offered, line, names):
    assert offered(line) == names


def test_the_daemon_that_the_line_names_is_asked(offered, daemon):
    nowhere = {"GUIDEWAY_SOCKET": "/nonexistent"}
    assert offered("guideway drain ", **nowhere) != BACKENDS
    assert offered(f"guideway drain --socket {daemon.path} ", **nowhere) == BACKENDS
    assert offered(f"guideway drain --socket={daemon.path} ", **nowhere) == BACKENDS


def test_words_that_the_program_knows_are_offered(offered):
    assert offered("guideway log ") == ["debug", "error", "info", "trace", "warning"]
    assert offered("guideway completion z") == ["zsh"]
    assert offered("guideway help und") == ["undrain"]


def test_interfaces_of_the_host_are_offered_where_no_daemon_is_asked(offered):
    assert "lo" in offered("guideway decap --interface ")


def test_files_are_offered(offered, tmp_path):
    (tmp_path / "some.yaml").write_text("")
    assert "some.yaml" in offered("guideway check so")
    assert "some.yaml" in offered("guidewayd so", script="guidewayd")


def test_options_of_the_daemon_are_offered(offered):
    assert {"--check", "--config", "--version", "--help"} <= set(offered("guidewayd --", script="guidewayd"))


@pytest.mark.parametrize("shell", [pytest.param(shell, marks=needs(shell)) for shell in SHELLS])
def test_the_scripts_are_what_the_program_prints_and_their_shells_read_them(shell, guideway):
    script = SCRIPTS / f"guideway.{shell}"
    assert guideway("completion", shell).stdout == script.read_text()
    for one in (script, SCRIPTS / f"guidewayd.{shell}"):
        done = subprocess.run([shell, "-n", one], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


@needs("bash")
def test_bash_completion_finds_the_installed_script(environment, tmp_path, daemon):
    package = "/usr/share/bash-completion/bash_completion"
    if subprocess.run(["test", "-e", package]).returncode != 0:
        pytest.skip("no bash-completion: scripts/deps installs it")
    folder = tmp_path / "bash-completion" / "completions"
    folder.mkdir(parents=True)
    (folder / "guideway").write_text((SCRIPTS / "guideway.bash").read_text())
    here = {**environment, "XDG_DATA_HOME": str(tmp_path), "PS1": "$ ", "GUIDEWAY_SOCKET": daemon.path}
    with Terminal(["bash", "--norc", "--noprofile", "-i"], here) as terminal:
        terminal.type(f"source {package}; echo rea''dy\n")
        terminal.read_until(lambda output: "ready\r\n" in output, "bash has started")
        terminal.type("guideway und\t10.9\t")
        terminal.read_until(lambda output: "guideway undrain 10.9.0.1 " in output, "both words are completed")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_commands_have_their_descriptions(shell):
    assert "Takes a drain back" in (SCRIPTS / f"guideway.{shell}").read_text()


def test_names_are_quick_and_silent_without_a_daemon(guideway, tmp_path):
    for kind in ("backends", "pools", "services", "interfaces"):
        done = guideway("names", kind, "--socket", tmp_path / "s")
        assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
