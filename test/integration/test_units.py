"""The systemd units: they are understood, hardened, and agree with the daemon."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support import privileges

UNITS = privileges.UNIT.parent
NAMES = ["guideway.service", "guideway-gobgp.service", "guideway-withdraw.service"]
SPEAKER, WITHDRAW = (UNITS / name for name in NAMES[1:])
EXTERNAL = privileges.ROOT / "configs/gobgp-external"
ANALYZE = shutil.which("systemd-analyze")
# Of ten: "OK" ends at 4.9. What is left is what a load balancer is for: the network, its
# configuration, BPF programs.
MOST_EXPOSED = {"guideway.service": 2.5, "guideway-gobgp.service": 2.0, "guideway-withdraw.service": 1.5}

pytestmark = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze here")


def analyze(*words):
    return subprocess.run([ANALYZE, *map(str, words)], capture_output=True, text=True)


def with_stand_ins(text, folder):
    """The text of a unit with programs that are there in place of those that are to be installed."""
    for program in re.findall(r"^Exec\w+=(\S+)", text, re.MULTILINE):
        stand_in = folder / pathlib.Path(program).name
        stand_in.write_text("#!/bin/sh\n")
        stand_in.chmod(0o755)
        text = text.replace(program, str(stand_in))
    return text


@pytest.fixture
def verify(tmp_path):
    """All units, in a folder of their own: what one says of another is understood as well."""
    for name in NAMES:
        (tmp_path / name).write_text(with_stand_ins((UNITS / name).read_text(), tmp_path))
    return lambda name: analyze("verify", "--man=no", tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
def test_systemd_understands_every_line(name, verify):
    done = verify(name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("addition", "complaint"), [("", ""), ("NoSuchSetting=yes\n", "NoSuchSetting")])
def test_systemd_understands_the_drop_in_for_a_gobgpd_with_a_file_of_its_own(addition, complaint, verify, tmp_path):
    folder = tmp_path / f"{SPEAKER.name}.d"
    folder.mkdir()
    (folder / "external.conf").write_text(
        with_stand_ins((EXTERNAL / "guideway-gobgp.conf").read_text(), tmp_path) + addition)
    done = verify(SPEAKER.name)
    assert complaint in done.stderr and bool(done.stderr) == bool(complaint), done.stderr


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


def test_the_speaker_has_a_user_of_its_own_and_all_users_are_made():
    lines = (UNITS / "sysusers.d/guideway.conf").read_text().splitlines()
    made = [line.split()[1] for line in lines if line.startswith("u ")]
    for name in ("User", "Group"):
        daemon, speaker, withdraw = (privileges.setting(name, UNITS / unit) for unit in NAMES)
        assert [daemon, speaker] == made
        assert withdraw == daemon


def test_who_asks_the_speaker_is_in_its_group_which_alone_may():
    """That the kernel sees it so is test/package's."""
    for unit in (privileges.UNIT, WITHDRAW):
        assert privileges.setting("SupplementaryGroups", unit) == privileges.setting("Group", SPEAKER)
    assert privileges.setting("UMask", SPEAKER) == "0007"
    assert privileges.setting("RuntimeDirectoryMode", SPEAKER) == "0750"


def test_the_speaker_listens_where_the_daemon_looks_for_it_without_being_told():
    sources = "".join(path.read_text() for path in (privileges.ROOT / "userspace/control").glob("*.h"))
    usual = re.search(r'kUsualBgpApi\b[^"]*"unix:([^"]+)"', sources)[1]
    assert pathlib.Path(usual).parent == pathlib.Path("/run", privileges.setting("RuntimeDirectory", SPEAKER))
    for file in (SPEAKER, EXTERNAL / "guideway-gobgp.conf"):
        assert re.findall(r"--api-hosts (\S+)", file.read_text()) == [f"unix://{usual}"]


def test_a_speaker_without_a_file_is_not_sent_the_signal_that_would_end_it():
    text = SPEAKER.read_text()
    assert "--config-file" not in text
    assert "ExecReload=" not in text and "SIGHUP" not in text


@pytest.mark.skipif(not shutil.which("gobgpd"), reason="no gobgpd here: run scripts/deps")
def test_gobgpd_takes_the_example_of_a_file_of_its_own_and_no_wrong_one(tmp_path):
    def taken(path):
        return subprocess.run(["gobgpd", "--dry-run", "--config-type", "yaml", "--config-file", path],
                              capture_output=True, text=True)
    done = taken(EXTERNAL / "gobgpd.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "gobgpd.yaml"
    wrong.write_text((EXTERNAL / "gobgpd.yaml").read_text().replace("peer-as: 64500", "peer-as: nobody"))
    assert taken(wrong).returncode != 0


def test_a_stall_is_in_the_journal_before_the_watchdog_bites():
    """The patience of userspace/app/supervision.cpp, and a look, are within what is left when the
    watchdog was fed last."""
    source = (privileges.ROOT / "userspace/app/supervision.cpp").read_text()
    patience, step = (int(re.search(rf"{name}{{(\d+)}}", source)[1]) / 1000 for name in ("kPatience", "kStep"))
    watchdog = int(privileges.setting("WatchdogSec").removesuffix("s"))
    assert patience + 2 * step < watchdog / 2
