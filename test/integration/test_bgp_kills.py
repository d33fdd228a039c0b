"""What guidewayd works with is killed under traffic: gobgpd, and the router's BIRD. What recovers by
itself, how fast, and what was lost: pytest -s has the numbers."""
import signal
import time

import pytest

from support import announced, bgp, process, router
from support.announced import told, wait_established, wait_told
from support.fleet import measure_absence, settings, start_fleet
from support.lab import VIP
from support.load import Fresh, Load, led_to, measured

LAB = {"bgp": True, "lbs": 2, "backends": 2}
PREFIX = f"{VIP}/32"
ASKED_FOR = "asked for: within 5 s"
KEPT = "60s"  # for so long the router keeps routes of a gobgpd that is gone: longer than any test


@pytest.fixture(autouse=True)
def all_run(lab):
    """Also behind a test that failed, the next one finds a BIRD, and a gobgpd on each load balancer."""
    yield
    announced.start_missing(lab)


# ---- gobgpd ----------------------------------------------------------------------------------------


def test_gobgpd_killed_with_graceful_restart_gets_all_back_and_the_router_never_loses_the_route(lab, start):
    daemon = start_fleet(lab, start, graceful_restart=KEPT)["lb1"]
    before = told(daemon)
    assert before["sessions"][0]["graceful_restart"] is True
    with router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        lab.stop_gobgpd("lb1", signal.SIGKILL)
        lost = wait_told(daemon, lambda now: now["contact"] == "lost", "the loss is told")
        assert bgp.gobgp_socket(lab, "lb1").name in lost["error"] and not lost["in_step"]
        assert not announced.route_told(daemon)["held"]
        assert [session["state"] for session in lost["sessions"]] == ["unknown"]
        assert announced.waits_for_restart(lab)
        lab.start_gobgpd("lb1")
        up = time.monotonic()
        announced.wait_paths(lab, "lb1", PREFIX, seconds=30)
        measured(f"gobgpd killed: it holds the routes again, after it was up ({ASKED_FOR}), in",
                 time.monotonic() - up)
        wait_established(daemon)
        measured("gobgpd killed: its session is up again after", time.monotonic() - up)
        process.wait_until(lambda: not announced.waits_for_restart(lab), "the router has heard all", 30)
        measured("gobgpd killed: the router has heard its routes again after", time.monotonic() - up)
    assert watch.hops_that_left() == set(), watch.describe()
    load.tell()
    load.assert_whole()
    after = wait_told(daemon, lambda now: now["in_step"], "all is as wanted")
    assert (after["starts"], after["corrected"]) == (before["starts"] + 1, before["corrected"])


def test_gobgpd_killed_without_graceful_restart_leaves_the_route_and_comes_back(lab, start):
    daemon = start_fleet(lab, start, graceful_restart="0s")["lb1"]
    assert told(daemon)["sessions"][0]["graceful_restart"] is False
    with router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        killed = time.monotonic()
        lab.stop_gobgpd("lb1", signal.SIGKILL)
        watch.wait_for(router.addresses(lab, "lb2"))
        lab.start_gobgpd("lb1")
        measure_absence(lab, watch, "gobgpd killed, no graceful restart", killed)
    load.tell()
    load.assert_whole()


def test_gobgpd_stopped_by_sigterm_leaves_the_route_and_comes_back(lab, start):
    start_fleet(lab, start, graceful_restart=KEPT)
    with router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        ended = time.monotonic()
        lab.stop_gobgpd("lb1", signal.SIGTERM)
        watch.wait_for(router.addresses(lab, "lb2"))
        lab.start_gobgpd("lb1")
        measure_absence(lab, watch, "gobgpd stopped by SIGTERM", ended)
        announced.wait_paths(lab, "lb1", PREFIX)
    load.tell()
    load.assert_whole()


def test_without_gobgpd_a_daemon_forwards_and_says_so_and_announces_once_there_is_one(lab, start):
    lab.stop_gobgpd("lb1")
    daemon = start(settings(lab))
    now = wait_told(daemon, lambda now: now["failures"] > 1, "it tries again")
    assert (now["contact"], now["in_step"], now["speaker"]) == ("none yet", False, "")
    assert str(bgp.gobgp_socket(lab, "lb1")) in now["error"]
    route = announced.route_told(daemon)
    assert (route["state"], route["held"]) == ("announced", False)
    in_words = daemon.client("bgp")
    assert in_words.returncode == 1 and "nobody answers" in in_words.stderr, in_words
    assert PREFIX in in_words.stdout and lab.lb("lb1").gateway in in_words.stdout, in_words
    in_words = daemon.client("status")
    assert in_words.returncode == 0 and "nobody answers" in in_words.stdout, in_words
    assert daemon.log().count("tried again each second") == 1
    with led_to(lab, "lb1") as ports, Fresh(lab, ports=ports) as fresh:
        process.wait_until(lambda: fresh.answered >= 20 or fresh.failures, "it forwards", 30)
        up = time.monotonic()
        lab.start_gobgpd("lb1")
        announced.wait_paths(lab, "lb1", PREFIX, seconds=30)
        measured(f"gobgpd comes late: it holds the routes ({ASKED_FOR}) after", time.monotonic() - up)
        router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1"))
        measured("gobgpd comes late: the router has the route after", time.monotonic() - up)
    assert fresh.failures == []
    now = wait_told(daemon, lambda now: now["in_step"], "all is as wanted")
    assert (now["contact"], now["error"], now["starts"]) == ("reached", "", 1)


# ---- the router --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_the_routers_bird_started_again_has_all_sessions_and_routes_back(lab, start, number):
    daemon = start_fleet(lab, start)["lb1"]
    corrected = told(daemon)["corrected"]
    with router.RouteWatch(lab, VIP) as watch, Load(lab) as load:
        lab.stop_bird(number)
        wait_told(daemon, lambda now: now["sessions"][0]["state"] != "established", "the loss is told")
        assert told(daemon)["in_step"], "what gobgpd holds is as wanted"
        lab.start_bird()
        up = time.monotonic()
        back = watch.wait_for(router.addresses(lab), after=up)
        wait_established(daemon)
    measured(f"BIRD ended by {signal.Signals(number).name}: both load balancers are on its route again, "
             "after it was up, in", back - up)
    measured("the router had no route at all for", seconds_without(watch))
    load.tell()
    assert load.downloads.broken() == []
    assert load.fresh.failed_after(back) == []
    assert told(daemon)["corrected"] == corrected


def seconds_without(watch):
    changes = watch.changes
    return sum(after.at - before.at for before, after in zip(changes, changes[1:]) if not before.hops)
