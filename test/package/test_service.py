"""The package on a Debian that runs systemd: the unit is started, reloaded, upgraded under traffic,
restarted, removed and purged as an operator does it. One life, told in the order of the tests."""
import pytest
from conftest import bring
from support import fetch, process
from support.daemon import config, to_yaml, xdp_programs

FILE = "/etc/guideway/guideway.yaml"
# Fits the limit of locked memory that a user has who cannot raise it, as in a container (8 MiB).
SMALL = {"frames": 512}
UNIT = "guideway.service"


@pytest.fixture(scope="module")
def installed(machine, package):
    machine.said = bring(machine, package)
    return machine


def write(machine, text):
    machine.root.path(FILE).write_text(text)


@pytest.fixture(scope="module")
def running(installed, lab):
    """The service, started with a right file."""
    settings = config(lab, interface=SMALL)
    settings["admin"]["socket"] = "/run/guideway/guidewayd.sock"
    installed.settings = settings
    write(installed, to_yaml(settings))
    installed.run("systemctl", "reset-failed", UNIT)  # where it has not failed, it has nothing to do
    started = installed.run("systemctl", "start", UNIT)
    assert started.returncode == 0, started.stderr + installed.journal(UNIT)
    return installed


def main_pid(machine):
    return int(machine.show(UNIT, "MainPID"))


def pages_come(lab, first_port):
    pages = fetch.fetch_all(lab, range(first_port, first_port + 20))
    return [page.status for page in pages] == [200] * 20


def test_installing_on_a_running_machine_starts_and_enables_nothing(installed):
    assert "systemctl enable --now guideway" in installed.said
    assert installed.show(UNIT, "LoadState") == "loaded"
    assert installed.show(UNIT, "ActiveState") == "inactive"
    assert installed.show(UNIT, "UnitFileState") == "disabled"


def test_the_service_with_the_file_as_it_comes_fails_with_the_reason_in_the_journal(installed, lab):
    installed.run("systemctl", "start", UNIT)  # whether this fails depends on how often systemd tries
    process.wait_until(lambda: "node.fleet_seed: must be" in installed.journal(UNIT), "the reason", 15)
    installed.must("systemctl", "stop", UNIT)
    assert xdp_programs(lab) == {}


def test_the_service_forwards_as_its_own_user(running, lab):
    assert running.show(UNIT, "ActiveState") == "active"
    user = running.must("stat", "-c", "%U", f"/proc/{main_pid(running)}").strip()
    assert user == "guideway"
    assert pages_come(lab, 31000)


def test_a_reload_by_systemctl_takes_a_right_file_and_refuses_a_wrong_one(running, lab):
    before = main_pid(running)
    running.must("systemctl", "reload", UNIT)
    right = to_yaml(running.settings)
    write(running, right + "surprise: 1\n")
    refused = running.run("systemctl", "reload", UNIT)
    write(running, right)
    assert refused.returncode != 0
    assert "surprise" in running.journal(UNIT)
    assert (running.show(UNIT, "ActiveState"), main_pid(running)) == ("active", before)
    assert pages_come(lab, 31100)


def test_an_upgrade_leaves_the_running_daemon_alone_and_says_so(running, lab, later_package):
    before = main_pid(running)
    running.must("systemctl", "enable", UNIT)
    traffic = fetch.Traffic(lab)
    said = bring(running, later_package)
    process.wait_until(lambda: traffic.answered > 20, "pages during the upgrade and after it", 30)
    answered, failures = traffic.stop()
    assert failures == [] and answered > 20
    assert "guidewayd runs on as it was before: systemctl restart guideway when it suits" in said
    assert (running.show(UNIT, "ActiveState"), main_pid(running)) == ("active", before)
    assert running.show(UNIT, "NeedDaemonReload") == "no"
    assert running.show(UNIT, "UnitFileState") == "enabled"


def test_a_restart_when_it_suits_runs_the_new_version(running, lab):
    before = main_pid(running)
    running.must("systemctl", "restart", UNIT)
    assert main_pid(running) != before
    assert pages_come(lab, 31200)


def test_removing_the_package_stops_the_service(running, lab):
    running.must("dpkg", "--remove", "guideway")
    assert running.run("systemctl", "is-active", UNIT).stdout.strip() in ("inactive", "unknown")
    assert xdp_programs(lab) == {}
    assert running.root.path(FILE).exists()


def test_a_purge_takes_the_configuration_the_users_and_the_links_of_the_units(running):
    assert list(running.root.path("etc/systemd/system").rglob("guideway*")) != []  # still enabled
    running.must("dpkg", "--purge", "guideway")
    assert list(running.root.path("etc/systemd/system").rglob("guideway*")) == []
    assert running.show(UNIT, "LoadState") == "not-found"
    assert not running.root.path("etc/guideway").exists()
    assert running.run("test", "-e", "/run/guideway").returncode == 1
    assert running.root.accounts() == {}
