"""A clean Debian that is booted: its systemd is PID 1 of a container of systemd-nspawn, in the network
namespace of a node of the lab. What the units do there is what they do on a machine, but for the
kernel, which is the host's.

The container has all capabilities and may call bpf(): what a service may not do is the unit's work,
and that is what is tested."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

from support import process
from support.clean_root import Unavailable

NSPAWN = "systemd-nspawn"
SYSTEMD = ("systemd", "systemd-sysv", "dbus")


def require():
    """Raises Unavailable where no container can be booted."""
    if shutil.which(NSPAWN) is None:
        raise Unavailable(f"{NSPAWN} is not installed: run scripts/deps")


class BootedRoot:
    """One boot of a CleanRoot that has systemd in it, for as long as the context lasts."""

    def __init__(self, root, namespace, log):
        self.root, self._namespace, self._log = root, namespace, pathlib.Path(log)
        self._container = self._leader = None

    def __enter__(self):
        require()
        self._container = process.start(
            [NSPAWN, f"--directory={self.root.folder}", "--boot", "--register=no", "--keep-unit",
             f"--network-namespace-path=/run/netns/{self._namespace}", "--capability=all",
             "--system-call-filter=bpf", "--machine=guideway-test", "--console=pipe"],
            self._log, {**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes"})
        try:
            self._leader = process.wait_until(self._find_leader, "the container has a process", 15)
            process.wait_until(self._has_started, "systemd of the container has started", 60)
        except BaseException as why:
            self.__exit__()
            why.add_note(self._log.read_text(errors="replace")[-2000:])
            raise
        return self

    def _find_leader(self):
        """The container's PID 1: a child of nspawn in a PID namespace of its own. Others come and go."""
        if self._container.poll() is not None:
            raise Unavailable(f"{NSPAWN} boots nothing here: {self._log.read_text(errors='replace')[-600:]}")
        pid, ours = self._container.pid, os.readlink("/proc/self/ns/pid")
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/{child}/ns/pid") != ours:
                    return int(child)
        return None

    def _has_started(self):
        return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def __exit__(self, *_):
        """The first SIGTERM has nspawn shut its systemd down, for which nobody waits; the second ends all."""
        deadline = time.monotonic() + 30
        while self._container.poll() is None:
            self._container.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._container.wait(0.5)
            if time.monotonic() > deadline:
                self._container.kill()

    def run(self, *words):
        """Runs a command in the container; the ended process, for the caller to judge."""
        command = ["nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net", "--pid",
                   *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                                   "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"})

    def must(self, *words):
        """Runs a command that has to work; what it printed, both streams."""
        done = self.run(*words)
        assert done.returncode == 0, f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def show(self, unit, name):
        """A property of a unit, as systemd has it."""
        return self.must("systemctl", "show", "--property", name, "--value", unit).strip()

    def journal(self, unit):
        return self.must("journalctl", "--no-pager", "--output", "cat", "--unit", unit)
