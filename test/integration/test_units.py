"""The systemd units: they are understood, hardened, and agree with the daemon."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support import privileges

UNITS = privileges.UNIT.parent
NAMES = ["guideway.service", "guideway-gobgp.service"]
ANALYZE = shutil.which("systemd-analyze")
# Of ten: "OK" ends at 4.9. What is left is what a load balancer is for: the network, its
# configuration, BPF programs.
MOST_EXPOSED = {"guideway.service": 2.5, "guideway-gobgp.service": 2.0}

pytestmark = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze here")


def analyze(*words):
    return subprocess.run([ANALYZE, *map(str, words)], capture_output=True, text=True)


@pytest.mark.parametrize("name", NAMES)
def test_systemd_understands_every_line(name, tmp_path):
    """With programs that are there in place of those that are to be installed."""
    text = (UNITS / name).read_text()
    for program in re.findall(r"^Exec\w+=(\S+)", text, re.MULTILINE):
        stand_in = tmp_path / pathlib.Path(program).name
        stand_in.write_text("#!/bin/sh\n")
        stand_in.chmod(0o755)
        text = text.replace(program, str(stand_in))
    (tmp_path / name).write_text(text)
    done = analyze("verify", "--man=no", tmp_path / name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_line_that_systemd_does_not_understand_would_be_found(name, tmp_path):
    (tmp_path / name).write_text((UNITS / name).read_text().replace("[Service]", "[Service]\nNoSuchSetting=yes"))
    assert "NoSuchSetting" in analyze("verify", "--man=no", tmp_path / name).stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_unit_is_hardened(name):
    threshold = int(MOST_EXPOSED[name] * 10)
    done = analyze("security", "--no-pager", "--offline=yes", f"--threshold={threshold}", UNITS / name)
    assert done.returncode == 0, done.stdout + done.stderr
    exposure = float(re.search(r"Overall exposure level for \S+: (\d+\.\d)", done.stdout)[1])
    assert exposure <= MOST_EXPOSED[name]


def test_what_is_allowed_is_what_is_given():
    allowed = privileges.setting("CapabilityBoundingSet")
    assert allowed.split() == privileges.setting("AmbientCapabilities").split()
    assert privileges.setting("NoNewPrivileges") == "yes"


def test_what_root_has_left_by_hand_becomes_the_users_and_nothing_else(tmp_path):
    """The line of the unit, on a folder like /run/guideway: a link in it gives nothing away."""
    command = privileges.setting("ExecStartPre").removeprefix("+")
    run, other = tmp_path / "run", tmp_path / "other"
    run.mkdir()
    for file in (run / "guidewayd.sock", run / "guideway_steer-1-2.lock", other):
        file.touch(0o600)
    (run / "link").symlink_to(other)
    os.chown(run, privileges.USER, privileges.USER)
    user = f"{privileges.USER}:{privileges.USER}"
    subprocess.run(command.replace("guideway:guideway", user).replace("/run/guideway", str(run)).split(), check=True)
    assert {path.name: path.lstat().st_uid for path in [*run.iterdir(), other]} == {
        "guidewayd.sock": privileges.USER, "guideway_steer-1-2.lock": privileges.USER, "link": privileges.USER,
        "other": os.geteuid()}


def test_each_unit_has_a_user_of_its_own_that_is_made():
    lines = (UNITS / "sysusers.d/guideway.conf").read_text().splitlines()
    made = [line.split()[1] for line in lines if line.startswith("u ")]
    for name in ("User", "Group"):
        assert [privileges.setting(name, UNITS / unit) for unit in NAMES] == made


def test_a_stall_is_in_the_journal_before_the_watchdog_bites():
    """The patience of userspace/app/supervision.cpp, and a look, are within what is left when the
    watchdog was fed last."""
    source = (privileges.ROOT / "userspace/app/supervision.cpp").read_text()
    patience, step = (int(re.search(rf"{name}{{(\d+)}}", source)[1]) / 1000 for name in ("kPatience", "kStep"))
    watchdog = int(privileges.setting("WatchdogSec").removesuffix("s"))
    assert patience + 2 * step < watchdog / 2
