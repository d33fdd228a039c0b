"""guidewayd and gobgpd as services of one machine, with BIRD for a router: what each unit's start, stop,
crash and upgrade means for the route to the VIP. One life, told in the order of the tests."""
import json
import shutil
import signal
import time

import pytest
from conftest import bring
from support import bgp, fetch, process, router
from support.daemon import config, to_yaml
from support.lab import VIP

LAB = {"bgp": True}
ALSO = ["gobgpd"]
# Fits the limit of locked memory that a user has who cannot raise it, as in a container (8 MiB).
SMALL = {"frames": 512}
UNIT, SPEAKER, WITHDRAW = "guideway.service", "guideway-gobgp.service", "guideway-withdraw.service"
API = "/run/guideway-bgp/api.sock"
FILE = "/etc/guideway/guideway.yaml"
EXAMPLES = "/usr/share/doc/guideway/examples/gobgp-external"
# Longer than a new session takes; what the units are for is that a route is kept for that long.
KEPT_SECONDS = 60


@pytest.fixture(scope="module")
def installed(machine, lab, package):
    """The package and its file, with nothing started; the lab's own gobgpd is out of the way."""
    bring(machine, package)
    lab.stop_gobgpd("lb1", signal.SIGKILL)
    write_file(machine, lab, mode="managed", local_asn=bgp.LOAD_BALANCER_AS,
               graceful_restart=f"{KEPT_SECONDS}s",
               peers=[{"address": lab.lb("lb1").gateway, "asn": bgp.ROUTER_AS}])
    return machine


def write_file(machine, lab, **section):
    settings = config(lab, interface=SMALL)
    settings["admin"]["socket"] = "/run/guideway/guidewayd.sock"
    settings["bgp"] = section
    machine.root.path(FILE).write_text(to_yaml(settings))


def ask(machine, *words, before=()):
    """The command gobgp with the machine's gobgpd; the ended process."""
    return machine.run(*before, "gobgp", "--target", f"unix://{API}", *words)


def answers(machine):
    return ask(machine, "global").returncode == 0


def start(machine, *units):
    started = machine.run("systemctl", "start", *units)
    assert started.returncode == 0, started.stderr + "".join(machine.journal(unit) for unit in units)


def main_pid(machine, unit):
    return int(machine.show(unit, "MainPID"))


def kill(machine, unit):
    """SIGKILL, as a crash is; returns when systemd has started it again, by itself."""
    pid, restarts = main_pid(machine, unit), int(machine.show(unit, "NRestarts"))
    assert pid > 0
    machine.must("sh", "-c", f"kill -KILL {pid}")
    process.wait_until(lambda: (int(machine.show(unit, "NRestarts")) == restarts + 1
                                and machine.show(unit, "ActiveState") == "active"),
                       f"{unit} is started again", 30)


def in_step(machine):
    status = machine.run("guideway", "status", "--json")
    return status.returncode == 0 and json.loads(status.stdout)["bgp"]["in_step"]


def sent_to_router(machine, lab):
    """gobgpd has told the router of the VIP, in a session that it has now."""
    sent = ask(machine, "neighbor", lab.lb("lb1").gateway, "adj-out")
    return sent.returncode == 0 and f"{VIP}/32" in sent.stdout


def wait_for_route(machine, lab, hops=None):
    """Until the router has these next hops for the VIP; by default the load balancer's."""
    try:
        router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1") if hops is None else hops, 60)
    except AssertionError as missing:
        missing.add_note("\n".join(machine.journal(unit)[-3000:] for unit in (SPEAKER, UNIT, WITHDRAW)))
        raise


@pytest.fixture
def announced(installed, lab):
    """Both run, and the router has the route."""
    start(installed, SPEAKER, UNIT)
    wait_for_route(installed, lab)
    process.wait_until(lambda: in_step(installed) and sent_to_router(installed, lab), "all is in step", 30)
    return installed


# ---- gobgpd by itself --------------------------------------------------------------------------------


def test_the_speaker_starts_with_nothing_as_its_own_user(installed):
    start(installed, SPEAKER)
    process.wait_until(lambda: answers(installed), "its API answers")
    assert ask(installed, "global").stdout.split() == ["AS:", "0", "Router-ID:"]
    assert installed.must("stat", "-c", "%U:%G", f"/proc/{main_pid(installed, SPEAKER)}") == \
        "guideway-bgp:guideway-bgp\n"


@pytest.mark.parametrize(("identity", "may"), [
    (("--reuid=nobody", "--clear-groups"), False),
    (("--reuid=guideway", "--regid=guideway", "--clear-groups"), False),
    (("--reuid=guideway", "--regid=guideway", "--groups=guideway-bgp"), True)])
def test_only_root_and_the_services_of_guideway_may_ask_the_speaker(installed, identity, may):
    assert (ask(installed, "global", before=["setpriv", *identity]).returncode == 0) is may


def test_a_speaker_that_was_killed_comes_back_with_its_api(installed):
    """A socket that is left in its way would have it run without."""
    kill(installed, SPEAKER)
    process.wait_until(lambda: answers(installed), "its API answers again")


def test_a_stop_of_the_speaker_says_no_farewell_and_is_no_failure(installed):
    installed.must("systemctl", "stop", SPEAKER)
    assert (installed.show(SPEAKER, "ActiveState"), installed.show(SPEAKER, "Result")) == ("inactive", "success")
    assert "stopping gobgpd server" not in installed.journal(SPEAKER)
    assert installed.run("test", "-e", "/run/guideway-bgp").returncode == 1


# ---- both --------------------------------------------------------------------------------------------


def test_the_daemon_forwards_without_a_speaker_and_announces_as_soon_as_there_is_one(installed, lab):
    start(installed, UNIT)
    assert not in_step(installed)
    start(installed, SPEAKER)
    wait_for_route(installed, lab)
    assert [page.status for page in fetch.fetch_all(lab, range(32000, 32020))] == [200] * 20


def test_the_router_keeps_the_route_while_the_speaker_is_started_again(announced, lab):
    with router.RouteWatch(lab, VIP) as watch:
        announced.must("systemctl", "restart", SPEAKER)
        process.wait_until(lambda: sent_to_router(announced, lab), "the new gobgpd has told the router", 60)
        assert watch.hops_that_left() == set(), watch.describe()


def test_the_router_keeps_the_route_while_the_daemon_is_started_again_after_a_crash(announced, lab):
    with router.RouteWatch(lab, VIP) as watch:
        kill(announced, UNIT)
        process.wait_until(lambda: in_step(announced), "the new daemon is in step", 30)
        assert watch.hops_that_left() == set(), watch.describe()
    assert WITHDRAW not in announced.journal(WITHDRAW)


def test_an_upgrade_leaves_both_alone_and_the_route(announced, lab, later_package):
    before = [main_pid(announced, unit) for unit in (UNIT, SPEAKER)]
    with router.RouteWatch(lab, VIP) as watch:
        bring(announced, later_package)
        assert watch.hops_that_left() == set(), watch.describe()
    assert [main_pid(announced, unit) for unit in (UNIT, SPEAKER)] == before
    assert announced.show(SPEAKER, "NeedDaemonReload") == "no"


def test_the_routes_of_a_daemon_that_is_given_up_are_withdrawn(announced, lab):
    drop_in = announced.root.path(f"etc/systemd/system/{UNIT}.d/limit.conf")
    drop_in.parent.mkdir()
    drop_in.write_text("[Unit]\nStartLimitBurst=1\n")
    announced.must("systemctl", "daemon-reload")

    def has_been_given_up():
        if pid := main_pid(announced, UNIT):
            announced.run("sh", "-c", f"kill -KILL {pid}")
        return announced.show(UNIT, "ActiveState") == "failed"
    process.wait_until(has_been_given_up, "systemd starts it no more", 30)
    wait_for_route(announced, lab, set())
    process.wait_until(lambda: announced.show(WITHDRAW, "ActiveState") == "inactive", "the unit has ended", 30)
    assert announced.show(WITHDRAW, "Result") == "success"
    assert "withdrew 1 route" in announced.journal(WITHDRAW)
    shutil.rmtree(drop_in.parent)
    announced.must("systemctl", "daemon-reload")
    announced.must("systemctl", "reset-failed", UNIT)


def test_there_is_nothing_to_withdraw_without_a_speaker_and_that_is_no_failure(installed):
    installed.must("systemctl", "stop", SPEAKER)
    start(installed, WITHDRAW)
    assert "nobody answers at" in installed.journal(WITHDRAW)


def test_when_both_stop_the_daemon_withdraws_while_the_speaker_lives(announced, lab):
    """One transaction, as the machine's shutdown is. The router would keep the route for a minute if the
    speaker had just gone."""
    announced.root.path("etc/systemd/system/down.target").write_text(f"[Unit]\nConflicts={UNIT} {SPEAKER}\n")
    announced.must("systemctl", "daemon-reload")
    begun = time.monotonic()
    announced.must("systemctl", "start", "down.target")
    router.wait_for_routes(lab, VIP, set())
    assert time.monotonic() - begun < KEPT_SECONDS
    for unit in (UNIT, SPEAKER):
        process.wait_until(lambda: announced.show(unit, "ActiveState") == "inactive", f"{unit} has ended", 30)
    assert [announced.show(unit, "Result") for unit in (UNIT, SPEAKER)] == ["success", "success"]
    ended = int(announced.show(UNIT, "InactiveEnterTimestampMonotonic"))
    assert 0 < ended <= int(announced.show(SPEAKER, "ActiveExitTimestampMonotonic"))


# ---- a gobgpd with a file of its own -----------------------------------------------------------------


@pytest.fixture(scope="module")
def external(installed, lab):
    """The drop-in and the example that the package has, with the addresses of the lab."""
    machine = installed
    machine.must("systemctl", "stop", UNIT, SPEAKER)
    machine.must("install", "-D", "-m", "0644", f"{EXAMPLES}/guideway-gobgp.conf",
                 f"/etc/systemd/system/{SPEAKER}.d/external.conf")
    machine.must("systemctl", "daemon-reload")
    return machine


def test_a_speaker_that_is_to_have_a_file_does_not_start_without(external):
    assert external.run("systemctl", "start", SPEAKER).returncode != 0
    assert external.show(SPEAKER, "ActiveState") == "inactive"


def test_a_speaker_with_a_file_of_its_own_announces_what_the_daemon_adds(external, lab):
    path = external.root.path("etc/guideway/gobgpd.yaml")
    text = external.root.path(f"{EXAMPLES}/gobgpd.yaml").read_text()
    for example, mine in (("10.0.0.10", lab.lb("lb1").address), ("10.0.0.1\n", f"{lab.lb('lb1').gateway}\n")):
        assert text.count(example) == 1
        text = text.replace(example, mine)
    path.write_text(text)
    external.must("chown", "root:guideway-bgp", "/etc/guideway/gobgpd.yaml")
    path.chmod(0o640)
    write_file(external, lab, mode="external")
    start(external, SPEAKER, UNIT)
    wait_for_route(external, lab)


def test_such_a_speaker_reads_its_file_again_and_keeps_its_session(external, lab):
    before = main_pid(external, SPEAKER)
    with router.RouteWatch(lab, VIP) as watch:
        path = external.root.path("etc/guideway/gobgpd.yaml")
        path.write_text(path.read_text() + "  - config: {neighbor-address: 10.77.1.99, peer-as: 64501}\n")
        external.must("systemctl", "reload", SPEAKER)
        process.wait_until(lambda: "10.77.1.99" in ask(external, "neighbor").stdout, "the new neighbour")
        assert watch.hops_that_left() == set(), watch.describe()
    assert main_pid(external, SPEAKER) == before


def test_removing_the_package_stops_the_daemon_before_the_speaker(external, lab):
    external.must("dpkg", "--remove", "guideway")
    router.wait_for_routes(lab, VIP, set())
    lines = external.must("journalctl", "--no-pager", "--output", "cat", "--unit", UNIT, "--unit", SPEAKER).splitlines()
    stopped = [index for index, line in enumerate(lines) if line.startswith(f"Stopped {UNIT}")][-1]
    stopping = [index for index, line in enumerate(lines) if line.startswith(f"Stopping {SPEAKER}")][-1]
    assert stopped < stopping


def test_a_purge_leaves_nothing_of_either(external):
    shutil.rmtree(external.root.path(f"etc/systemd/system/{SPEAKER}.d"))
    external.must("dpkg", "--purge", "guideway")
    for path in ("/etc/guideway", "/run/guideway", "/run/guideway-bgp"):
        assert external.run("test", "-e", path).returncode == 1, path
    assert external.root.accounts() == {}
