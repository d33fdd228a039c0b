"""Fixtures of the tests of what is around the daemon: completion, manual, messages. They need no lab,
and but for one no privilege. A shell or a program that is not installed skips its tests, with the
reason; scripts/deps installs all of them."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_daemon import FakeDaemon  # noqa: E402 (the path comes first)

BIN = pathlib.Path(os.environ["GUIDEWAY_BIN"])
EXIT_SKIPPED = 77


def pytest_sessionfinish(session, exitstatus):
    """A file of which nothing could run is skipped, not passed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and not reporter.stats.get("passed"):
        session.exitstatus = EXIT_SKIPPED


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program}: scripts/deps installs it")


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """What the programs run with: the tested ones first on the path, nothing of who runs the tests."""
    return {"PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path_factory.mktemp("home")),
            "LC_ALL": "C.UTF-8", "TERM": "vt100"}


@pytest.fixture(scope="session")
def guideway(environment):
    """Runs `guideway` with these words; what it said and how it ended."""
    def run(*words, program="guideway", **more):
        return subprocess.run([BIN / program, *words], capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL, env={**environment, **more})
    return run


@pytest.fixture
def daemon(tmp_path):
    with FakeDaemon(tmp_path / "s") as fake:
        yield fake
