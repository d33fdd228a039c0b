"""The configurations of routers that operators are given, configs/routers: their own programs accept
them, and with each a router spreads over all load balancers. BIRD's is run by every test of a lab
with bgp=True; here it is FRR's turn."""
import signal
import subprocess

import pytest

from support import bgp, fetch, frr, gobgp, process, router
from support.lab import VIP

LAB = {"bgp": True, "lbs": 2}
VIP_6 = "2001:db8:100::1"
BIRD = bgp.EXAMPLES / "bird.conf"
FRR = bgp.EXAMPLES / "frr.conf"

needs_frr = pytest.mark.skipif(not frr.installed(), reason="no FRR here: run scripts/deps")


def judge(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


@pytest.fixture(scope="module")
def frr_router(lab):
    lab.stop_bird()
    running = frr.Frr(lab).start()
    yield running
    running.stop()


def announce(lab, **settings):
    options = {}
    for lb in lab.lbs:
        options[lb.name] = gobgp.write_file(lab, lb.name, listen=True, **settings)
        lab.stop_gobgpd(lb.name)
        lab.start_gobgpd(lb.name, *options[lb.name])
    return options


def test_bird_accepts_its_example_and_no_typing_error_in_it(tmp_path):
    assert judge("bird", "-p", "-c", BIRD).returncode == 0, judge("bird", "-p", "-c", BIRD).stderr
    wrong = tmp_path / "bird.conf"
    wrong.write_text(BIRD.read_text().replace("merge paths yes", "merge pahts yes"))
    assert judge("bird", "-p", "-c", wrong).returncode != 0


@needs_frr
def test_frr_accepts_its_example_and_no_typing_error_in_it(tmp_path):
    assert judge("vtysh", "-C", "-f", FRR).returncode == 0, judge("vtysh", "-C", "-f", FRR).stderr
    wrong = tmp_path / "frr.conf"
    wrong.write_text(FRR.read_text().replace("maximum-paths 16", "maximum-pahts 16"))
    assert judge("vtysh", "-C", "-f", wrong).returncode != 0


def test_an_example_in_which_the_lab_cannot_put_its_own_is_an_error():
    with pytest.raises(bgp.ExampleChanged, match="0 times"):
        bgp.replace_one(BIRD.read_text(), r"^define NO_SUCH = .*$", "")
    with pytest.raises(bgp.ExampleChanged, match="2 times"):
        bgp.replace_one("a\na\n", "^a$", "b")


@needs_frr
def test_frr_spreads_over_all_load_balancers_and_takes_only_vips(lab, frr_router, start):
    daemons = [start(node=lb.name) for lb in lab.lbs]
    announce(lab)
    for lb in lab.lbs:
        for prefix in ("203.0.113.10/32", "198.51.100.0/24", f"{VIP}/32"):
            gobgp.announce(lab, lb.name, prefix)
    router.wait_for_routes(lab, VIP, router.addresses(lab), 60)
    assert router.routes(lab, "198.51.100.0/24") == set() == router.routes(lab, "203.0.113.10/32")
    ports = range(20000, 20100)
    assert {page.status for page in fetch.fetch_all(lab, ports)} == {200}
    flows = [daemon.settle()["totals"]["flow_inserted"] for daemon in daemons]
    assert min(flows) > 10 and sum(flows) == len(ports)


def session_to(lab, running, name):
    """The line of `show bgp neighbors` with the state of the session."""
    text = running.show(f"show bgp neighbors {lab.lb(name).address}")
    return next(line for line in text.splitlines() if "BGP state = " in line)


@needs_frr
def test_frr_keeps_the_route_of_a_killed_speaker_that_restarts_gracefully(lab, frr_router):
    options = announce(lab, restart_seconds=60)
    for lb in lab.lbs:
        gobgp.announce(lab, lb.name)
    router.wait_for_routes(lab, VIP, router.addresses(lab), 60)
    with router.RouteWatch(lab, VIP) as watch:
        lab.stop_gobgpd("lb1", signal.SIGKILL)
        process.wait_until(lambda: "Established" not in session_to(lab, frr_router, "lb1"),
                           "the session is down")
        with router.paused(lab, "bgpd"):  # the session is there when all is announced, not before
            lab.start_gobgpd("lb1", *options["lb1"], "--graceful-restart")
            gobgp.announce(lab, "lb1")
        gobgp.announce(lab, "lb1", "198.51.100.9/32")
        process.wait_until(lambda: router.routes(lab, "198.51.100.9"), "the next route is learnt", 60)
    assert watch.hops_that_left() == set(), watch.describe()


@needs_frr
def test_frr_drops_the_route_of_a_speaker_that_falls_silent_when_its_hold_time_is_over(lab, frr_router):
    announce(lab, restart_seconds=60, hold_seconds=3)
    for lb in lab.lbs:
        gobgp.announce(lab, lb.name)
    router.wait_for_routes(lab, VIP, router.addresses(lab), 60)
    with router.RouteWatch(lab, VIP) as watch, router.paused(lab, "gobgpd", "lb1"):
        watch.wait_for(router.addresses(lab, "lb2"))
    assert watch.hops_that_left() == router.addresses(lab, "lb1")


@needs_frr
def test_frr_learns_vips_of_both_families_over_ipv6(lab, frr_router):
    announce(lab, over_ipv6=True)
    for lb in lab.lbs:
        for words in ([f"{VIP}/32"], [f"{VIP_6}/128", "-a", "ipv6"]):
            bgp.gobgp(lab, lb.name, "global", "rib", "add", *words[:1], "nexthop",
                      bgp.lb_address_6(lb), *words[1:])
    hops = {bgp.lb_address_6(lb) for lb in lab.lbs}
    router.wait_for_routes(lab, VIP_6, hops, 60)
    router.wait_for_routes(lab, VIP, hops, 60)
