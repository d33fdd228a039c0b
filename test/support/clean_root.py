"""A clean Debian in a folder: what a package meets that is installed on a machine that never saw the
build. Made by debootstrap from the mirrors that this host's apt has, signatures checked; kept in a
cache, as are the packages that apt fetches into it, so that a second run needs seconds.

    root = CleanRoot(cache, lab.ns("lb1"))
    root.run("apt-get", "install", "/package.deb")

All that runs in the root shares one mount namespace, which has /proc, /sys and /dev of the host, and
which ends with the process that made it: nothing of it is to be unmounted. /sys is the network
namespace's; so is what is run with `in_lab`, where all else is in the host's network, for apt."""
import contextlib
import os
import pathlib
import shutil
import subprocess

from support import process

SUITE = "bookworm"

# Reads until its input is closed, by whichever end of the process that holds the other end.
_KEEP = """\
set -e
for folder in proc sys dev; do mount --rbind /$folder "$0/$folder"; done
mount --bind "$1" "$0/var/cache/apt/archives"
echo ready
exec cat
"""


class Unavailable(Exception):
    """There can be no clean root here; says why."""


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def mirrors():
    """The sources of packages of the suite, as this host's apt has them: `URI RELEASE COMPONENT`."""
    listed = _output("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                     "Identifier: Packages", "Origin: Debian")
    found = dict.fromkeys(line for line in listed.splitlines()
                          if line.split()[1].partition("-")[0] == SUITE and line.split()[2] == "main")
    if not any(line.split()[1] == SUITE for line in found):
        raise Unavailable(f"apt of this host has no source for Debian {SUITE}: see /etc/apt/sources.list")
    return list(found)


def _environment():
    """That of commands in the root, and of debootstrap: the host's proxy, no questions, no locale."""
    proxy = _output("apt-config", "shell", "proxy", "Acquire::http::Proxy").partition("=")[2].strip().strip("'")
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root",
            **({"http_proxy": proxy} if proxy else {})}


def _make_base(folder):
    """Runs debootstrap; `folder` comes into being as a whole or not at all."""
    uri = next(line.split()[0] for line in mirrors() if line.split()[1] == SUITE)
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", SUITE, str(new), uri]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=_environment())
    except FileNotFoundError:
        raise Unavailable("debootstrap is not installed: run scripts/deps") from None
    if done.returncode != 0:
        why = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise Unavailable(f"debootstrap from {uri}: exit {done.returncode}: {' / '.join(why)}")
    sources = "".join(f"deb {line}\n" for line in mirrors())
    (new / "etc/apt/sources.list").write_text(sources)
    (new / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")  # nothing is started in it
    (new / "usr/sbin/policy-rc.d").chmod(0o755)
    new.rename(folder)


class CleanRoot:
    """One copy of the clean Debian. Use it as a context: it is gone afterwards."""

    def __init__(self, cache, namespace):
        cache = pathlib.Path(cache).absolute()
        self._base, self._archives, self._namespace = cache / SUITE, cache / "archives", namespace
        self.folder = cache / "root"
        self._keeper = None

    def __enter__(self):
        if not self._base.exists():
            _make_base(self._base)
        self._archives.mkdir(exist_ok=True)
        (self._archives / "partial").mkdir(exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run(["cp", "-a", self._base, self.folder], check=True)
        self._keeper = subprocess.Popen(
            ["ip", "netns", "exec", self._namespace, "sh", "-c", _KEEP, self.folder, self._archives],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        if self._keeper.stdout.readline() != b"ready\n":
            self.__exit__()
            raise Unavailable("no mount namespace for a clean root: see the message of mount above")
        return self

    def __exit__(self, *_):
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper.stdout.close()
        shutil.rmtree(self.folder)

    def command(self, *words, in_lab=False):
        """The command line that runs `words` in the root; nsenter and chroot become that program."""
        network = [f"--net=/run/netns/{self._namespace}"] if in_lab else []
        return ["nsenter", f"--mount=/proc/{self._keeper.pid}/ns/mnt", *network,
                "chroot", str(self.folder), *map(str, words)]

    def run(self, *words, in_lab=False):
        """Runs a command in the root; the ended process, for the caller to judge."""
        return subprocess.run(self.command(*words, in_lab=in_lab), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=_environment())

    def must(self, *words, in_lab=False):
        """Runs a command that has to work; what it printed, both streams."""
        done = self.run(*words, in_lab=in_lab)
        assert done.returncode == 0, f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *words, log):
        """Starts a program of the root in the lab's network; its output goes to the file `log`."""
        return process.start(self.command(*words, in_lab=True), log, _environment())

    def path(self, inside):
        """Where a file of the root is for us. The link that it may be is not followed."""
        return self.folder / str(inside).lstrip("/")

    def apt_install(self, *wanted):
        """Has apt install packages with what they depend on, and nothing that they recommend; what it
        printed. Asks the mirrors only where the cache is not enough."""
        words = ["apt-get", "install", "-y", "--no-install-recommends",
                 "-o", "Dpkg::Options::=--force-confold", *wanted]
        done = self.run(*words)
        if done.returncode != 0:  # the lists of the cache may be old, or not be there yet
            update = self.run("apt-get", "update", "-o", "APT::Update::Error-Mode=any")
            if update.returncode != 0:
                raise Unavailable(f"apt-get update: {update.stderr.strip()[-400:]}")
            self._keep_lists()
            done = self.run(*words)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def install(self, deb):
        """Has apt install a package file."""
        here = self.path(deb.name)
        shutil.copyfile(deb, here)
        try:
            return self.apt_install(f"/{deb.name}")
        finally:
            here.unlink()

    def _keep_lists(self):
        lists = "var/lib/apt/lists"
        shutil.rmtree(self._base / lists)
        subprocess.run(["cp", "-a", self.folder / lists, self._base / lists], check=True)

    def files(self):
        """Every path of the root, but for the logs and caches of apt and dpkg themselves."""
        own = ("var/lib/apt", "var/lib/dpkg", "var/cache", "var/log", "proc", "sys", "dev", "tmp")
        found = set()
        for folder, folders, files in os.walk(self.folder):
            at = pathlib.Path(folder).relative_to(self.folder)
            if str(at) in own:
                folders.clear()
                continue
            found.update(str(at / name) for name in [*folders, *files])
        return found

    def account(self, database, name="guideway"):
        """The line of a user or group in /etc/passwd, /etc/group, ..; None: there is none."""
        with contextlib.suppress(FileNotFoundError):
            for line in self.path(f"etc/{database}").read_text().splitlines():
                if line.startswith(f"{name}:"):
                    return line
        return None

    def accounts(self):
        """The lines of Guideway's users and groups, by (database, name)."""
        return {(database, name): line for database in ("passwd", "group") for name in ("guideway", "guideway-bgp")
                if (line := self.account(database, name)) is not None}
