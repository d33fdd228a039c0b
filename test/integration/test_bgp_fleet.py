"""Two to four load balancers behind a router that learns the VIP from them and spreads flows over
them: any of them goes, in whatever way, and comes back, and no download is broken by it."""
import contextlib
import signal
import time

import pytest

from support import announced, fetch, fleet, router
from support.downloads import PIECE, unbroken_downloads
from support.lab import VIP

LAB = {"bgp": True, "lbs": 4}
THREE = ("lb1", "lb2", "lb3")
DRAIN_SECONDS = 8


@pytest.fixture
def three(lab, start):
    """The daemons of three load balancers, by name; the router sends to each of them."""
    return fleet.start_fleet(lab, start, *THREE)


@contextlib.contextmanager
def new_connections(lab):
    """One after the other, around a block; none may fail."""
    traffic = fetch.Traffic(lab)
    try:
        yield traffic
    finally:
        answered, failures = traffic.stop()
    assert failures == [] and answered > 0


@contextlib.contextmanager
def unbroken_traffic(lab, what, first_port):
    """60 downloads around a block that does something to the fleet, and new connections all the time."""
    with unbroken_downloads(lab, what, first_port) as running:
        assert set(running.by_backend()) == {"be1", "be2", "be3"}
        with new_connections(lab) as traffic:
            yield running
            running.wait_bytes(PIECE)
    print(f"{what}: {traffic.answered} new connections, none failed")


def flows_of(daemons):
    """How many flows each load balancer has had, by name."""
    return {name: daemon.status()["totals"]["flow_inserted"] for name, daemon in daemons.items()}


def test_connections_are_spread_over_all_load_balancers(lab, three):
    ports = range(20000, 20120)
    assert {page.status for page in fetch.fetch_all(lab, ports)} == {200}
    for daemon in three.values():
        daemon.settle()
    flows = flows_of(three)
    print(f"flows by load balancer: {flows}")
    assert min(flows.values()) > 10 and sum(flows.values()) == len(ports)


def test_a_flow_has_the_same_backend_through_each_of_them(lab, three):
    chosen = {}
    for name in three:
        for other, daemon in three.items():
            fleet.set_role(daemon, "active" if other == name else "drain")
        fleet.wait_for_hops(lab, name)
        chosen[name] = [fetch.backend_of(page) for page in fetch.fetch_all(lab, range(21000, 21090))]
    assert chosen["lb1"] == chosen["lb2"] == chosen["lb3"]
    assert set(chosen["lb1"]) == {"be1", "be2", "be3"}


def test_downloads_run_on_while_one_is_drained_and_comes_back(lab, three):
    with unbroken_traffic(lab, "role drain, then active", 22000) as running:
        with router.RouteWatch(lab, VIP) as watch:
            asked = time.monotonic()
            fleet.set_role(three["lb2"], "drain")
            gone = watch.wait_for(router.addresses(lab, "lb1", "lb3"))
            running.wait_bytes(PIECE)
            asked_back = time.monotonic()
            fleet.set_role(three["lb2"], "active")
            back = watch.wait_for(router.addresses(lab, *THREE), after=asked_back)
    print(f"role drain: out of the router's route after {gone - asked:.3f} s; "
          f"role active: in it after {back - asked_back:.3f} s")
    assert [change.hops for change in watch.changes] == [
        router.addresses(lab, *THREE), router.addresses(lab, "lb1", "lb3"), router.addresses(lab, *THREE)]


def test_downloads_run_on_while_one_is_stopped_and_it_forwards_until_its_drain_time_is_over(lab, start):
    daemon = fleet.start_fleet(lab, start, *THREE, drain=f"{DRAIN_SECONDS}s")["lb1"]
    with unbroken_traffic(lab, "SIGTERM", 23000) as running:
        with router.RouteWatch(lab, VIP) as watch:
            asked = time.monotonic()
            daemon.child.send_signal(signal.SIGTERM)
            gone = watch.wait_for(router.addresses(lab, "lb2", "lb3"))
            daemon.settle()
            assert announced.route_told(daemon)["why"].startswith("guidewayd stops")
            running.wait_bytes(PIECE)
            assert daemon.wait(DRAIN_SECONDS + 15) == 0, daemon.log()
            ended = time.monotonic()
    print(f"SIGTERM: out of the router's route after {gone - asked:.3f} s, ended after {ended - asked:.2f} s")
    assert ended - asked >= DRAIN_SECONDS
    assert watch.changes[-1].hops == router.addresses(lab, "lb2", "lb3")


def test_downloads_run_on_while_a_third_and_a_fourth_one_come(lab, start):
    daemons = fleet.start_fleet(lab, start, "lb1", "lb2")
    with unbroken_traffic(lab, "a third and a fourth one come", 26000) as running, \
            router.RouteWatch(lab, VIP) as watch:
        for name in ("lb3", "lb4"):
            started = time.monotonic()
            daemons[name] = start(fleet.settings(lab, name), name)
            come = watch.wait_for(router.addresses(lab, *daemons))
            print(f"{name} comes: in the router's route {come - started:.2f} s after its start")
            running.wait_bytes(PIECE)
        before = flows_of(daemons)
        assert {page.status for page in fetch.fetch_all(lab, range(28000, 28120))} == {200}
        shares = {name: flows - before[name] for name, flows in flows_of(daemons).items()}
    print(f"flows by load balancer, since there are four: {shares}")
    assert min(shares.values()) > 5
    assert watch.hops_that_left() == set()


def test_one_that_starts_again_at_once_is_taken_back(lab, three):
    """A stop and a start, as of an upgrade: new connections find a way all the time."""
    with unbroken_traffic(lab, "stop and start", 27000), router.RouteWatch(lab, VIP) as watch:
        assert three["lb1"].stop() == 0
        watch.wait_for(router.addresses(lab, "lb2", "lb3"))
        stopped = time.monotonic()
        three["lb1"].start().wait_ready().wait_resolved()
        back = watch.wait_for(router.addresses(lab, *THREE), after=stopped)
    print(f"stop and start: back after {back - stopped:.2f} s")


# How a machine dies: whether its link goes down with it, or nobody hears of its death; its hold time;
# for how many seconds it has asked the router to keep its routes (RFC 4724); and so long they stay at
# least.
DEATHS = {
    "its link goes down": (True, False, fleet.HOLD_SECONDS, 3, 0),
    "its processes are killed, without graceful restart": (False, False, fleet.HOLD_SECONDS, 0, 0),
    "its processes are killed, with graceful restart": (False, False, fleet.HOLD_SECONDS, 3, 3),
    "nobody hears of it, with graceful restart, until its hold time of 3 s ends": (False, True, 3, 3, 0),
}


@pytest.mark.parametrize("death", DEATHS)
def test_downloads_survive_a_machine_that_dies(lab, start, death):
    link_goes_down, silent, hold_seconds, restart_seconds, least_seconds = DEATHS[death]
    fleet.start_fleet(lab, start, "lb1", "lb2")
    settings = fleet.settings(lab, "lb3", hold_time=f"{hold_seconds}s", graceful_restart=f"{restart_seconds}s")
    third = start(settings, "lb3")
    fleet.wait_for_hops(lab, *THREE)
    announced.wait_established(third)
    port = 24000 + 100 * list(DEATHS).index(death)
    with fleet.repaired_in_the_end(lab, "lb3"), unbroken_traffic(lab, death, port), \
            router.RouteWatch(lab, VIP) as watch:
        if silent:
            fleet.fall_silent(lab, "lb3")
        died = time.monotonic()
        fleet.kill_machine(lab, third)
        if link_goes_down:
            fleet.link_down(lab, "lb3")
        gone = watch.wait_for(router.addresses(lab, "lb1", "lb2"), 2 * fleet.HOLD_SECONDS)
        hold_time_ended = "Hold timer expired" in router.bird(lab, "show protocols all lb3")
    print(f"{death}: out of the router's route after {gone - died:.2f} s")
    assert gone - died >= least_seconds
    assert hold_time_ended == silent
    start(settings, "lb3")
    fleet.wait_for_hops(lab, *THREE)
