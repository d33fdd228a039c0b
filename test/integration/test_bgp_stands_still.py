"""gobgpd stands still (SIGSTOP): its sessions last for the hold time, and nobody answers guidewayd.
pytest -s has the numbers."""
import signal
import time

from support import announced, router
from support.announced import stopped_gobgpd, told, wait_calls, wait_told
from support.fleet import measure_absence, settings, start_fleet
from support.lab import VIP
from support.load import Load, measured

LAB = {"bgp": True, "lbs": 2, "backends": 2}


def test_gobgpd_that_stands_still_for_less_than_the_hold_time_costs_nothing(lab, start):
    daemon = start_fleet(lab, start)["lb1"]
    before = wait_calls(daemon, 1)
    with router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        begun = time.monotonic()
        with stopped_gobgpd(lab, "lb1"):
            lost = wait_told(daemon, lambda now: now["contact"] == "lost", "the loss is told")
            measured("gobgpd stands still: told after", time.monotonic() - begun)
            assert lost["error"] and not lost["in_step"]
        wait_told(daemon, lambda now: now["contact"] == "reached" and now["in_step"], "it is back")
        wait_calls(daemon, 1)
    assert watch.hops_that_left() == set(), watch.describe()
    load.assert_whole()
    after = told(daemon)
    assert after["sessions"][0]["flaps"] == before["sessions"][0]["flaps"]
    assert after["added"] == before["added"], "the path that it had was left alone"


def test_gobgpd_that_stands_still_for_longer_than_the_hold_time_is_off_the_route_until_it_goes_on(lab, start):
    start_fleet(lab, start, graceful_restart="0s", hold_time="3s")
    with router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        stopped = time.monotonic()
        with stopped_gobgpd(lab, "lb1"):
            watch.wait_for(router.addresses(lab, "lb2"))
        measure_absence(lab, watch, "gobgpd stands still, hold time 3 s", stopped)
    load.tell()
    load.assert_whole()


def test_sigterm_while_gobgpd_stands_still_ends_all_the_same(lab, start):
    daemon = start(settings(lab))
    wait_calls(daemon)
    with stopped_gobgpd(lab, "lb1"):
        asked = time.monotonic()
        daemon.child.send_signal(signal.SIGTERM)
        assert daemon.wait(15) == 0, daemon.log()
        measured("SIGTERM while gobgpd stands still: ended after", time.monotonic() - asked)
    assert "has not taken what was wanted" in daemon.log()
    assert announced.withdraw(lab, "lb1", daemon.config_path).returncode == 0
    router.wait_for_routes(lab, VIP, set())
