"""A pair of load balancers without a protocol of its own: one active, one passive, and the router
takes the better route. What it sees of a role, and how the pair changes places."""
import time

import pytest

from support import announced, bgp, fleet, process, router
from support.downloads import PIECE, unbroken_downloads
from support.lab import VIP
from support.reload import ask

LAB = {"bgp": True, "lbs": 2}
COMMUNITIES = ["64512:100", "no-export", "64512:1:2"]
SEEN_COMMUNITIES = ((64512, 100), (65535, 65281))


def settings(lab, node, role, **changes):
    return fleet.settings(lab, node, role=role, **{"med": 50, "communities": COMMUNITIES,
                                                   "passive": {"med": 150, "prepend": 3}, **changes})


@pytest.fixture
def pair(lab, start):
    """lb1 is active and lb2 passive, as their files say; the router has both, and uses lb1."""
    daemons = (start(settings(lab, "lb1", "active"), "lb1"), start(settings(lab, "lb2", "passive"), "lb2"))
    wait_seen(lab, {"lb1", "lb2"})
    fleet.wait_for_hops(lab, "lb1")
    return daemons


def seen(lab):
    """The router's routes to the VIP over the sessions over IPv4, by load balancer."""
    return {route.session: route for route in router.bgp_routes(lab, f"{VIP}/32")}


def wait_seen(lab, names):
    process.wait_until(lambda: set(seen(lab)) == names, f"the router has routes of {names}", 30)


def wait_med(lab, **wanted):
    """Until the router's routes have these MEDs, by load balancer."""
    process.wait_until(lambda: {name: route.med for name, route in seen(lab).items()} == wanted,
                       f"MEDs {wanted}", 30)


def test_the_router_sees_what_each_role_announces_and_uses_the_active_one(lab, pair):
    active, passive = seen(lab)["lb1"], seen(lab)["lb2"]
    assert (active.best, active.med, active.as_path) == (True, 50, (64512,))
    assert (passive.best, passive.med, passive.as_path) == (False, 150, (64512,) * 4)
    for route in (active, passive):
        assert route.communities == SEEN_COMMUNITIES and route.large_communities == ((64512, 1, 2),)
        assert route.local_pref in (None, 100) and route.next_hop == lab.lb(route.session).address
    assert router.routes(lab, VIP) == router.addresses(lab, "lb1")
    texts = [announced.route_told(daemon)["attributes"] for daemon in pair]
    assert texts[0].startswith("med 50") and "med 150" in texts[1]


def test_the_med_alone_makes_one_passive(lab, start):
    for node, role in (("lb1", "passive"), ("lb2", "active")):
        start(settings(lab, node, role, passive={"prepend": 0}), node)
    wait_med(lab, lb1=150, lb2=50)
    assert seen(lab)["lb1"].as_path == (64512,)
    fleet.wait_for_hops(lab, "lb2")


def test_roles_are_switched_and_no_download_is_broken(lab, pair):
    """The passive one first: so there is an active one all the time."""
    with unbroken_downloads(lab, "switch of roles", 20000) as running, router.RouteWatch(lab, VIP) as watch:
        asked = time.monotonic()
        fleet.set_role(pair[1], "active")
        both = watch.wait_for(router.addresses(lab))
        fleet.set_role(pair[0], "passive")
        alone = watch.wait_for(router.addresses(lab, "lb2"))
        running.wait_bytes(PIECE)
    print(f"role active on lb2: used after {both - asked:.3f} s; then passive on lb1: alone after "
          f"{alone - both:.3f} s")
    assert not watch.was_without_route()
    assert [daemon.settle()["bgp"]["role_by_operator"] for daemon in pair] == [True, True]


def test_the_passive_one_takes_over_when_the_active_machine_dies(lab, start, pair):
    with fleet.repaired_in_the_end(lab, "lb1"), unbroken_downloads(lab, "the active one dies", 21000), \
            router.RouteWatch(lab, VIP) as watch:
        died = time.monotonic()
        fleet.kill_machine(lab, pair[0])
        taken = watch.wait_for(router.addresses(lab, "lb2"))
    print(f"the active one dies: the passive one has the route after {taken - died:.3f} s")
    assert not watch.was_without_route()
    start(pair[0].settings, "lb1")
    fleet.wait_for_hops(lab, "lb1")


def test_a_drained_active_one_leaves_all_to_the_passive_one(lab, pair):
    fleet.set_role(pair[0], "drain")
    wait_seen(lab, {"lb2"})
    fleet.wait_for_hops(lab, "lb2")
    route = announced.route_told(pair[0])
    assert (route["state"], route["why"], route["held"]) == ("withdrawn", "role drain", False)
    fleet.set_role(pair[0], "active")
    fleet.wait_for_hops(lab, "lb1")
    assert announced.route_told(pair[0])["withdrawals"] == 0  # an operator's are not damped


def test_a_role_outlives_reloads_until_the_file_has_another(lab, pair):
    daemon = pair[0]
    fleet.set_role(daemon, "passive")
    wait_med(lab, lb1=150, lb2=150)
    same = settings(lab, "lb1", "active", passive={"med": 160})
    daemon.reload(same)
    wait_med(lab, lb1=160, lb2=150)
    status = announced.told(daemon)
    assert (status["role"], status["role_by_operator"]) == ("passive", True)
    daemon.reload(settings(lab, "lb1", "drain"))
    wait_seen(lab, {"lb2"})
    daemon.reload(settings(lab, "lb1", "active"))
    wait_med(lab, lb1=50, lb2=150)
    status = announced.told(daemon)
    assert (status["role"], status["role_by_operator"]) == ("active", False)


def test_a_role_does_not_outlive_the_daemon(lab, start, pair):
    fleet.set_role(pair[0], "drain")
    wait_seen(lab, {"lb2"})
    assert pair[0].stop() == 0
    pair[0].start().wait_ready().wait_resolved()
    wait_med(lab, lb1=50, lb2=150)


def test_the_role_is_shown_and_a_switch_says_whether_it_changed_anything(pair):
    assert [daemon.client("role").stdout for daemon in pair] == ["active\n", "passive\n"]
    assert fleet.set_role(pair[0], "drain") == "role: drain from now on\n"
    assert fleet.set_role(pair[0], "drain") == "role: was drain already\n"
    assert pair[0].client("role").stdout == "drain\n"
    assert ask(pair[0], "POST", "/v1/role/drain").body == {"role": "drain", "changed": False}
    assert ask(pair[0], "POST", "/v1/role/active").body == {"role": "active", "changed": True}


def test_a_role_that_is_none_is_refused_with_the_words_that_are(pair):
    done = pair[0].client("role", "pasive")
    assert done.returncode == 2 and "did you mean passive?" in done.stderr
    done = pair[0].client("role", "nonsense")
    assert done.returncode == 2 and "active, passive and drain" in done.stderr
    answer = ask(pair[0], "POST", "/v1/role/nonsense")
    assert answer.status == 404 and "active, passive or drain" in answer.body["error"]
    assert announced.told(pair[0])["role"] == "active"


def test_without_a_bgp_section_there_is_no_role(start):
    daemon = start()
    assert ask(daemon, "POST", "/v1/role/passive").status == 409
    assert ask(daemon, "GET", "/v1/bgp").status == 404
    for words in (("role", "passive"), ("role",), ("bgp",)):
        done = daemon.client(*words)
        assert done.returncode != 0 and "bgp" in done.stderr, words
    assert daemon.status()["bgp"] is None


@pytest.fixture
def internal(lab):
    """The router takes the load balancers for neighbours of its own AS: the sessions are iBGP."""
    as_own = (r"^define LOAD_BALANCER_AS = .*$", f"define LOAD_BALANCER_AS = {bgp.ROUTER_AS};")
    with router.changed_bird(lab, as_own):
        yield lambda node, role: settings(lab, node, role, local_asn=bgp.ROUTER_AS, local_preference=200,
                                          passive={"local_preference": 60})


def test_over_ibgp_the_local_preference_decides(lab, start, internal):
    daemons = [start(internal("lb1", "active"), "lb1"), start(internal("lb2", "passive"), "lb2")]
    wait_seen(lab, {"lb1", "lb2"})
    assert {name: (route.local_pref, route.as_path) for name, route in seen(lab).items()} == {
        "lb1": (200, ()), "lb2": (60, ())}
    fleet.wait_for_hops(lab, "lb1")
    with router.RouteWatch(lab, VIP) as watch:
        fleet.set_role(daemons[1], "active")
        watch.wait_for(router.addresses(lab))
        fleet.set_role(daemons[0], "passive")
        watch.wait_for(router.addresses(lab, "lb2"))
    assert not watch.was_without_route()
