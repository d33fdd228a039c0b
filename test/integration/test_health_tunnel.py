"""Checks through the tunnel: they find what a direct check cannot see, and leave nothing behind."""
import json

import pytest

from support import fetch, netns, process, servers
from support.daemon import config
from support.lab import VIP

MARK_BASE = 0x67000000  # of the rules that lead into the tunnel (userspace/control/tunnel_route.h)
TUNNEL = {"via": "tunnel", "interval": process.paced("200ms"), "timeout": process.paced("200ms"),
          "rise": 1, "fall": 3}


def settings_of(lab, *more):
    """A direct and a tunnelled check of the same nginx, in pools of their own."""
    settings = config(lab)
    direct = {**settings["pools"][0], "name": "direct",
              "checks": [{"type": "http", "port": 80, "interval": process.paced("200ms"), "fall": 3}]}
    settings["pools"][0]["checks"] = [{"type": "http", "port": 80, **TUNNEL}, *more]
    settings["pools"].append(direct)
    settings["services"].append({"vip": VIP, "ports": ["tcp/8080"], "pool": "direct"})
    return settings


def devices(lab):
    return [link["ifname"] for link in json.loads(netns.ip("-n", lab.ns("lb1"), "-j", "link"))
            if link["ifname"].startswith("gwprobe")]


def rules(lab):
    """The marks of the rules that lead into a tunnel."""
    found = json.loads(netns.ip("-n", lab.ns("lb1"), "-j", "rule"))
    marks = [int(rule["fwmark"], 16) for rule in found if "fwmark" in rule]
    return [mark for mark in marks if mark & 0xFF000000 == MARK_BASE]


def routes(lab):
    """Routes of all tables that leave by a tunnel."""
    text = netns.ip("-n", lab.ns("lb1"), "route", "show", "table", "all")
    return [line for line in text.splitlines() if "gwprobe" in line]


def break_decapsulation(lab):
    lab.stop_decapsulation("be1")


def mend_decapsulation(lab):
    lab.start_decapsulation("be1")


def remove_vip(lab):
    lab.ip("be1", f"address delete {VIP}/32 dev lo")


def add_vip(lab):
    lab.ip("be1", f"address add {VIP}/32 dev lo")


@pytest.mark.parametrize(("break_it", "mend_it"), [(break_decapsulation, mend_decapsulation),
                                                   (remove_vip, add_vip)])
def test_a_backend_that_cannot_take_packets_for_the_vip_is_found_out(lab, start, break_it, mend_it):
    daemon = start(settings_of(lab))
    daemon.wait_backend("be1", health="up")
    break_it(lab)
    try:
        down = daemon.wait_backend("be1", health="down", table_entries=0, usable=False)
        assert down["checks"][0]["last"] == f"no answer within {process.paced('200 ms')}, while connecting"
        direct = daemon.backend("be1", "direct")
        assert (direct["health"], direct["went_down"]) == ("up", 0)
        assert direct["checks"][0]["last"] == "status 200"
        pages = fetch.fetch_all(lab, range(20000, 20060))
        assert {fetch.backend_of(page) for page in pages} == {"be2", "be3"}
    finally:
        mend_it(lab)
    daemon.wait_backend("be1", health="up", usable=True)
    process.wait_until(lambda: daemon.backend("be1")["table_entries"] > 0, "in the table again")
    pages = fetch.fetch_all(lab, range(21000, 21060))
    assert {fetch.backend_of(page) for page in pages} == {"be1", "be2", "be3"}


def test_tcp_and_udp_are_asked_through_the_tunnel_as_the_load_balancer_and_at_the_vip(lab, start):
    """The servers listen at the VIP alone: who asked their own address would be refused."""
    askers = set()
    udp = [servers.UdpServer(lab, backend.name, 9000, lambda datagram: b"pong" + datagram, VIP)
           for backend in lab.backends]
    tcp = [servers.TcpServer(lab, backend.name, 9001, lambda talk: askers.add(talk.getpeername()[0]))
           for backend in lab.backends]
    try:
        daemon = start(settings_of(
            lab, {"type": "udp", "port": 9000, "send": "ping", "expect": "pongping", **TUNNEL},
            {"type": "tcp", "port": 9001, **TUNNEL}))
        for backend in lab.backends:
            checks = daemon.wait_backend(backend.name, health="up")["checks"]
            assert [check["last"] for check in checks] == ["status 200", "answered", "connected"]
        assert [server.count > 0 for server in udp + tcp] == [True] * 6
        udp[0].close()
        down = daemon.wait_backend("be1", health="down")
        assert [check["state"] for check in down["checks"]] == ["up", "down", "up"]
        assert down["checks"][1]["last"] == "port unreachable"
    finally:
        for server in udp + tcp:
            server.close()
    # A connection may be gone before its server could look who it was.
    assert askers <= {lab.lbs[0].address}


def test_sigterm_leaves_no_device_rule_or_route(lab, start):
    before = netns.ip("-n", lab.ns("lb1"), "rule")
    daemon = start(settings_of(lab))
    assert (len(devices(lab)), len(rules(lab)), len(routes(lab)) >= 1) == (1, 1, True)
    daemon.settle()
    assert daemon.stop() == 0
    assert (devices(lab), rules(lab), routes(lab)) == ([], [], [])
    assert netns.ip("-n", lab.ns("lb1"), "rule") == before


def test_what_sigkill_leaves_is_cleaned_up_by_the_next_start(lab, start):
    for _ in range(2):
        start(settings_of(lab)).kill()
        assert len(rules(lab)) == 1  # else there is nothing to clean up
        assert (devices(lab), routes(lab)) == ([], [])
    daemon = start(settings_of(lab))
    assert (len(devices(lab)), len(rules(lab))) == (1, 1)
    daemon.wait_backend("be1", health="up")
    daemon.settle()
    assert daemon.stop() == 0
    assert (devices(lab), rules(lab), routes(lab)) == ([], [], [])


def test_a_start_without_the_right_to_a_tunnel_says_so_and_leaves_nothing(lab, new_daemon):
    daemon = new_daemon(settings_of(lab)).start(["unshare", "--mount", "sh", "-c",
                                                 'mount --bind /dev/null /dev/net/tun; exec "$@"', "sh"])
    assert daemon.wait() == 1
    assert "making a TUN device for probes through the tunnel" in daemon.log()
    assert "via: direct" in daemon.log()
    assert (devices(lab), rules(lab)) == ([], [])


def test_a_reload_can_bring_the_tunnel(lab, start):
    daemon = start(config(lab))
    assert devices(lab) == []
    daemon.reload(settings_of(lab))
    assert (len(devices(lab)), len(rules(lab))) == (1, 1)
    daemon.wait_backend("be1", health="up")
    lab.stop_decapsulation("be1")
    try:
        daemon.wait_backend("be1", health="down")
    finally:
        lab.start_decapsulation("be1")
    daemon.wait_backend("be1", health="up")
