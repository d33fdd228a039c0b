"""QEMU and kernels, from the mirrors that this host's apt has, without a change to its configuration.

Owns a cache, $GUIDEWAY_CACHE or /var/cache/guideway:

    apt/SUITE/              sources and lists of our own
    kernels/SUITE/VERSION/  one unpacked kernel: vmlinux, lib/modules, release (what uname -r says)

A kernel is looked for anew when that was last done a week ago; without a network the cached one goes
on being used, with a word. Kernels are never installed; QEMU and small tools are, as scripts/deps does
it. Threads: prepare before machines are started."""
import fcntl
import functools
import os
import pathlib
import re
import shutil
import subprocess
import time

from kernels import held, sources

RELEASE = "bookworm"
SUITES = ("bookworm", "bookworm-backports", "trixie-backports")
# Of backports, as the QEMU of bookworm proper (7.2) has no igb.
TOOLS_SUITE = "bookworm-backports"
PACKAGES = ("busybox-static", "kmod", "xz-utils", "zstd")
FRESH_S = 7 * 24 * 3600
META_PACKAGE = "linux-image-amd64"


class Unavailable(Exception):
    """What is needed cannot be had here; says why, and what would help."""


class Kernel:
    """An unpacked kernel. Its folder is held, so that no refresh removes it meanwhile."""

    def __init__(self, folder):
        self.folder = folder
        self.release = (folder / "release").read_text().strip()
        self.image = folder / "vmlinux"
        self._lock = held.hold(folder)


def cache_folder():
    return pathlib.Path(os.environ.get("GUIDEWAY_CACHE") or "/var/cache/guideway").absolute()


def _run(what, command, folder=None):
    done = subprocess.run([str(word) for word in command], cwd=folder, text=True, capture_output=True,
                          env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"})
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise Unavailable(f"{what}: {command[0]}: exit {done.returncode}\n{said}")
    return done.stdout


@functools.cache
def _apt_options(suite):
    """The options by which apt has sources and lists of our own for one suite; updates the lists."""
    folder = cache_folder() / "apt" / suite
    found = sources.host_sources(RELEASE)
    if not any(source.suite == RELEASE for source in found):
        raise Unavailable(f"apt of this host has no source for Debian {RELEASE}: see /etc/apt/sources.list "
                          "and /etc/apt/sources.list.d; test-kernels takes QEMU and kernels from there")
    options = ["-qq", "-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null",
               "-o", f"Dir::State::lists={folder}/lists", "-o", "Dir::Cache::pkgcache=",
               "-o", "Dir::Cache::srcpkgcache=", "-o", "APT::Sandbox::User=root", "-o", "DPkg::Lock::Timeout=600"]
    if suite != RELEASE:
        found.append(sources.another_suite(found, RELEASE, suite))
        options += ["-o", f"APT::Default-Release={suite}"]
    (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(sources.as_list(found))
    _run(f"asking the mirror for Debian {suite} (is there a network?)",
         ["apt-get", *options, "-o", "APT::Update::Error-Mode=any", "update"])
    return options


def _apt(suite, *words, folder=None):
    return _run(f"apt-get {' '.join(words)}", ["apt-get", *_apt_options(suite), *words], folder)


def _has_igb():
    try:
        listed = subprocess.run(["qemu-system-x86_64", "-device", "help"], capture_output=True, text=True)
    except FileNotFoundError:
        return False
    return '"igb"' in listed.stdout


def _install_tools(say):
    known = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *PACKAGES],
                           capture_output=True, text=True).stdout
    missing = [package for package in PACKAGES if f"installed {package}\n" not in known]
    if not _has_igb():
        missing.append("qemu-system-x86")
    if missing:
        say(f"packages: installing {' '.join(missing)}, of {TOOLS_SUITE} where it has them")
        _apt(TOOLS_SUITE, "install", "-y", "--no-install-recommends", *missing)
    if not _has_igb():
        raise Unavailable("qemu-system-x86_64 has no igb device: it takes version 8 or later, such as that of "
                          f"{TOOLS_SUITE}; remove another one from the path")


def _download(suite, package, folder):
    _apt(suite, "download", package, folder=folder)
    found = next(iter(folder.glob(f"{package}_*.deb")), None)
    if found is None:
        raise Unavailable(f"apt-get download {package} brought no package")
    return found


def _field(deb, name):
    return _run(f"reading {deb.name}", ["dpkg-deb", "-f", deb, name]).strip()


def _elf_image(vmlinuz):
    """The ELF kernel inside the compressed one: QEMU starts it at once, and need not emulate unpacking."""
    image = vmlinuz.read_bytes()
    for magic, program in ((b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd")):
        for found in re.finditer(re.escape(magic), image):
            # More follows behind the compressed part, so the exit code says nothing.
            elf = subprocess.run([program, "-dc"], input=image[found.start():], capture_output=True).stdout
            if elf.startswith(b"\x7fELF"):
                return elf
    raise Unavailable(f"{vmlinuz.name}: no ELF kernel inside that xz or zstd unpacks")


def _unpack(suite, meta, folder):
    """The packages behind the name linux-image-amd64, unpacked into `folder`."""
    debs = folder / "deb"
    todo, seen = [meta], set()
    while todo:
        for package in re.findall(r"\blinux-(?:image|base|binary|modules)-[0-9][^ ,]*",
                                  _field(todo.pop(), "Depends")):
            if package not in seen:
                seen.add(package)
                todo.append(_download(suite, package, debs))
    for deb in debs.glob("*.deb"):
        _run(f"unpacking {deb.name}", ["dpkg-deb", "-x", deb, folder])
    shutil.rmtree(debs)
    if not (folder / "lib").exists():
        (folder / "lib").symlink_to("usr/lib")
    release = next((folder / "lib/modules").iterdir()).name
    _run("listing the modules", ["depmod", "-b", folder, release])
    (folder / "vmlinux").write_bytes(_elf_image(next(folder.rglob("vmlinuz*"))))
    (folder / "release").write_text(f"{release}\n")


def _fetch(suite, home, say):
    """The newest kernel of the suite; comes into being as a whole or not at all."""
    new = home / "new"
    shutil.rmtree(new, ignore_errors=True)
    (new / "deb").mkdir(parents=True)
    meta = _download(suite, META_PACKAGE, new / "deb")
    version = home / _field(meta, "Version")
    if not version.exists():
        say(f"kernel: fetching {META_PACKAGE} {version.name} of {suite} into {home}")
        _unpack(suite, meta, new)
        new.rename(version)
    shutil.rmtree(new, ignore_errors=True)
    (home / "current").write_text(f"{version.name}\n")
    for old in home.iterdir():
        if old.is_dir() and old != version:
            held.remove_unless_held(old)


def _kernel(suite, say):
    home = cache_folder() / "kernels" / suite
    current = home / "current"
    fresh = current.exists() and time.time() - current.stat().st_mtime < FRESH_S
    if not fresh:
        try:
            _fetch(suite, home, say)
        except Unavailable as failure:
            if not current.exists():
                raise
            say(f"kernel: no newer one of {suite} could be asked for, {current.read_text().strip()} is taken: {failure}")
    return Kernel(home / current.read_text().strip())


def prepare(suites, say):
    """QEMU and the kernels of these suites, fetched where they are missing: {suite: Kernel}."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be fetching
        _install_tools(say)
        return {suite: _kernel(suite, say) for suite in suites}
