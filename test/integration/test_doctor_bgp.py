"""`guideway doctor` and `guideway explain` of a load balancer that announces its VIP: what they say
while all is well, and of each part that is not, and what mends it."""
import json
import signal

import pytest

from support import announced, bgp, fleet, router
from support.doctor import OK, Doctor, problems
from support.lab import CLIENT, VIP

LAB = {"bgp": True, "lbs": 1, "backends": 1}
PREFIX = f"{VIP}/32"


@pytest.fixture(autouse=True)
def gobgpd(lab):
    """A new one for each test, whatever the test before has made of it."""
    announced.bare_gobgpd(lab, "lb1")


@pytest.fixture
def daemon(lab, start):
    """Announces, to a router that has learnt it."""
    running = start(fleet.settings(lab, drain="1s", damping={"first": "60s", "most": "60s"}))
    router.wait_for_routes(lab, VIP, router.addresses(lab))
    announced.wait_established(running)
    announced.wait_calls(running)
    return running


@pytest.fixture
def doctor(lab, daemon):
    return Doctor(lab, socket=daemon.settings["admin"]["socket"])


def explained(daemon):
    """The lines of the route, as one."""
    text = daemon.client("explain", "tcp", f"{CLIENT}:40000", f"{VIP}:80").stdout
    route = text.split("\nroute ", 1)[1].split("\ntable ", 1)[0]
    return " ".join(route.split())


def test_of_a_vip_that_is_announced_nothing_is_amiss(lab, daemon, doctor):
    report = doctor.ask()
    assert [finding["text"] for finding in problems(report)] == [] and report.code == OK
    for check in ("bgp_api", "bgp_way", "bgp_role", "bgp_speaker", "bgp_session", "bgp_held", "bgp_route"):
        assert [finding["severity"] for finding in report.found[check]] == ["ok"], check
    facts = json.loads(doctor.run("--facts").stdout)["bgp"]
    assert facts["answer"] == {"listens": True, "cause": ""}
    [peer] = facts["peers"]
    assert (peer["address"], peer["route"]["kind"]) == (lab.lb("lb1").gateway, "unicast")
    assert explained(daemon).startswith(f"{PREFIX} is announced over 1 of 1 sessions, role active")


def test_a_role_by_an_operator_is_told_and_mended_by_what_is_printed(daemon, doctor):
    assert daemon.client("role", "drain").returncode == 0
    finding = doctor.only("bgp_role", "warning")
    assert "drain: nothing is announced" in finding["text"]
    assert doctor.amiss("bgp_route") == []
    assert explained(daemon) == f"{PREFIX} is not announced: role drain"
    doctor.mend(finding)
    assert doctor.amiss("bgp_role") == []


def test_a_vip_without_a_usable_backend_is_told_as_withdrawn_and_then_as_damped(lab, daemon, doctor):
    backend = lab.backends[0].address
    assert daemon.client("drain", backend).returncode == 0
    finding = doctor.wait_for("bgp_route", "warning")
    assert finding["text"].startswith(f"{PREFIX} is withdrawn: ") and "pool web" in finding["text"]
    assert explained(daemon).startswith(f"{PREFIX} is not announced: ")
    assert daemon.client("undrain", backend).returncode == 0
    announced.wait_told(daemon, lambda now: now["routes"][0]["state"] == "damped", "it is damped")
    assert f"{PREFIX} is damped: " in doctor.only("bgp_route", "warning")["text"]
    assert "is not announced for " in explained(daemon)


def test_a_gobgpd_that_is_gone_is_told_once_with_what_starts_it(lab, daemon, doctor):
    lab.stop_gobgpd("lb1", signal.SIGKILL)
    announced.wait_told(daemon, lambda now: now["contact"] == "lost", "the loss is told")
    finding = doctor.only("bgp_api", "error")
    socket = str(bgp.gobgp_socket(lab, "lb1"))
    assert f"unix:{socket} (" in finding["text"] and f"--api-hosts unix://{socket}" in finding["mend"]
    assert doctor.amiss("bgp_speaker") == []
    lab.start_gobgpd("lb1")
    doctor.wait_gone("bgp_api")


def test_a_router_that_is_gone_is_told_as_a_session_that_is_not_established(lab, daemon, doctor):
    lab.stop_bird()
    try:
        finding = doctor.wait_for("bgp_session", "error")
        assert f"no session with {lab.lb('lb1').gateway} (AS {bgp.ROUTER_AS})" in finding["text"]
        assert "no router hears of it" in explained(daemon)
    finally:
        lab.start_bird()
    announced.wait_established(daemon)
    doctor.wait_gone("bgp_session")


def test_before_there_is_a_daemon_gobgpd_and_the_way_to_each_peer_are_looked_at(lab):
    settings = fleet.settings(lab)
    settings["bgp"]["peers"].append({"address": "192.0.2.77", "asn": bgp.ROUTER_AS})
    doctor = Doctor(lab, settings)
    report = doctor.ask()
    assert [finding["severity"] for finding in report.found["bgp_api"]] == ["ok"]
    [far] = [finding for finding in report.found["bgp_way"] if "192.0.2.77" in finding["text"]]
    assert far["severity"] == "warning" and "multihop" in far["mend"]
    lab.stop_gobgpd("lb1")
    assert "no VIP is announced" in doctor.only("bgp_api", "warning")["text"]
