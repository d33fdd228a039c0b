"""Network namespaces: making and removing them, and working inside one."""
import contextlib
import ctypes
import os
import pathlib
import subprocess

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class CommandFailed(Exception):
    """A command that has to work did not; says which, and what it printed."""


def run(*command, stdin=None):
    """Runs a command that has to work and returns what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, text=True, capture_output=True)
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(words)}: exit {done.returncode}: "
                            f"{(done.stderr + done.stdout).strip()}")
    return done.stdout


def ip(*arguments):
    return run("ip", *arguments)


def ip_batch(lines):
    """Many `ip` commands in one process; the first that fails ends it."""
    return run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")


def exists(namespace):
    return os.path.exists(f"/run/netns/{namespace}")


def names():
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir("/run/netns"))
    return []


def pids(namespace):
    """The processes that live in the namespace."""
    return [int(pid) for pid in ip("netns", "pids", namespace).split()]


def exec_command(namespace, command):
    """The command line that runs `command` in the namespace, with its view of /sys. `ip` replaces
    itself by the command: the process that is started is the command."""
    return ["ip", "netns", "exec", namespace, *map(str, command)]


def _enter(fd):
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextlib.contextmanager
def inside(namespace):
    """This thread in the namespace, for as long as the block runs. A socket that is made here stays
    in the namespace; /proc/sys/net and processes that are started here are the namespace's too."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def set_sysctls(namespace, values):
    """Sets net.* in the namespace. What this kernel does not have is left out (IPv6 may be)."""
    with inside(namespace):
        for name, value in values.items():
            path = pathlib.Path("/proc/sys") / name.replace(".", "/")
            if path.exists():
                path.write_text(f"{value}\n")
