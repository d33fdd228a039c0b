"""Whether a VIP is announced follows from how its services are: from checks, from drains, from next
hops; withdrawn at once, and back by the rules of damping. Seen in the table of the router."""
import contextlib
import time

import pytest

from support import announced, fetch, fleet, process, router, servers
from support.lab import VIP

LAB = {"bgp": True, "lbs": 1}
WEB_CHECK, API_CHECK = 8081, 8082  # where tests have servers of their own for checks
INTERVAL_SECONDS, FALL = 0.3, 3
# What the health check takes to find a failure (a probe that has just succeeded, FALL that do not, 10 %
# of jitter), and a second more: no later the route is to be gone.
ASKED_FOR_SECONDS = FALL * INTERVAL_SECONDS * 1.1 + INTERVAL_SECONDS + 1
NOWHERE = "10.77.1.77"  # on the link, and nobody's


def http_check(port, fall=FALL, path="/", seconds=INTERVAL_SECONDS):
    interval = f"{seconds * 1000:.0f}ms"
    return {"type": "http", "port": port, "path": path, "interval": interval, "timeout": interval,
            "rise": 1, "fall": fall}


def damping(first, most="20s", window="5m"):
    return {"first": first, "most": most, "window": window}


def checked(lab, check, first="1s", pool=None, **changes):
    settings = fleet.settings(lab, "lb1", damping=damping(first), **changes)
    settings["pools"][0].update({"checks": [check], **(pool or {})})
    return settings


class Wellness:
    """What the servers for checks answer: `of[name, port]` is whether that backend is well there."""

    def __init__(self, lab, stack):
        self.of = {(backend.name, port): True
                   for backend in lab.backends for port in (WEB_CHECK, API_CHECK)}
        for key in self.of:
            stack.enter_context(servers.HttpServer(lab, *key, lambda key=key: (200 if self.of[key] else 503, b"")))

    def set(self, well, *names, port=WEB_CHECK):
        """Of the backends named, or of all; returns when that was."""
        for key in self.of:
            if key[1] == port and (not names or key[0] in names):
                self.of[key] = well
        return time.monotonic()


@pytest.fixture
def wellness(lab):
    with contextlib.ExitStack() as stack:
        yield Wellness(lab, stack)


@pytest.fixture
def announcing(lab, start):
    """Starts lb1 with these settings and waits until the router sends to it: the daemon, and a watch
    over the router's route from then on."""
    with contextlib.ExitStack() as stack:
        def begin(settings):
            daemon = start(settings)
            fleet.wait_for_hops(lab, "lb1")
            return daemon, stack.enter_context(router.RouteWatch(lab, VIP))
        yield begin


def here(lab):
    return router.addresses(lab, "lb1")


def wait_gone(watch, since):
    """After how many seconds the route was gone."""
    return watch.wait_for(set(), after=since) - since


def wait_back(lab, watch, since):
    """After how many seconds the route was there again."""
    return watch.wait_for(here(lab), after=since) - since


def wait_health(daemon, health):
    process.wait_until(lambda: {one["health"] for one in daemon.backends().values()} == {health},
                       f"all backends are {health}", 30)


def test_with_the_last_web_server_the_route_goes_and_with_the_first_it_comes_back(lab, announcing):
    daemon, watch = announcing(checked(lab, http_check(80)))
    with servers.killed_web_server(lab, "be1"), servers.killed_web_server(lab, "be3"):
        for name in ("be1", "be3"):
            daemon.wait_backend(name, health="down")
        assert watch.changes[-1].hops == here(lab)
        killed = time.monotonic()
        with servers.killed_web_server(lab, "be2"):
            print(f"all backends dead: route gone after {wait_gone(watch, killed):.2f} s (asked for: "
                  f"{ASKED_FOR_SECONDS:.2f} s)")
            route = announced.wait_route(daemon, held=False)
            assert (route["state"], route["withdrawals"]) == ("withdrawn", 1)
            assert route["why"].endswith("0 of 3 backends usable, 1 needed")
            started = time.monotonic()
        back = wait_back(lab, watch, started)
        print(f"a backend is back: route back after {back:.2f} s (damping.first 1 s)")
        assert back >= 1
        assert {fetch.backend_of(page) for page in fetch.fetch_all(lab, range(20000, 20020))} == {"be2"}
        assert announced.wait_route(daemon, held=True)["why"] == ""
    wait_health(daemon, "up")


def test_a_pool_that_was_never_well_is_announced_without_delay_when_it_is(lab, start, wellness):
    wellness.set(False)
    with router.RouteWatch(lab, VIP) as watch:
        daemon = start(checked(lab, http_check(WEB_CHECK), first="20s"))
        wait_health(daemon, "down")
        route = announced.route_told(daemon)
        assert (route["state"], route["held"], route["withdrawals"]) == ("withdrawn", False, 0)
        assert watch.changes[-1].hops == set()
        good = wellness.set(True)
        print(f"well for the first time: announced after {wait_back(lab, watch, good):.2f} s")
        assert len(watch.changes) == 2


def test_with_two_of_three_needed_the_second_failure_takes_the_route_away(lab, announcing, wellness):
    daemon, watch = announcing(checked(lab, http_check(WEB_CHECK), "300ms", {"min_healthy": 2}))
    wellness.set(False, "be1")
    daemon.wait_backend("be1", health="down")
    assert announced.route_told(daemon)["state"] == "announced"
    second = wellness.set(False, "be3")
    print(f"min_healthy 2: route gone {wait_gone(watch, second):.2f} s after the second of three failed")
    route = announced.wait_route(daemon, state="withdrawn")
    assert route["why"].endswith("1 of 3 backends usable, 2 needed")
    wait_back(lab, watch, wellness.set(True, "be1"))
    assert len(watch.changes) == 3


def test_with_none_needed_the_route_stays_without_a_backend(lab, announcing, wellness):
    daemon, watch = announcing(checked(lab, http_check(WEB_CHECK), pool={"min_healthy": 0}))
    wellness.set(False)
    wait_health(daemon, "down")
    assert announced.route_told(daemon)["state"] == "announced"
    wellness.set(True)
    wait_health(daemon, "up")
    assert len(watch.changes) == 1


def test_on_empty_all_sends_packets_but_is_no_reason_to_announce(lab, announcing, wellness):
    daemon, watch = announcing(checked(lab, http_check(WEB_CHECK), "300ms", {"on_empty": "all"}))
    down = wellness.set(False)
    wait_gone(watch, down)
    assert announced.wait_route(daemon, state="withdrawn")["why"].endswith("0 of 3 backends usable, 1 needed")
    wait_back(lab, watch, wellness.set(True))


def test_a_pool_that_flaps_does_not_flap_the_route(lab, announcing, wellness):
    """It has to be well for 20 s, and is never for more than a moment, eight times. A reload that asks
    for less has the route back."""
    check = http_check(WEB_CHECK, fall=1, seconds=0.2)
    daemon, watch = announcing(checked(lab, check, "20s"))
    for _ in range(8):
        wellness.set(False)
        wait_health(daemon, "down")
        wellness.set(True)
        wait_health(daemon, "up")
    route = announced.wait_route(daemon, state="damped", withdrawals=1)
    assert 0 < route["damped_for_seconds"] <= 20 and "not for long enough" in route["why"]
    assert [change.hops for change in watch.changes] == [here(lab), set()]
    asked = time.monotonic()
    daemon.reload(checked(lab, check, "100ms"))
    print(f"8 flaps, one withdrawal; back {wait_back(lab, watch, asked):.2f} s after a reload with a "
          "shorter damping.first")
    assert [change.hops for change in watch.changes] == [here(lab), set(), here(lab)]


def test_each_withdrawal_more_doubles_the_time_until_the_route_is_back(lab, announcing, wellness):
    daemon, watch = announcing(checked(lab, http_check(WEB_CHECK, fall=1, seconds=0.2), "400ms"))
    for number, least in enumerate((0.4, 0.8, 1.6), 1):
        wait_gone(watch, wellness.set(False))
        wait_health(daemon, "down")
        back = wait_back(lab, watch, wellness.set(True))
        print(f"withdrawal {number}: back after {back:.2f} s ({least} s of damping)")
        assert back >= least
        assert announced.route_told(daemon)["withdrawals"] == number


def test_with_announce_all_one_service_takes_the_vip_away_and_with_any_it_does_not(lab, announcing, wellness):
    settings = checked(lab, http_check(WEB_CHECK), "300ms", announce="all")
    settings["pools"].append({**settings["pools"][0], "name": "api", "checks": [http_check(API_CHECK)]})
    settings["services"].append({"name": "api", "vip": VIP, "ports": ["tcp/8080"], "pool": "api"})
    daemon, watch = announcing(settings)
    print(f"announce all: route gone {wait_gone(watch, wellness.set(False, port=API_CHECK)):.2f} s "
          "after one of two services failed")
    route = announced.wait_route(daemon, state="withdrawn")
    assert len(route["services"]) == 2 and route["why"].startswith("api: pool api: 0 of 3")
    settings["bgp"]["announce"] = "any"
    changed = time.monotonic()
    daemon.reload(settings)
    wait_back(lab, watch, changed)
    assert fetch.fetch(lab).status == 200
    route = announced.wait_route(daemon, state="announced")
    assert route["why"].startswith("api: pool api: 0 of 3")  # it says so all the same
    wait_gone(watch, wellness.set(False, port=WEB_CHECK))
    wait_back(lab, watch, wellness.set(True, port=API_CHECK))
    wellness.set(True)


def test_a_drain_of_all_backends_withdraws_the_route(lab, announcing):
    daemon, watch = announcing(fleet.settings(lab, "lb1", damping=damping("500ms")))
    session = fetch.Session(lab, 21000)
    kept = session.request().body
    for backend in lab.backends:
        assert watch.changes[-1].hops == here(lab)
        asked = time.monotonic()
        assert daemon.client("drain", backend.address).returncode == 0
    print(f"the last backend is drained: route gone after {wait_gone(watch, asked):.3f} s")
    assert announced.wait_route(daemon, state="withdrawn")["why"].endswith("0 of 3 backends usable, 1 needed")
    asked = time.monotonic()
    assert daemon.client("undrain", lab.backends[0].address).returncode == 0
    back = wait_back(lab, watch, asked)
    print(f"one is taken back: route back after {back:.3f} s (damping.first 0.5 s)")
    assert back >= 0.5 and len(watch.changes) == 3
    assert session.request(close=True).body == kept
    fetch.close_all(lab, [session])


@pytest.mark.parametrize("how", ["unreachable {}/32", f"{{}}/32 via {NOWHERE}"])
def test_without_a_next_hop_to_any_backend_the_route_goes_and_it_comes_back_with_one(lab, announcing, how):
    daemon, watch = announcing(fleet.settings(lab, "lb1", damping=damping("500ms")))
    routes = [how.format(backend.address) for backend in lab.backends]
    lost = time.monotonic()
    lab.ip("lb1", *(f"route add {route}" for route in routes))
    try:
        print(f"{how}: route gone {wait_gone(watch, lost):.2f} s after all next hops were lost")
        route = announced.wait_route(daemon, state="withdrawn")
        assert route["why"].endswith("0 of 3 backends usable, 1 needed (3 without a next hop)")
    finally:
        found = time.monotonic()
        lab.ip("lb1", *(f"route delete {route}" for route in routes))
    back = wait_back(lab, watch, found)
    print(f"{how}: back after {back:.2f} s (damping.first 0.5 s)")
    assert back >= 0.5 and len(watch.changes) == 3
    daemon.wait_resolved()
