"""Fixtures of the integration tests: a lab for each file, daemons that are held to account.

A file may say LAB = {"backends": 2, ..} to have another lab than the usual one. Every daemon that a
test starts is checked when the test ends: all packets accounted for, a clean exit, nothing left on
the interface. Without the privilege to make network namespaces the files are skipped (exit 77)."""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
pytest.register_assert_rewrite("support")  # so that its assertions, too, say what was otherwise

from support.daemon import Daemon, xdp_programs  # noqa: E402 (the path comes first)
from support.lab import Lab  # noqa: E402

PREFIX = os.environ.get("GUIDEWAY_LAB_PREFIX", "gwt")
EXIT_SKIPPED = 77


def missing_privilege():
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"no network namespaces: {tried.stderr.strip()} (run as root)"


def pytest_collection_modifyitems(config, items):
    reason = missing_privilege()
    config.guideway_skipped = reason is not None
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0 and getattr(session.config, "guideway_skipped", False):
        session.exitstatus = EXIT_SKIPPED


@pytest.fixture(scope="module")
def lab(request):
    lab = Lab(PREFIX, **getattr(request.module, "LAB", {}))
    with lab.held():
        lab.up()
        yield lab
        lab.down()


@pytest.fixture
def new_daemon(lab):
    """Makes daemons that the test itself starts. Whatever still runs at the end is ended."""
    daemons = []

    def make(settings=None, node="lb1"):
        daemons.append(Daemon(lab, settings, node))
        return daemons[-1]

    yield make
    for daemon in daemons:
        if daemon.alive():
            daemon.kill()


@pytest.fixture
def start(lab, new_daemon):
    """Starts daemons that forward to every backend, and holds them to account in the end."""
    daemons = []

    def begin(settings=None, node="lb1", wrapper=()):
        daemon = new_daemon(settings, node).start(wrapper).wait_ready().wait_resolved()
        daemons.append(daemon)
        return daemon

    yield begin
    for daemon in daemons:
        if daemon.alive():
            daemon.settle()
            assert daemon.stop() == 0, daemon.log()
    for daemon in daemons:
        assert xdp_programs(lab, daemon.node) == {}
