"""What a router hears of the daemon's client of GoBGP: every attribute, both families, over a session
of either, and nothing of a restart of gobgpd. BIRD tells; the client is driven by itself."""
import json
import os
import pathlib
import re
import signal

import pytest

from support import bgp, netns, process, router
from support.lab import VIP

LAB = {"bgp": True, "lbs": 1}

PROGRAM = pathlib.Path(os.environ["GUIDEWAY_BIN"]) / "drive_speaker"
VIP_6 = "2001:db8:100::1"
MANY_ATTRIBUTES = {"med": 50, "prepend": 3, "communities": ["64512:100", "no-peer"],
                   "large_communities": ["64512:1:2", "4200000000:4294967295:0"]}


@pytest.fixture
def lb(lab):
    """The load balancer, with a gobgpd and a BIRD that know nothing of the test before."""
    lab.stop_gobgpd("lb1", signal.SIGTERM)  # with a farewell, so that BIRD keeps no route of it
    process.wait_until(lambda: router.bgp_routes(lab) == [], "BIRD has no route", 30)
    router.configure_bird(lab)
    lab.start_gobgpd("lb1")
    return lab.lb("lb1")


def wanted(lab, peers, routes, **settings):
    return json.dumps({"api": f"unix:{bgp.gobgp_socket(lab, 'lb1')}", "asn": bgp.LOAD_BALANCER_AS,
                       "router_id": lab.lb("lb1").address, "peers": peers, "routes": routes, **settings})


def drive(lab, peers, routes, **settings):
    """Has gobgpd so; returns what was done. A second call must find nothing to do."""
    text = wanted(lab, peers, routes, **settings)
    done = netns.run(PROGRAM, stdin=text)
    assert netns.run(PROGRAM, stdin=text) == ""
    return done.splitlines()


def peer_4(lab, **settings):
    return {"address": lab.lb("lb1").gateway, "asn": bgp.ROUTER_AS, **settings}


def peer_6(lab):
    return {"address": bgp.router_address_6(lab.lb("lb1")), "asn": bgp.ROUTER_AS}


def heard(lab, session, prefix):
    """The route that BIRD got by this session, as soon as it is there."""
    found = []

    def there():
        found[:] = [route for route in router.bgp_routes(lab) if (route.session, route.prefix)
                    == (session, prefix)]
        return found
    process.wait_until(there, f"BIRD has {prefix} from {session}:\n{router.bird(lab, 'show route all')}",
                       seconds=30)
    return found[0]


def check_attributes(route):
    assert route.origin == "IGP"
    assert route.as_path == (bgp.LOAD_BALANCER_AS,) * 4
    assert route.med == 50
    assert set(route.communities) == {(64512, 100), (65535, 65284)}
    assert set(route.large_communities) == {(64512, 1, 2), (4200000000, 4294967295, 0)}


# The example has no IPv6 on a session over IPv4.
BOTH_FAMILIES = (r"^template bgp load_balancer from load_balancer_session \{\n",
                 "template bgp load_balancer from load_balancer_session {\n"
                 "\tipv6 { import filter vips_6; export none; };\n")


def test_all_attributes_of_both_families_arrive_over_a_session_of_ipv4(lab, lb):
    router.configure_bird(lab, BOTH_FAMILIES)
    drive(lab, [peer_4(lab)],
          [{"prefix": f"{VIP}/32", **MANY_ATTRIBUTES},
           {"prefix": f"{VIP_6}/128", "next_hop": bgp.lb_address_6(lb), **MANY_ATTRIBUTES}])
    route = heard(lab, "lb1", f"{VIP}/32")
    check_attributes(route)
    assert route.next_hop == lb.address  # none was given: the session's own
    route = heard(lab, "lb1", f"{VIP_6}/128")
    check_attributes(route)
    assert route.next_hop == bgp.lb_address_6(lb)


def test_a_route_of_ipv6_without_a_next_hop_is_refused_by_the_router_on_a_session_of_ipv4(lab, lb):
    router.configure_bird(lab, BOTH_FAMILIES)
    drive(lab, [peer_4(lab)], [{"prefix": f"{VIP}/32"}, {"prefix": f"{VIP_6}/128"}])
    heard(lab, "lb1", f"{VIP}/32")
    log = lab.node_folder("router") / "bird.log"
    process.wait_until(lambda: f"Invalid route {VIP_6}/128 withdrawn" in log.read_text(), "BIRD refuses it")
    assert router.bgp_routes(lab, f"{VIP_6}/128") == []


def test_all_attributes_of_both_families_arrive_over_a_session_of_ipv6(lab, lb):
    drive(lab, [peer_6(lab)], [{"prefix": f"{VIP}/32", **MANY_ATTRIBUTES},
                               {"prefix": f"{VIP_6}/128", **MANY_ATTRIBUTES}])
    for prefix in (f"{VIP}/32", f"{VIP_6}/128"):
        route = heard(lab, "lb1_6", prefix)
        check_attributes(route)
        assert route.next_hop == bgp.lb_address_6(lb)


def test_a_plain_route_has_a_path_of_one_and_a_next_hop_that_was_given(lab, lb):
    drive(lab, [peer_4(lab)], [{"prefix": f"{VIP}/32", "next_hop": lb.gateway.rsplit(".", 1)[0] + ".9"}])
    route = heard(lab, "lb1", f"{VIP}/32")
    assert route.next_hop.endswith(".9")
    assert route.as_path == (bgp.LOAD_BALANCER_AS,)
    assert (route.med, route.communities, route.large_communities) == (None, (), ())


def test_changed_attributes_and_a_withdrawal_arrive(lab, lb):
    drive(lab, [peer_4(lab)], [{"prefix": f"{VIP}/32", "med": 50}])
    assert heard(lab, "lb1", f"{VIP}/32").med == 50
    assert drive(lab, [peer_4(lab)], [{"prefix": f"{VIP}/32", "med": 150, "prepend": 2}]) == [
        f"changed {VIP}/32, med 150, prepend 2"]
    process.wait_until(lambda: heard(lab, "lb1", f"{VIP}/32").med == 150, "the new MED arrives")
    assert heard(lab, "lb1", f"{VIP}/32").as_path == (bgp.LOAD_BALANCER_AS,) * 3
    assert drive(lab, [peer_4(lab)], []) == [f"deleted {VIP}/32, which nobody wants"]
    router.wait_for_routes(lab, VIP, set())


def test_the_local_preference_arrives_over_ibgp(lab, lb):
    router.configure_bird(lab, (r"^define ROUTER_AS = .*$", f"define ROUTER_AS = {bgp.LOAD_BALANCER_AS};"))
    drive(lab, [peer_4(lab, asn=bgp.LOAD_BALANCER_AS)],
          [{"prefix": f"{VIP}/32", "local_preference": 200, "med": 7}])
    route = heard(lab, "lb1", f"{VIP}/32")
    assert (route.local_pref, route.med, route.as_path) == (200, 7, ())
    assert route.next_hop == lb.address


def test_the_session_is_told_as_it_is(lab, lb):
    peers, routes = [peer_4(lab)], [{"prefix": f"{VIP}/32"}]
    drive(lab, peers, routes)
    heard(lab, "lb1", f"{VIP}/32")
    session, = json.loads(netns.run(PROGRAM, "--sessions", stdin=wanted(lab, peers, routes)))
    age_s = session.pop("state_for_s")
    assert 0 <= age_s < 60
    assert session.pop("updates_sent") >= 1
    assert session == {"peer": lb.gateway, "asn": bgp.ROUTER_AS, "state": "established", "hold_time_s": 9,
                       "graceful_restart": True}
    lab.stop_bird(signal.SIGTERM)
    try:
        process.wait_until(
            lambda: json.loads(netns.run(PROGRAM, "--sessions", stdin=wanted(lab, peers, routes)))[0]["state"]
            != "established", "the session is lost")
    finally:
        lab.start_bird()


def test_a_password_comes_and_goes(lab, lb):
    password = (r"^\t# password \"secret\";$", '\tpassword "secret";')
    router.configure_bird(lab, password)
    drive(lab, [peer_4(lab, password="secret")], [{"prefix": f"{VIP}/32"}])
    heard(lab, "lb1", f"{VIP}/32")
    assert drive(lab, [peer_4(lab)], [{"prefix": f"{VIP}/32"}]) == [
        f"peer {lb.gateway}: changed (password)"]
    router.configure_bird(lab)
    router.wait_for_session(lab, "lb1", "Established")
    heard(lab, "lb1", f"{VIP}/32")


def test_the_router_keeps_a_route_while_gobgpd_is_killed_and_started_again(lab, lb):
    peers, routes = [peer_4(lab, hold_time=9)], [{"prefix": f"{VIP}/32", "med": 5}]
    drive(lab, peers, routes, graceful_restart=30)
    heard(lab, "lb1", f"{VIP}/32")
    router.wait_for_routes(lab, VIP, {lb.address})
    with router.RouteWatch(lab, VIP) as watch:
        lab.stop_gobgpd("lb1", signal.SIGKILL)
        process.wait_until(lambda: router.sessions(lab)["lb1"] != "Established", "the session is lost")
        lab.start_gobgpd("lb1")
        done = drive(lab, peers, routes, graceful_restart=30)
        assert re.match(r"started BGP as AS 64512, ", done[0])
        router.wait_for_session(lab, "lb1")
        # The end of what the router hears again: it forgets what it was not told.
        process.wait_until(lambda: sent_updates(lab) > 0, "gobgpd has sent its routes", seconds=30)
        assert heard(lab, "lb1", f"{VIP}/32").med == 5
    assert watch.hops_that_left() == set()


def sent_updates(lab):
    known = json.loads(bgp.gobgp(lab, "lb1", "--json", "neighbor", lab.lb("lb1").gateway))
    return known["state"]["messages"]["sent"].get("update", 0)
