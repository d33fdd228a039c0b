"""Fixtures of the package's tests: the package itself, made by scripts/package, and a later version of
it; a lab; a clean Debian in the place of the lab's load balancer, and one that is booted there.

A file may say LAB = {"bgp": True, ..} to have another lab, and ALSO = ["gobgpd"] to have Debian's packages
on its booted machine."""
import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test"))

from support import booted_root, clean_root  # noqa: E402 (the path comes first)
from support.lab import Lab, programs  # noqa: E402

PREFIX = "gwpk"
EXIT_SKIPPED = 77
WORK = ROOT / "build" / "package-test"


@dataclasses.dataclass(frozen=True)
class Package:
    """A package file, and what dpkg-deb says of it."""
    path: pathlib.Path

    def field(self, name):
        return _output("dpkg-deb", "--field", self.path, name).strip()

    def listing(self):
        """{path without the leading dot: (mode such as -rw-r--r--, owner/group)} of all that is in it."""
        rows = [line.split(maxsplit=5) for line in _output("dpkg-deb", "--contents", self.path).splitlines()]
        return {row[5].removeprefix("."): (row[0], row[1]) for row in rows}


def _output(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


def preset():
    """What the package is made of: see CMakeLists.txt."""
    return os.environ.get("GUIDEWAY_PACKAGE_PRESET") or programs().parent.name


@functools.cache
def make_package(version=None):
    folder = WORK / (version or "current")
    options = ["--version", version] if version else []
    done = subprocess.run([ROOT / "scripts" / "package", "--preset", preset(), "--to", folder, *options],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return Package(pathlib.Path(done.stdout.splitlines()[-1]))


def missing():
    if preset() not in ("dev", "release"):
        return f"a package of build/{preset()} is not for other machines"
    tried = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"no namespaces: {tried.stderr.strip()} (run as root)"


def pytest_collection_modifyitems(config, items):
    reason = missing()
    for item in items:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_runtest_logreport(report):
    if report.outcome == "passed" and report.when == "call":
        pytest_runtest_logreport.passed = True


pytest_runtest_logreport.passed = False


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0 and not pytest_runtest_logreport.passed:
        session.exitstatus = EXIT_SKIPPED


@pytest.fixture(scope="session")
def package():
    return make_package()


@pytest.fixture(scope="session")
def later_package():
    return make_package("99.0")


@pytest.fixture(scope="module")
def lab(request):
    lab = Lab(PREFIX, backends=2, **getattr(request.module, "LAB", {}))
    with lab.held():
        lab.up()
        yield lab
        lab.down()


@pytest.fixture(scope="module")
def clean(lab):
    """A clean Debian without the package. For one module's tests, in the order of its file."""
    root = clean_root.CleanRoot(WORK / "cache", lab.ns("lb1"))
    try:
        root.__enter__()
    except clean_root.Unavailable as why:
        pytest.skip(str(why))
    yield root
    root.__exit__()


@pytest.fixture(scope="module")
def machine(request, lab, clean, package):
    """A booted Debian that has all but the package itself, which is to be installed while it runs."""
    try:
        booted_root.require()
        clean.apt_install(*booted_root.SYSTEMD, *getattr(request.module, "ALSO", []))
        clean.install(package.path)  # brings what the package depends on into the cache
        clean.must("dpkg", "--purge", "guideway")
        clean.path("usr/sbin/policy-rc.d").unlink()
        clean.path("etc/hostname").write_text("guideway-test\n")
        log = lab.folder / "console.log"
        with booted_root.BootedRoot(clean, lab.ns("lb1"), log) as machine:
            yield machine
    except clean_root.Unavailable as why:
        pytest.skip(str(why))


def bring(machine, package):
    """Installs a package file, as an upgrade where there is an older one; what dpkg printed."""
    shutil.copyfile(package.path, machine.root.path("root/guideway.deb"))
    return machine.must("dpkg", "--install", "--force-confold", "/root/guideway.deb")
