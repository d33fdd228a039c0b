"""The section `bgp` comes, changes and goes by reload, and costs no session that a change does not
concern; one that is wrong changes nothing. And what is shown of each state, alike by API, metrics and
commands. pytest -s has the numbers."""
import copy
import json
import pathlib
import re
import signal
import socket
import struct
import time

import pytest

from support import announced, bgp, metrics, process, router
from support.announced import told, wait_calls, wait_established, wait_told
from support.fleet import settings
from support.lab import VIP
from support.load import measured
from support.reload import ask, places, post, reload, write

LAB = {"bgp": True, "lbs": 1, "backends": 2}
PREFIX = f"{VIP}/32"


@pytest.fixture
def running(lab, start):
    """Starts a daemon, until its session is up and the router has the route."""
    def begin():
        daemon = start(settings(lab))
        router.wait_for_routes(lab, VIP, router.addresses(lab))
        wait_established(daemon)
        return daemon
    yield begin
    announced.start_missing(lab)


def flaps(daemon):
    """Of each session: how often it was lost, and its state."""
    return {session["peer"]: (session["flaps"], session["state"]) for session in told(daemon)["sessions"]}


def test_the_section_comes_and_goes_by_reload(lab, start):
    with_it = settings(lab)
    without = {key: value for key, value in with_it.items() if key != "bgp"}
    daemon = start(without)
    assert daemon.status()["bgp"] is None
    answer = ask(daemon, "GET", "/v1/bgp")
    assert answer.status == 404 and "bgp" in str(answer.body), answer
    assert not any(name.startswith("guideway_bgp") for name in metrics.scrape(lab))
    told_in_words = daemon.client("bgp")
    assert told_in_words.returncode == 1 and "bgp" in told_in_words.stderr, told_in_words

    outcome = reload(daemon, with_it)
    assert any("bgp" in line for line in outcome["changes"]), outcome
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    wait_established(daemon)
    outcome = reload(daemon, without)
    assert any("bgp" in line for line in outcome["changes"]), outcome
    router.wait_for_routes(lab, VIP, set())
    assert daemon.status()["bgp"] is None and announced.paths(lab) == {}
    reload(daemon, with_it)
    router.wait_for_routes(lab, VIP, router.addresses(lab))


def test_attributes_change_without_a_moment_without_the_route_or_the_session(lab, running):
    daemon = running()
    before = flaps(daemon)
    with router.RouteWatch(lab, VIP) as watch:
        for changes, med, communities, large in (
                ({"med": 70, "communities": ["64512:100", "no-export", "64512:1:2"]},
                 70, ((64512, 100), (65535, 65281)), ((64512, 1, 2),)),
                ({"med": 0}, 0, (), ()),
                ({}, None, (), ())):
            reload(daemon, settings(lab, **changes))

            def heard(wanted=(med, communities, large)):
                route, = router.bgp_routes(lab, VIP)
                return (route.med, route.communities, route.large_communities) == wanted
            process.wait_until(heard, f"the router has {changes}", 30)
    assert watch.hops_that_left() == set(), watch.describe()
    assert flaps(daemon) == before
    now = wait_calls(daemon)
    assert (now["changed"], now["corrected"]) == (3, 0)


def test_a_peer_that_is_added_or_removed_does_not_disturb_another(lab, running):
    lb = lab.lb("lb1")
    daemon = running()
    before = flaps(daemon)
    more = settings(lab)
    more["bgp"]["peers"].append({"address": bgp.router_address_6(lb), "asn": bgp.ROUTER_AS})
    with router.RouteWatch(lab, VIP) as watch:
        asked = time.monotonic()
        reload(daemon, more)
        wait_established(daemon, lb.gateway, bgp.router_address_6(lb))
        measured("reload that adds a peer: its session is up after", time.monotonic() - asked)
        assert router.sessions(lab)["lb1_6"] == "Established"
        reload(daemon, settings(lab))
        wait_told(daemon, lambda now: len(now["sessions"]) == 1, "the peer is gone")
        router.wait_for_session(lab, "lb1_6", "Active")
    assert flaps(daemon) == before
    assert lb.address not in watch.hops_that_left(), watch.describe()


def test_another_hold_time_begins_the_session_anew_and_is_the_one_that_counts(lab, running):
    daemon = running()
    assert told(daemon)["sessions"][0]["hold_time_seconds"] == 30
    asked = time.monotonic()
    reload(daemon, settings(lab, hold_time="12s"))
    wait_told(daemon, lambda now: now["sessions"][0]["hold_time_seconds"] == 12, "it is negotiated", 30)
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    measured("reload with another hold time: the session is up again after", time.monotonic() - asked)


def md5_failures(lab, name):
    """How many segments the kernel of a node has refused for their TCP MD5 signature."""
    with lab.inside(name):
        rows = [line.split() for line in pathlib.Path("/proc/thread-self/net/netstat").read_text().splitlines()
                if line.startswith("TcpExt:")]
    values = dict(zip(*rows))
    return sum(int(values[key]) for key in ("TCPMD5NotFound", "TCPMD5Unexpected", "TCPMD5Failure"))


def missing_md5():
    """Why TCP MD5 cannot be had here; None: it can."""
    peer = struct.pack("=HH4s120x", socket.AF_INET, 0, bytes([192, 0, 2, 1]))
    with socket.socket() as tried:
        try:
            tried.setsockopt(socket.IPPROTO_TCP, 14, peer + struct.pack("=BBHI80s", 0, 0, 1, 0, b"x"))
        except OSError as failure:
            return f"this kernel has no TCP MD5 (CONFIG_TCP_MD5SIG): {failure}"


@pytest.fixture
def password_at_router(lab):
    """The router wants a password from lb1."""
    if missing_md5():
        pytest.skip(missing_md5())
    plain = r"protocol bgp lb1 from load_balancer { neighbor"
    locked = r'protocol bgp lb1 from load_balancer { password "right one"; neighbor'
    with router.changed_bird(lab, (re.escape(plain), locked)):
        yield
    announced.bare_gobgpd(lab, "lb1")  # else it would wait for a peer with a password for long


def test_a_password_that_is_wrong_keeps_the_session_down_until_a_reload_has_the_right_one(
        lab, password_at_router, start, tmp_path):
    announced.bare_gobgpd(lab, "lb1")
    file = tmp_path / "password"
    file.touch(0o600)
    file.write_text("wrong one\n")
    wanted = settings(lab)
    wanted["bgp"]["peers"][0]["password_file"] = str(file)
    refused = md5_failures(lab, "router") + md5_failures(lab, "lb1")
    daemon = start(wanted)
    process.wait_until(lambda: md5_failures(lab, "router") + md5_failures(lab, "lb1") > refused + 2,
                       "the kernel refuses segments", 30)
    assert told(daemon)["sessions"][0]["state"] != "established"
    assert router.routes(lab, VIP) == set()
    file.write_text("right one\nand a second line that is none of it\n")
    asked = time.monotonic()
    reload(daemon, wanted)
    wait_established(daemon, seconds=60)
    measured("reload with the right password: the session is up after", time.monotonic() - asked)
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    assert "right one" not in daemon.log() and "wrong one" not in daemon.log()


WRONG = {
    "ASN of nobody": (("local_asn", 0), r"local_asn: .*0"),
    "ASN that stands for others": (("local_asn", 23456), r"AS_TRANS"),
    "ASN that is too large": (("local_asn", 1 << 32), r"4294967295"),
    "ASN that is no number": (("local_asn", "AS64512"), r"AS64512"),
    "community that is too large": (("communities", ["64512:70000"]), r"64512:70000"),
    "community with no such name": (("communities", ["no-exprot"]), r"no-export"),
    "no peer": (("peers", []), r"at least one"),
    "peer that is a name": (("peers", [{"address": "router", "asn": 64500}]), r"router"),
    "peer that is this host": (("peers", [{"address": "10.77.1.2", "asn": 64500}]), r"10\.77\.1\.2"),
    "peer twice": (("peers", [{"address": "10.77.1.1", "asn": 64500}] * 2), r"10\.77\.1\.1"),
    "peer without an ASN": (("peers", [{"address": "10.77.1.1"}]), r"asn"),
    "hold time": (("peers", [{"address": "10.77.1.1", "asn": 64500, "hold_time": "2s"}]), r"hold_time"),
    "role": (("role", "pasive"), r"passive"),
    "key": (("local_as", 64512), r"local_asn"),
    "prefix": (("prefixes", ["198.51.100.1/24"]), r"198\.51\.100\.1/24"),
    "password file": (("peers", [{"address": "10.77.1.1", "asn": 64500, "password_file": "/nonexistent"}]),
                      r"/nonexistent"),
}


def test_a_wrong_section_is_refused_with_its_line_and_nothing_changes(lab, running):
    daemon = running()
    before, held = flaps(daemon), announced.paths(lab)
    with router.RouteWatch(lab, VIP) as watch:
        for what, ((key, value), words) in WRONG.items():
            wrong = copy.deepcopy(daemon.settings)
            wrong["bgp"][key] = value
            answer = post(daemon, wrong)
            problems = answer.body["problems"]
            assert answer.status == 422 and problems, (what, answer)
            lines = daemon.config_path.read_text().splitlines()
            first = lines.index("bgp:") + 1
            for place in places(problems):
                assert place is not None and first <= place <= len(lines), (what, problems)
            assert any(re.search(words, problem) for problem in problems), (what, problems)
        assert ask(daemon, "GET", "/v1/bgp").status == 200
        wait_calls(daemon)
    assert watch.hops_that_left() == set(), watch.describe()
    assert (flaps(daemon), announced.paths(lab)) == (before, held)
    write(daemon, daemon.settings)


# ---- how it is shown ------------------------------------------------------------------------------------


def shown(lab, daemon):
    """The same of one moment: the status document, the metrics, and what two commands print."""
    return (json.loads(daemon.client("bgp", "--json").stdout), metrics.scrape(lab),
            daemon.client("bgp").stdout, daemon.client("status").stdout)


def test_each_state_is_shown_alike_by_api_metrics_and_commands(lab, running):
    daemon = running()

    def check(contact, state, held, up):
        document, numbers, as_bgp, as_status = shown(lab, daemon)
        route, = document["routes"]
        session, = document["sessions"]
        assert (document["contact"], route["state"], route["held"]) == (contact, state, held), document
        assert (session["state"] == "established") == up

        def number(name, **labels):
            return numbers[f"guideway_bgp_{name}"][frozenset(labels.items())]
        assert number("speaker_up") == (contact == "reached")
        assert number("in_step") == document["in_step"]
        assert number("role", role=document["role"]) == 1
        assert number("session_up", peer=session["peer"], asn=str(session["asn"])) == up
        assert number("route_wanted", prefix=PREFIX) == (state == "announced")
        assert number("route_announced", prefix=PREFIX) == (state == "announced" and held)
        assert PREFIX in as_bgp and session["peer"] in as_bgp and document["role"] in as_bgp, as_bgp
        assert "bgp" in as_status.lower(), as_status
        return as_bgp, as_status

    check("reached", "announced", True, True)
    assert daemon.client("role", "drain").returncode == 0
    router.wait_for_routes(lab, VIP, set())
    wait_calls(daemon, 1)
    as_bgp, _ = check("reached", "withdrawn", False, True)
    assert "role drain" in as_bgp, as_bgp
    assert daemon.client("role", "active").returncode == 0
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    lab.stop_gobgpd("lb1", signal.SIGKILL)
    wait_told(daemon, lambda now: now["contact"] == "lost", "the loss is told")
    check("lost", "announced", False, False)
    assert "nobody answers" in daemon.client("bgp").stderr
    assert "nobody answers" in daemon.client("status").stdout
    lab.start_gobgpd("lb1")
    wait_established(daemon)
    check("reached", "announced", True, True)
