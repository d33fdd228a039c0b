"""What a user meets who is new to it: no daemon, a typo, no permission, a narrow terminal, nobody who reads."""
import grp
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from conftest import BIN
from terminal import Terminal

NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")


def told(done, code):
    """The one line that a failure is."""
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.startswith("guideway: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("words, message", [
    (["stauts"], "unknown command stauts: did you mean status? (see guideway --help)"),
    (["conjure"], "unknown command conjure; there are status, "),
    (["help", "dran"], "unknown command dran: did you mean drain?"),
    (["status", "--jsn"], "status: unknown option --jsn: did you mean --json? (see guideway status --help)"),
    (["drain", "--pol", "web"], "drain: unknown option --pol: did you mean --pool?"),
    (["status", "--sokcet=/s"], "status: unknown option --sokcet: did you mean --socket?"),
    (["--socket", "/s", "status"], "the option --socket stands behind its command, as in guideway status --socket"),
    (["drain"], "drain: BACKEND is missing: The address"),
    (["decap"], "decap: --interface is missing: "),
    (["status", "--socket"], "status: --socket needs a value, PATH: "),
    (["log", "info", "debug"], 'log: "debug" is one word too many: guideway log takes LEVEL and options'),
    (["drain", "10.0"], 'drain: BACKEND: "10.0" is not an IPv4 address (see guideway drain --help)'),
    (["completion", "tcsh"], "completion: SHELL: tcsh not in {bash,zsh,fish}"),
])
def test_wrong_use_is_told_in_one_line_with_what_would_be_right(guideway, words, message):
    assert message in told(guideway(*words), 2)


@pytest.mark.parametrize("words, message", [
    (["--chek", "x"], "guidewayd: unknown option --chek: did you mean --check? (see guidewayd --help)\n"),
    (["a", "b"], 'guidewayd: "b" is one word too many: there is one FILE (see guidewayd --help)\n'),
    (["--conjure"], "guidewayd: unknown option --conjure (see guidewayd --help)\n"),
])
def test_wrong_use_of_the_daemon_too(guideway, words, message):
    done = guideway(*words, program="guidewayd")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_help_of_a_command_is_the_same_in_both_ways(guideway):
    for command in re.findall(r"^  ([a-z]+)  ", guideway("help").stdout, re.MULTILINE):
        asked, optioned = guideway("help", command), guideway(command, "--help")
        assert asked.returncode == optioned.returncode == 0
        assert asked.stdout == optioned.stdout
        assert f"Usage: guideway {command}" in asked.stdout
        assert re.search(r"^Examples?:\n  (source <\()?guideway ", asked.stdout, re.MULTILINE), command
        assert "\nExit codes: 0 " in asked.stdout
    assert guideway("help").stdout == guideway("--help").stdout


def test_without_a_command_the_commands_are_shown_in_their_groups(guideway):
    done = guideway()
    assert (done.returncode, done.stdout) == (2, "")
    groups = re.findall(r"^(\w.*):$", done.stderr, re.MULTILINE)
    assert groups == ["Look", "Change", "Find out", "On a backend", "About guideway"]
    assert len(done.stderr.splitlines()) <= 40


def test_a_daemon_that_is_not_there_is_told_with_how_to_start_it(guideway, tmp_path):
    path = tmp_path / "s"
    message = told(guideway("status", "--socket", path), 3)
    assert f"guidewayd is not running, or its socket is elsewhere: connecting to {path}: No such file" in message
    assert "(start it: systemctl start guideway; " in message or "(start it: guidewayd FILE; " in message
    assert told(guideway("status", GUIDEWAY_SOCKET=str(path)), 3) == message


def test_a_socket_that_a_dead_daemon_left_is_told_with_where_to_see_why(guideway, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    message = told(guideway("status", "--socket", path), 3)
    assert f"guidewayd is not running: nobody listens at {path}, which a daemon has left behind" in message
    assert ("(why it died: journalctl -u guideway; start it: systemctl start guideway)" in message
            or "(why it died is at the end of its log; start it: guidewayd FILE)" in message)


def test_a_path_that_is_no_socket_is_told(guideway, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    assert f"connecting to {path}: it is no socket (--socket has to be" in told(guideway("status", "--socket", path), 3)
    assert "has 0 bytes: too short" in told(guideway("status", "--socket", ""), 3)
    assert "has 200 bytes: too long" in told(guideway("status", "--socket", "x" * 200), 3)


@pytest.fixture
def as_nobody(environment):
    """Runs `guideway status` as the user nobody: a copy, since the build may be where others may not go."""
    with tempfile.TemporaryDirectory(prefix="gw") as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(BIN / "guideway", folder)
        yield lambda path: subprocess.run([program, "status", "--socket", path], capture_output=True,
                                          text=True, env=environment, user=NOBODY, group=NOBODY,
                                          extra_groups=[])


@pytest.fixture
def open_folder():
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="gw") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@root_only
def test_no_permission_is_told_with_the_group_that_has_it(as_nobody, open_folder):
    group = grp.getgrnam("daemon")
    path = open_folder / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        os.chown(path, 0, group.gr_gid)
        os.chmod(path, 0o660)
        message = told(as_nobody(path), 3)
        assert f"connecting to {path}: Permission denied (it is for the group daemon: run this with sudo, " in message
        assert "or join the group: sudo usermod -aG daemon nobody" in message
        os.chown(path, 0, 0)
        assert "Permission denied (run this with sudo)" in told(as_nobody(path), 3)
        os.chmod(path, 0o600)
        assert "Permission denied (run this with sudo)" in told(as_nobody(path), 3)
        os.chmod(open_folder, 0o700)
        assert f"the folder {open_folder} may not be entered (run this with sudo)" in told(as_nobody(path), 3)


def test_a_daemon_of_another_version_is_told(guideway, daemon):
    del daemon.documents["/v1/services"]
    message = told(guideway("services", "--socket", daemon.path), 1)
    assert "cannot do that: it is version 0.0.9, this guideway is version " in message
    assert "systemctl restart guideway" in message


@pytest.mark.parametrize("ignored", [False, True])
def test_a_reader_that_has_gone_ends_it_quietly(environment, ignored):
    """Also where the caller has the signal ignored, as some do."""
    reading, writing = os.pipe()
    os.close(reading)
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        done = subprocess.Popen([BIN / "guideway", "completion", "bash"], stdout=writing, stderr=subprocess.PIPE,
                                restore_signals=False, env=environment)
    finally:
        signal.signal(signal.SIGPIPE, before)
        os.close(writing)
    assert done.communicate(timeout=30)[1] == b""
    assert done.returncode == -signal.SIGPIPE


@pytest.mark.parametrize("closed, message", [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")])
def test_output_that_cannot_be_written_is_told(environment, closed, message, daemon):
    for words in (["--help"], ["--version"], ["status", "--json", "--socket", daemon.path]):
        done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", BIN / "guideway", *words],
                              capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stderr) == (1, f"guideway: writing to standard output: {message}\n")


@pytest.mark.parametrize("term", ["dumb", "vt100"])
def test_help_fits_a_narrow_terminal(environment, term):
    command = ["sh", "-c", f"stty cols 40; {BIN}/guideway help drain; {BIN}/guideway help; echo that was'' all"]
    with Terminal(command, {**environment, "TERM": term}) as terminal:
        output = terminal.read_until(lambda text: "that was all" in text, "both are shown")
    lines = output.replace("\r", "").splitlines()
    assert "\x1b" not in output
    assert len(lines) > 40
    # What cannot be broken, as an example, is no fault.
    breakable = [line for line in lines if not line.startswith("  guideway ") and "/run/" not in line]
    assert [line for line in breakable if len(line) > 40] == []
