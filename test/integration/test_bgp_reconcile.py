"""What somebody changes in gobgpd behind the daemon's back, by its own command, is put right within
seconds where it is the daemon's to decide, and is left alone where it is not."""
import time

import pytest

from support import announced, bgp, gobgp, metrics, process, router
from support.announced import MED, PATH_IDENTIFIER, told, wait_calls, wait_established, wait_told
from support.daemon import Daemon
from support.fleet import settings
from support.lab import VIP
from support.load import measured

LAB = {"bgp": True, "lbs": 1, "backends": 2}
PREFIX = f"{VIP}/32"
FOREIGN = "198.51.100.99/32"
NOBODY = "10.77.1.99"  # a neighbour that is not there
FOREIGN_AS = 64999


@pytest.fixture(scope="module")
def managed(lab):
    """One daemon for all tests of `mode: managed`, with a session to the router."""
    announced.bare_gobgpd(lab, "lb1")
    daemon = Daemon(lab, settings(lab, med=50)).start()
    try:
        daemon.wait_ready().wait_resolved()
        router.wait_for_routes(lab, VIP, router.addresses(lab))
        yield daemon
        daemon.settle()
        assert daemon.stop() == 0
    finally:
        if daemon.alive():
            daemon.kill()


class Meddling:
    """What the daemon says before and after somebody meddles, and how long it took to mend."""

    def __init__(self, lab, daemon):
        self._lab, self._daemon = lab, daemon
        self.before = told(daemon)
        self._begun = time.monotonic()

    def mended(self, what, **counts):
        """gobgpd has our path alone again, our peer alone, and the daemon has counted this much."""
        lab, lb = self._lab, self._lab.lb("lb1")
        announced.wait_gobgpd(lab, "lb1", lambda: [path.get(MED, {}).get("metric")
                              for path in announced.paths(lab).get(PREFIX, [])] == [50], "our path")
        announced.wait_paths(lab, "lb1", PREFIX)
        announced.wait_gobgpd(lab, "lb1", lambda: announced.peers(lab) == {lb.gateway}, "our peer")
        measured(f"{what}: mended after", time.monotonic() - self._begun)
        after = wait_calls(self._daemon, 1)
        for key in ("added", "deleted", "changed", "corrected", "starts", "failures"):
            assert after[key] - self.before[key] == counts.get(key, 0), (key, self.before, after)
        numbers = metrics.scrape(lab)
        for key in ("added", "deleted", "changed", "corrected"):
            assert numbers[f"guideway_bgp_routes_{key}_total"][frozenset()] == after[key]
        return after


@pytest.fixture
def meddle(lab, managed):
    """meddle("global", "rib", ..) has gobgp do that, and returns a Meddling."""
    wait_established(managed)

    def begin(*words):
        meddling = Meddling(lab, managed)
        bgp.gobgp(lab, "lb1", *words)
        return meddling
    yield begin
    assert router.routes(lab, VIP) == router.addresses(lab)


def med_at_router(lab):
    return [(route.med, route.best) for route in router.bgp_routes(lab, VIP)]


def ours(*words):
    """What the command has to say of a path that looks like one of the daemon's."""
    return "identifier", PATH_IDENTIFIER, *words


def test_a_route_of_somebody_elses_to_the_same_prefix_is_taken_away(lab, meddle):
    with router.RouteWatch(lab, VIP) as watch:
        meddle("global", "rib", "add", PREFIX, "nexthop", lab.lb("lb1").address, "med", 1).mended(
            "a second path to our prefix", deleted=1, corrected=1)
        process.wait_until(lambda: med_at_router(lab) == [(50, True)], "the router has ours", 30)
    assert watch.hops_that_left() == set(), watch.describe()


def test_a_route_to_another_prefix_is_taken_away(lab, managed, meddle):
    meddle("global", "rib", "add", FOREIGN, "nexthop", lab.lb("lb1").address).mended(
        "a path to another prefix", deleted=1, corrected=1)
    assert f"deleted {FOREIGN}" in managed.log()
    router.wait_for_routes(lab, FOREIGN, set())


def test_a_route_that_was_marked_as_ours_and_is_not_wanted_is_taken_away(lab, meddle):
    meddle("global", "rib", "add", FOREIGN, *ours("nexthop", lab.lb("lb1").address)).mended(
        "a path of our own that nobody wants", deleted=1, corrected=1)


def test_a_route_that_was_deleted_is_added(lab, managed, meddle):
    meddle("global", "rib", "del", PREFIX, *ours()).mended("our path deleted", added=1, corrected=1)
    assert f"mended what others changed: added {PREFIX}" in managed.log()
    router.wait_for_routes(lab, VIP, router.addresses(lab))


def test_all_routes_deleted_at_once_are_added(lab, meddle):
    meddle("global", "rib", "del", "all").mended("all paths deleted", added=1, corrected=1)
    router.wait_for_routes(lab, VIP, router.addresses(lab))


def test_attributes_that_were_changed_are_changed_back(lab, meddle):
    with router.RouteWatch(lab, VIP) as watch:
        meddle("global", "rib", "add", PREFIX, *ours("nexthop", lab.lb("lb1").address, "med", 999,
                                                     "community", "64512:666")).mended(
            "our path's attributes changed", changed=1, corrected=1)
        process.wait_until(lambda: med_at_router(lab) == [(50, True)], "the router has them", 30)
    assert router.bgp_routes(lab, VIP)[0].communities == ()
    assert watch.hops_that_left() == set(), watch.describe()


def test_a_peer_that_was_deleted_is_added(lab, managed, meddle):
    meddle("neighbor", "del", lab.lb("lb1").gateway).mended("our peer deleted")
    wait_established(managed)
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    assert f"peer {lab.lb('lb1').gateway}: added" in managed.log()


def test_a_peer_that_was_added_is_deleted(managed, meddle):
    meddle("neighbor", "add", NOBODY, "as", 64999).mended("a peer added")
    assert f"peer {NOBODY}: deleted" in managed.log()


def test_bgp_that_was_stopped_is_started_with_all_that_belongs_to_it(lab, managed, meddle):
    meddle("global", "del", "all").mended("BGP stopped", added=1, starts=1)
    wait_established(managed)
    router.wait_for_routes(lab, VIP, router.addresses(lab))


def test_a_policy_that_lets_routes_of_routers_in_is_taken_back(lab, meddle):
    def policy():
        return bgp.gobgp(lab, "lb1", "global", "policy", "import")
    right = policy()
    assert "Default: REJECT" in right
    meddling = meddle("global", "policy", "import", "set", "default", "accept")
    announced.wait_gobgpd(lab, "lb1", lambda: policy() == right, "its policy")
    meddling.mended("our import policy removed")


# ---- gobgpd with a configuration of its own -----------------------------------------------------------


@pytest.fixture
def configured(lab, managed):
    """gobgpd starts anew with a file of its own: an AS, and a session to the router. The daemon of
    the other tests has to leave it alone meanwhile; it comes back to a bare one."""
    managed.settle()
    assert managed.stop() == 0
    lab.stop_gobgpd("lb1")
    lab.start_gobgpd("lb1", *gobgp.write_file(lab, "lb1", listen=True))
    yield
    announced.bare_gobgpd(lab, "lb1")
    managed.start().wait_ready().wait_resolved()
    router.wait_for_routes(lab, VIP, router.addresses(lab))


def external(lab, **changes):
    return settings(lab, **{"mode": "external", "local_asn": None, "graceful_restart": None,
                            "peers": None, **changes})


def held_by(lab):
    """All that gobgpd has: AS and router id, peers, paths."""
    return bgp.gobgp(lab, "lb1", "global"), announced.peers(lab), announced.paths(lab)


def test_in_mode_external_only_own_prefixes_are_decided_on_and_withdrawn_in_the_end(lab, configured, start):
    address = lab.lb("lb1").address
    bgp.gobgp(lab, "lb1", "global", "rib", "add", FOREIGN, "nexthop", address)
    bgp.gobgp(lab, "lb1", "global", "rib", "add", PREFIX, "nexthop", address, "med", 7)
    router.wait_for_routes(lab, FOREIGN, router.addresses(lab))
    before = held_by(lab)
    with router.RouteWatch(lab, FOREIGN) as foreign, router.RouteWatch(lab, VIP) as own:
        daemon = start(external(lab, med=50))
        announced.wait_paths(lab, "lb1", FOREIGN, PREFIX)
        process.wait_until(lambda: med_at_router(lab) == [(50, True)], "the router has ours", 30)
        now = wait_calls(daemon)
        assert (now["mode"], now["foreign"], now["asn"]) == ("external", 1, bgp.LOAD_BALANCER_AS)
        assert [(one["peer"], one["state"]) for one in now["sessions"]] == [
            (lab.lb("lb1").gateway, "established")]
        assert own.hops_that_left() == set(), own.describe()
        bgp.gobgp(lab, "lb1", "global", "rib", "del", PREFIX, *ours())
        announced.wait_paths(lab, "lb1", FOREIGN, PREFIX)
        after = wait_calls(daemon)
        assert after["corrected"] == now["corrected"] + 1
        daemon.settle()
        assert daemon.stop() == 0, daemon.log()
        announced.wait_paths(lab, "lb1", FOREIGN)
        router.wait_for_routes(lab, VIP, set())
    assert foreign.hops_that_left() == set(), foreign.describe()
    assert held_by(lab)[:2] == before[:2]


def test_in_mode_external_an_old_route_of_ours_is_found_and_withdrawn(lab, configured, start):
    """As a daemon with another configuration has left it."""
    bgp.gobgp(lab, "lb1", "global", "rib", "add", FOREIGN, *ours("nexthop", lab.lb("lb1").address))
    daemon = start(external(lab))
    announced.wait_paths(lab, "lb1", PREFIX)
    assert f"deleted {FOREIGN}, which nobody wants" in daemon.log()


def test_in_mode_external_a_wrong_local_asn_is_refused_with_both_numbers(lab, configured, start):
    before = held_by(lab)
    daemon = start(external(lab, local_asn=FOREIGN_AS))
    now = wait_told(daemon, lambda now: now["failures"] > 1, "it says so")
    assert not now["in_step"]
    for word in ("AS 64512", str(FOREIGN_AS), "bgp.local_asn"):
        assert word in now["error"], now["error"]
        assert word in daemon.client("bgp").stdout
    assert held_by(lab) == before
    assert router.routes(lab, VIP) == set()


def test_in_mode_external_a_gobgpd_that_runs_no_bgp_is_told_of(lab, configured, start):
    announced.bare_gobgpd(lab, "lb1")
    daemon = start(external(lab))
    now = wait_told(daemon, lambda now: now["failures"] > 1, "it says so")
    assert "runs no BGP" in now["error"] and "bgp.mode: managed" in now["error"], now["error"]
    assert daemon.stop() == 0, daemon.log()
    assert "routes may be left" not in daemon.log(), daemon.log()
    done = announced.withdraw(lab, "lb1", daemon.config_path)
    assert done.returncode == 0 and "withdrew 0 route(s)" in done.stdout, done
    assert bgp.gobgp(lab, "lb1", "global").split()[1] == "0"


@pytest.mark.parametrize("asn", [bgp.LOAD_BALANCER_AS, FOREIGN_AS], ids=["same AS", "other AS"])
def test_in_mode_managed_the_gobgpd_of_somebody_else_is_refused_and_not_touched(lab, configured, start, asn):
    bgp.gobgp(lab, "lb1", "global", "rib", "add", FOREIGN, "nexthop", lab.lb("lb1").address)
    bgp.gobgp(lab, "lb1", "neighbor", "add", NOBODY, "as", FOREIGN_AS)
    before = held_by(lab)
    daemon = start(settings(lab, local_asn=asn))
    now = wait_told(daemon, lambda now: now["failures"] > 1, "it says so")
    assert "is somebody else's" in now["error"] and "mode: external" in now["error"], now["error"]
    assert not now["in_step"] and now["contact"] != "reached"
    assert held_by(lab) == before
    refused = announced.withdraw(lab, "lb1", daemon.config_path)
    assert refused.returncode == 1 and "another guidewayd" in refused.stderr
    assert daemon.stop() == 0, daemon.log()
    refused = announced.withdraw(lab, "lb1", daemon.config_path)
    assert refused.returncode == 1 and "somebody else's" in refused.stderr, refused
    assert held_by(lab) == before
