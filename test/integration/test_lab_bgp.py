"""The lab whose router learns the VIP by BGP, and what tests look at it with. Here gobgpd is told what
to announce by its own command: guidewayd forwards, and knows nothing of it."""
import signal
import time

import pytest

from support import bgp, fetch, gobgp, netns, process, router
from support.daemon import xdp_programs
from support.downloads import Downloads
from support.lab import VIP, Lab

LAB = {"bgp": True, "lbs": 3}
VIP_6 = "2001:db8:100::1"


@pytest.fixture(autouse=True)
def bare_speakers(lab):
    """Every test finds a router without a route, and speakers that know nothing."""
    yield
    for lb in lab.lbs:
        lab.stop_gobgpd(lb.name)
        lab.start_gobgpd(lb.name)
    router.wait_for_routes(lab, VIP, set())


def announce_from(lab, *names, **settings):
    """Speakers that listen, so that the router's next attempt is a session, and that announce the VIP.
    Returns the options that each was started with."""
    options = {}
    for name in names or [lb.name for lb in lab.lbs]:
        options[name] = gobgp.write_file(lab, name, listen=True, **settings)
        lab.stop_gobgpd(name)
        lab.start_gobgpd(name, *options[name])
        gobgp.announce(lab, name)
    router.wait_for_routes(lab, VIP, router.addresses(lab, *options))
    return options


def test_before_anybody_announces_there_is_no_route_and_no_session(lab):
    assert router.routes(lab, VIP) == set()
    assert len(router.sessions(lab)) == 6
    assert "Established" not in router.sessions(lab).values()


def test_speakers_told_by_command_become_next_hops_of_one_route_and_leave_it(lab):
    for lb in lab.lbs:
        gobgp.configure(lab, lb.name)
        gobgp.announce(lab, lb.name)
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    assert gobgp.neighbor(lab, "lb1")["state"]["session_state"] == 6  # established
    gobgp.withdraw(lab, "lb2")
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1", "lb3"))


def test_the_attributes_of_a_route_are_read_as_they_were_announced(lab):
    announce_from(lab, "lb1")
    gobgp.announce(lab, "lb1", "198.51.100.7/32", "med", 30, "community", "65535:0,64512:7",
                   "large-community", "64512:1:2", "origin", "igp")
    process.wait_until(lambda: router.bgp_routes(lab, "198.51.100.7/32"), "the route is learnt")
    assert router.bgp_routes(lab, "198.51.100.7/32") == [router.BgpRoute(
        prefix="198.51.100.7/32", session="lb1", next_hop=lab.lb("lb1").address, best=True,
        as_path=(bgp.LOAD_BALANCER_AS,), origin="IGP", local_pref=100, med=30,
        communities=((65535, 0), (64512, 7)), large_communities=((64512, 1, 2),))]


def test_a_load_balancer_with_a_higher_med_is_a_reserve(lab):
    announce_from(lab)
    gobgp.announce(lab, "lb3", f"{VIP}/32", "med", 10)
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb1", "lb2"))
    assert {route.session: route.med for route in router.bgp_routes(lab, f"{VIP}/32")} == {
        "lb1": None, "lb2": None, "lb3": 10}
    gobgp.withdraw(lab, "lb1")
    gobgp.withdraw(lab, "lb2")
    router.wait_for_routes(lab, VIP, router.addresses(lab, "lb3"))


def test_only_single_addresses_of_the_vip_range_are_accepted(lab):
    announce_from(lab, "lb1")
    for prefix in ("198.51.100.0/24", "198.51.100.8/31", "203.0.113.10/32", "0.0.0.0/0"):
        gobgp.announce(lab, "lb1", prefix)
    gobgp.announce(lab, "lb1", "198.51.100.9/32")  # behind them all
    process.wait_until(lambda: router.routes(lab, "198.51.100.9"), "the last one is learnt")
    assert {route.prefix for route in router.bgp_routes(lab)} == {f"{VIP}/32", "198.51.100.9/32"}


def test_the_router_exports_nothing_to_a_load_balancer(lab):
    announce_from(lab)
    for lb in lab.lbs:
        assert "Network not in table" in bgp.gobgp(lab, lb.name, "neighbor", lb.gateway, "adj-in")


def test_a_session_over_ipv6_carries_vips_of_both_families(lab):
    for lb in lab.lbs:
        lab.stop_gobgpd(lb.name)
        lab.start_gobgpd(lb.name, *gobgp.write_file(lab, lb.name, listen=True, over_ipv6=True))
        for words in ([f"{VIP}/32"], [f"{VIP_6}/128", "-a", "ipv6"]):
            bgp.gobgp(lab, lb.name, "global", "rib", "add", *words[:1], "nexthop",
                      bgp.lb_address_6(lb), *words[1:])
    hops = {bgp.lb_address_6(lb) for lb in lab.lbs}
    router.wait_for_routes(lab, VIP, hops)
    router.wait_for_routes(lab, VIP_6, hops)
    assert router.sessions(lab)["lb1_6"] == "Established" != router.sessions(lab)["lb1"]


def test_traffic_is_spread_over_all_load_balancers_that_announce(lab, start):
    daemons = [start(node=lb.name) for lb in lab.lbs]
    announce_from(lab)
    ports = range(20000, 20150)
    assert {page.status for page in fetch.fetch_all(lab, ports)} == {200}
    flows = [daemon.settle()["totals"]["flow_inserted"] for daemon in daemons]
    assert min(flows) > 10 and sum(flows) == len(ports)


def test_downloads_go_on_when_a_load_balancer_leaves_and_comes_back(lab, start):
    daemons = [start(node=lb.name) for lb in lab.lbs]
    announce_from(lab)
    with Downloads(lab, range(21000, 21030)) as running, router.RouteWatch(lab, VIP) as watch:
        gobgp.withdraw(lab, "lb1")
        watch.wait_for(router.addresses(lab, "lb2", "lb3"))
        running.wait_bytes(20_000)
        back = time.monotonic()
        gobgp.announce(lab, "lb1")
        watch.wait_for(router.addresses(lab), after=back)
        running.wait_bytes(20_000)
    assert running.broken() == []
    assert len(running.complete()) == 30 and running.bytes() >= 30 * 40_000
    assert set(running.by_backend()) == {"be1", "be2", "be3"}
    assert all(daemon.settle()["totals"]["transmitted"] for daemon in daemons)


def test_a_download_whose_backend_dies_is_told_from_those_that_go_on(lab, start):
    start(node="lb1")
    announce_from(lab, "lb1")
    try:
        with Downloads(lab, range(22000, 22030)) as running:
            process.end_all([lab.running("be2", "nginx")])
            process.wait_until(running.broken, "a download is broken")
            running.wait_bytes(20_000)
    finally:
        lab.start_web_server("be2")
    assert len(running.broken()) == running.by_backend()["be2"] > 0
    assert {one.backend for one in running.complete()} == {"be1", "be3"}


# ---- graceful restart ------------------------------------------------------------------------------


def test_a_killed_speaker_loses_its_route_at_once_without_graceful_restart(lab):
    announce_from(lab)
    with router.RouteWatch(lab, VIP) as watch:
        lab.stop_gobgpd("lb1", signal.SIGKILL)
        watch.wait_for(router.addresses(lab, "lb2", "lb3"))
    assert watch.hops_that_left() == router.addresses(lab, "lb1")


def test_a_killed_speaker_keeps_its_route_while_it_restarts_gracefully(lab):
    options = announce_from(lab, restart_seconds=60)
    with router.RouteWatch(lab, VIP) as watch:
        lab.stop_gobgpd("lb1", signal.SIGKILL)
        process.wait_until(lambda: router.sessions(lab)["lb1"] != "Established", "the session is down")
        with router.paused(lab, "bird"):  # the session is there when all is announced, not before
            lab.start_gobgpd("lb1", *options["lb1"], "--graceful-restart")
            gobgp.announce(lab, "lb1")
        router.wait_for_session(lab, "lb1")
        # What comes behind End-of-RIB has passed it.
        gobgp.announce(lab, "lb1", "198.51.100.9/32")
        process.wait_until(lambda: router.routes(lab, "198.51.100.9"), "the next route is learnt")
    assert watch.hops_that_left() == set(), watch.describe()


def test_a_speaker_that_does_not_come_back_loses_its_route_after_its_restart_time(lab):
    announce_from(lab, restart_seconds=3)
    with router.RouteWatch(lab, VIP) as watch:
        killed = time.monotonic()
        lab.stop_gobgpd("lb1", signal.SIGKILL)
        gone = watch.wait_for(router.addresses(lab, "lb2", "lb3"))
    assert gone - killed > 2.5, watch.describe()


def test_a_speaker_that_says_farewell_loses_its_route_though_it_could_restart_gracefully(lab):
    announce_from(lab, restart_seconds=60)
    with router.RouteWatch(lab, VIP) as watch:
        lab.stop_gobgpd("lb1", signal.SIGTERM)
        watch.wait_for(router.addresses(lab, "lb2", "lb3"), seconds=20)
    assert watch.hops_that_left() == router.addresses(lab, "lb1")


def test_a_speaker_that_falls_silent_loses_its_route_when_its_hold_time_is_over(lab):
    announce_from(lab, restart_seconds=60, hold_seconds=3)
    with router.RouteWatch(lab, VIP) as watch, router.paused(lab, "gobgpd", "lb1"):
        watch.wait_for(router.addresses(lab, "lb2", "lb3"))
    assert watch.hops_that_left() == router.addresses(lab, "lb1")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_router_that_is_started_again_learns_all_routes_anew(lab, number):
    announce_from(lab)
    with router.RouteWatch(lab, VIP) as watch:
        lab.stop_bird(number)
        # Killed, BIRD leaves its routes in the kernel until it starts.
        assert router.routes(lab, VIP) == (router.addresses(lab) if number == signal.SIGKILL else set())
        started = time.monotonic()
        lab.start_bird()
        watch.wait_for(set())
        watch.wait_for(router.addresses(lab), seconds=60, after=started)
    assert watch.was_without_route()


# ---- what the tests look with ----------------------------------------------------------------------


@pytest.mark.parametrize("prefix, hops", [
    ("192.0.2.7/32", ["10.77.1.2", "10.77.2.2"]),
    ("2001:db8:200::7/128", ["fd00:77:1::2", "fd00:77:2::2"])])
def test_the_watch_sees_a_route_that_is_gone_for_a_moment(lab, prefix, hops):
    one, other = hops
    both = f"route add {prefix} nexthop via {one} nexthop via {other}"
    lab.ip("router", both)
    with router.RouteWatch(lab, prefix) as watch:
        assert router.routes(lab, prefix) == set(hops)
        lab.ip("router", f"route del {prefix}", both, f"route replace {prefix} via {other}",
               f"route del {prefix}")
        begun = watch.changes[0].at
        watch.wait_for(set(), after=begun)
    assert [set(change.hops) for change in watch.changes] == [set(hops), set(), set(hops), {other}, set()]
    assert watch.hops_that_left() == set(hops) and watch.was_without_route()
    assert [change.at for change in watch.changes] == sorted(change.at for change in watch.changes)
    assert 0 < watch.seconds_missing(other) < time.monotonic() - begun


def test_only_the_links_of_load_balancers_have_ipv6(lab):
    for name in ("client", "be1"):
        assert netns.ip("-n", lab.ns(name), "-6", "address") == ""
    for lb in lab.lbs:
        assert bgp.lb_address_6(lb) in netns.ip("-n", lab.ns(lb.name), "-6", "address")


def test_down_ends_router_and_speakers_also_when_their_record_is_lost():
    one = Lab("gwt4", backends=1, lbs=1, bgp=True)
    with one.held():
        try:
            one.up()
            entries = [one.running("router", "bird"), one.running("lb1", "gobgpd")]
            assert all(process.alive(entry) for entry in entries)
            (one.folder / "state.json").unlink()
        finally:
            one.down()
        assert not any(process.alive(entry) for entry in entries)
        assert not one.folder.exists()


def test_a_stale_socket_of_a_killed_speaker_does_not_cost_its_successor_the_api(lab):
    lab.stop_gobgpd("lb1", signal.SIGKILL)
    assert bgp.gobgp_socket(lab, "lb1").exists()
    lab.start_gobgpd("lb1")
    gobgp.configure(lab, "lb1")
    assert gobgp.neighbor(lab, "lb1")["state"]["neighbor_address"] == lab.lb("lb1").gateway
    assert xdp_programs(lab) == {}
