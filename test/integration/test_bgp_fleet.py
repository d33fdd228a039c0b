"""Three load balancers behind a router that learns the VIP from them and spreads flows over them: any
of them goes, in whatever way, and comes back, and no download is broken by it."""
import contextlib
import signal
import time

import pytest

from support import fetch, fleet, router
from support.downloads import Downloads
from support.lab import VIP

LAB = {"bgp": True, "lbs": 3}
PIECE = 50_000  # bytes that each download has to get after a change, before the next


@pytest.fixture
def three(lab, start):
    """The daemons of all load balancers, by name; the router sends to each of them."""
    return fleet.start_fleet(lab, start)


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
def unbroken_downloads(lab, what, first_port):
    """60 downloads around a block that does something to the fleet."""
    with Downloads(lab, range(first_port, first_port + 60)) as running:
        assert set(running.by_backend()) == {"be1", "be2", "be3"}
        yield running
        running.wait_bytes(PIECE)
    assert running.broken() == []
    assert len(running.complete()) == 60
    print(f"{what}: 60 downloads, none broken; longest pause {running.longest_pause_seconds():.2f} s")


@contextlib.contextmanager
def unbroken_traffic(lab, what, first_port):
    """The same, with new connections all the time."""
    with unbroken_downloads(lab, what, first_port) as running:
        with new_connections(lab) as traffic:
            yield running
            running.wait_bytes(PIECE)
    print(f"{what}: {traffic.answered} new connections, none failed")


def test_connections_are_spread_over_all_load_balancers(lab, three):
    ports = range(20000, 20120)
    assert {page.status for page in fetch.fetch_all(lab, ports)} == {200}
    flows = {name: daemon.settle()["totals"]["flow_inserted"] for name, daemon in three.items()}
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
            back = watch.wait_for(router.addresses(lab), after=asked_back)
    print(f"role drain: out of the router's route after {gone - asked:.3f} s; "
          f"role active: in it after {back - asked_back:.3f} s")
    assert [change.hops for change in watch.changes] == [
        router.addresses(lab), router.addresses(lab, "lb1", "lb3"), router.addresses(lab)]


def test_downloads_run_on_while_one_is_stopped_and_it_forwards_until_its_drain_time_is_over(lab, start):
    fleet.start_fleet(lab, start, "lb2", "lb3")
    daemon = start(fleet.settings(lab, "lb1", drain="3s"), "lb1")
    fleet.wait_for_hops(lab, "lb1", "lb2", "lb3")
    with unbroken_traffic(lab, "SIGTERM", 23000) as running:
        with router.RouteWatch(lab, VIP) as watch:
            asked = time.monotonic()
            daemon.child.send_signal(signal.SIGTERM)
            gone = watch.wait_for(router.addresses(lab, "lb2", "lb3"))
            daemon.settle()
            assert fleet.route_status(daemon)["why"].startswith("guidewayd stops")
            running.wait_bytes(PIECE)
            assert daemon.wait(15) == 0, daemon.log()
            ended = time.monotonic()
    print(f"SIGTERM: out of the router's route after {gone - asked:.3f} s, ended after {ended - asked:.2f} s")
    assert ended - gone > 2.9
    assert watch.changes[-1].hops == router.addresses(lab, "lb2", "lb3")


def test_downloads_run_on_while_a_third_one_comes(lab, start):
    two = fleet.start_fleet(lab, start, "lb1", "lb2")
    with unbroken_downloads(lab, "a third one comes", 26000), router.RouteWatch(lab, VIP) as watch:
        started = time.monotonic()
        third = start(fleet.settings(lab, "lb3"), "lb3")
        come = watch.wait_for(router.addresses(lab))
    print(f"a third one comes: in the router's route {come - started:.2f} s after its start")
    assert watch.hops_that_left() == set()
    flows = {name: daemon.settle()["totals"]["flow_inserted"]
             for name, daemon in {**two, "lb3": third}.items()}
    print(f"flows by load balancer: {flows}")
    assert flows["lb3"] > 5


def test_one_that_starts_again_at_once_is_taken_back(lab, three):
    """A stop and a start, as of an upgrade: new connections find a way all the time."""
    with unbroken_traffic(lab, "stop and start", 27000), router.RouteWatch(lab, VIP) as watch:
        assert three["lb1"].stop() == 0
        watch.wait_for(router.addresses(lab, "lb2", "lb3"))
        stopped = time.monotonic()
        three["lb1"].start().wait_ready().wait_resolved()
        back = watch.wait_for(router.addresses(lab), after=stopped)
    print(f"stop and start: back after {back - stopped:.2f} s")


# How a machine dies: whether its link goes down with it, or nobody hears of its death; for how many
# seconds it has asked the router to keep its routes (RFC 4724); and so long they stay, at least and,
# on a busy host, at most.
DEATHS = {
    "its link goes down": (True, False, 3, 0.0, 2.0),
    "its processes are killed, without graceful restart": (False, False, 0, 0.0, 2.0),
    "its processes are killed, with graceful restart": (False, False, 3, 2.0, 8.0),
    "nobody hears of it, with graceful restart, until its hold time of 3 s ends": (False, True, 3, 1.5, 12.0),
}


@pytest.mark.parametrize("death", DEATHS)
def test_downloads_survive_a_machine_that_dies(lab, start, death):
    link_goes_down, silent, restart_seconds, least, most = DEATHS[death]
    three = {name: start(fleet.settings(lab, name, graceful_restart=f"{restart_seconds}s",
                                        peers=fleet.peer(lab, name, hold_time="3s")), name)
             for name in ("lb1", "lb2", "lb3")}
    fleet.wait_for_hops(lab, *three)
    port = 24000 + 100 * list(DEATHS).index(death)
    with unbroken_traffic(lab, death, port), router.RouteWatch(lab, VIP) as watch:
        if silent:
            fleet.fall_silent(lab, "lb3")
        died = time.monotonic()
        fleet.kill_machine(lab, three["lb3"])
        if link_goes_down:
            fleet.link_down(lab, "lb3")
        gone = watch.wait_for(router.addresses(lab, "lb1", "lb2"))
    print(f"{death}: out of the router's route after {gone - died:.2f} s")
    assert least <= gone - died <= most
    fleet.repair_machine(lab, "lb3")
    start(three["lb3"].settings, "lb3")
    fleet.wait_for_hops(lab, *three)
