"""Routes and neighbours change under a running daemon."""
import pytest
from scapy.layers.inet import IP, TCP

from support import fetch, netns, process
from support.lab import INTERFACE, VIP
from support.wire import Wire, is_gre

PORTS = range(20000, 20040)


def syn(wire, lb_mac, port):
    packet = IP(src="203.0.113.77", dst=VIP) / TCP(sport=port, dport=80, flags="S")
    wire.send(lb_mac + wire.mac + b"\x08\x00" + bytes(packet))


def wait_for(daemon, backend, state):
    """Until the next hop of a backend is in this state; None: in any but resolved."""
    def reached():
        now = daemon.next_hops()[backend]
        return now == state if state else now != "resolved"
    process.wait_until(reached, f"next hop of {backend} is {state or 'not resolved'}", 15)


def mac_of(wire):
    return ":".join(f"{byte:02x}" for byte in wire.mac)


@pytest.fixture
def router_mac(lab):
    """The MAC address of the next hop, as it was before and is again after the test."""
    with Wire(lab, "router", "to-lb1") as wire:
        mac = mac_of(wire)
    yield mac
    lab.ip("router", f"link set to-lb1 address {mac}")


def test_the_next_hop_is_known_from_the_kernel(lab, start, router_mac):
    for backend in start().backends().values():
        assert (backend["device"], backend["via"], backend["mac"]) == (INTERFACE, "10.77.1.1", router_mac)


def test_a_next_hop_that_changes_its_mac_is_followed(lab, start, router_mac):
    daemon = start()
    assert {page.status for page in fetch.fetch_all(lab, PORTS)} == {200}
    session = fetch.Session(lab)
    session.request()
    lab.ip("router", "link set to-lb1 address 02:00:00:00:07:07")
    process.wait_until(lambda: {backend["mac"] for backend in daemon.backends().values()}
                       == {"02:00:00:00:07:07"}, "the daemon has the new MAC address", 15)
    assert session.request(close=True).status == 200
    session.close()
    assert {page.status for page in fetch.fetch_all(lab, PORTS)} == {200}


def test_a_next_hop_that_changes_its_mac_without_a_word_is_found_out(lab, start, router_mac):
    """No gratuitous ARP: the kernel has to be made to ask, as no packet of its own would."""
    daemon = start()
    netns.set_sysctls(lab.ns("router"), {"net.ipv4.conf.to-lb1.arp_notify": 0})
    try:
        lab.ip("router", "link set to-lb1 address 02:00:00:00:09:09")
    finally:
        netns.set_sysctls(lab.ns("router"), {"net.ipv4.conf.to-lb1.arp_notify": 1})
    process.wait_until(lambda: {backend["mac"] for backend in daemon.backends().values()}
                       == {"02:00:00:00:09:09"}, "the daemon has the new MAC address", 60, 0.2)
    assert {page.status for page in fetch.fetch_all(lab, PORTS)} == {200}


def test_a_backend_without_a_route_drops_and_counts_and_comes_back(lab, start):
    daemon = start()
    port_of = {}
    for page in fetch.fetch_all(lab, PORTS):
        port_of.setdefault(fetch.backend_of(page), page.port)
    daemon.settle()
    lab.ip("lb1", "route add unreachable 10.77.101.0/24")
    try:
        wait_for(daemon, "be1", None)
        with Wire(lab, "router", "to-lb1") as wire, Wire(lab, "lb1", INTERFACE) as other:
            for port in range(21000, 21060):
                syn(wire, other.mac, port)
        status = daemon.settle()
        assert 0 < status["totals"]["drops"]["no_next_hop"] < 60
        with pytest.raises(OSError):
            fetch.fetch(lab, port=port_of["be1"], timeout=1)
        assert fetch.fetch(lab, port=port_of["be2"]).status == 200
    finally:
        lab.ip("lb1", "route delete unreachable 10.77.101.0/24")
    wait_for(daemon, "be1", "resolved")
    assert fetch.fetch(lab, port=port_of["be1"]).status == 200


def test_a_daemon_that_starts_without_a_route_forwards_once_there_is_one(lab, new_daemon):
    lab.ip("lb1", "route delete default")
    try:
        daemon = new_daemon().start().wait_ready()
        with Wire(lab, "router", "to-lb1") as wire, Wire(lab, "lb1", INTERFACE) as other:
            for port in range(22000, 22010):
                syn(wire, other.mac, port)
            process.wait_until(lambda: daemon.count("no_next_hop") == 10, "dropped and counted", 5)
            assert not [frame for frame in wire.look() if is_gre(frame.data)]
        daemon.settle()
    finally:
        lab.ip("lb1", "route add default via 10.77.1.1")
    daemon.wait_resolved()
    assert {page.status for page in fetch.fetch_all(lab, PORTS)} == {200}
    daemon.settle()
    assert daemon.stop() == 0


def test_a_daemon_that_starts_before_its_neighbour_forwards_once_it_is_there(lab, new_daemon):
    """The router does not answer for its address at first."""
    lab.ip("router", "link set to-lb1 arp off")
    lab.ip("lb1", f"neighbour flush dev {INTERFACE}")
    try:
        daemon = new_daemon().start().wait_ready()
        with Wire(lab, "router", "to-lb1") as wire, Wire(lab, "lb1", INTERFACE) as other:
            syn(wire, other.mac, 23000)
        process.wait_until(lambda: daemon.count("no_next_hop") == 1, "dropped and counted", 5)
        assert "resolved" not in daemon.next_hops().values()
    finally:
        lab.ip("router", "link set to-lb1 arp on")
    daemon.wait_resolved()
    assert {page.status for page in fetch.fetch_all(lab, PORTS)} == {200}
    daemon.settle()
    assert daemon.stop() == 0


def test_a_link_that_comes_and_goes_is_followed(lab, start):
    daemon = start()
    lab.ip("router", "link set to-lb1 down")
    try:
        wait_for(daemon, "be1", None)
    finally:
        lab.ip("router", "link set to-lb1 up",
               f"route replace {VIP}/32 nexthop via {lab.lbs[0].address}")
    daemon.wait_resolved()
    assert {page.status for page in fetch.fetch_all(lab, PORTS)} == {200}
