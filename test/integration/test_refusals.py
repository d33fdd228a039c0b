"""Packets to the VIP that are not forwarded: each is counted under its name, and no other; the
rest of the traffic goes on."""
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP
from scapy.packet import Raw

from support import fetch, process
from support.daemon import Daemon, config, count
from support.lab import FABRIC_MTU, INTERFACE, VIP
from support.wire import Wire, checksum, is_gre

CLIENT = "203.0.113.77"
ETHER_IP, ETHER_ARP = b"\x08\x00", b"\x08\x06"


def to_vip(transport, **fields):
    return IP(**{"src": CLIENT, "dst": VIP, **fields}) / transport


def tcp(**fields):
    return TCP(**{"sport": 4000, "dport": 80, "flags": "S", **fields})


def with_header(version_and_length, packet):
    """The packet with another first byte, and a header checksum that fits it."""
    changed = bytearray(packet)
    changed[0] = version_and_length
    changed[10:12] = b"\0\0"
    changed[10:12] = checksum(bytes(changed[:20])).to_bytes(2, "big")
    return bytes(changed)


def with_wrong_checksum(packet):
    changed = bytearray(packet)
    changed[10] ^= 0x55
    return bytes(changed)


SYN = bytes(to_vip(tcp()))
# What is sent, and the one name under which it is counted.
REFUSED = {
    "echo request": ("icmp_dropped", bytes(to_vip(ICMP() / Raw(b"ping")))),
    "port without a service": ("no_service", bytes(to_vip(tcp(dport=81)))),
    "protocol without a service": ("no_service", bytes(to_vip(UDP(sport=4000, dport=80)))),
    "neither TCP nor UDP": ("no_service", bytes(to_vip(Raw(b"s" * 20), proto=132))),
    "first fragment": ("fragment_refused", bytes(to_vip(tcp(), flags="MF"))),
    "later fragment": ("fragment_refused", bytes(to_vip(Raw(b"f" * 64), proto=6, frag=100))),
    "ends before the ports": ("malformed_truncated", SYN[:22]),
    "IP version 5": ("malformed_version", with_header(0x55, SYN)),
    "IP header of 16 bytes": ("malformed_header_length", with_header(0x44, SYN)),
    "total length beyond the frame": ("malformed_total_length", bytes(to_vip(tcp(), len=1000))),
    "total length below the header": ("malformed_total_length", bytes(to_vip(tcp(), len=19))),
    "wrong header checksum": ("malformed_checksum", with_wrong_checksum(SYN)),
    "from the VIP itself": ("malformed_source", bytes(to_vip(tcp(), src=VIP))),
    "from a multicast group": ("malformed_source", bytes(to_vip(tcp(), src="224.0.0.5"))),
    "from loopback": ("malformed_source", bytes(to_vip(tcp(), src="127.0.0.1"))),
    "TCP header of 16 bytes": ("malformed_tcp_offset", bytes(to_vip(tcp(dataofs=4)))),
    "TCP header beyond the packet": ("malformed_tcp_offset", bytes(to_vip(tcp(dataofs=15)))),
    "too big, DF": ("too_big", bytes(to_vip(tcp(flags="A") / Raw(b"b" * (FABRIC_MTU - 63)), flags="DF"))),
    "too big, no DF": ("too_big", bytes(to_vip(tcp(flags="A") / Raw(b"b" * (FABRIC_MTU - 40))))),
}


@pytest.fixture
def send(lab):
    """Puts an Ethernet payload on the link to the load balancer, from the router's end."""
    with Wire(lab, "router", "to-lb1") as wire, Wire(lab, "lb1", INTERFACE) as other:
        def send(payload, ether_type=ETHER_IP):
            wire.send(other.mac + wire.mac + ether_type + payload)
        send.wire = wire
        yield send


def named_counts(status):
    """All counters of packets that were not forwarded, by name."""
    names = set(status["totals"]["drops"])
    for interface in status["interfaces"]:
        names |= set(interface["steering"])
    return {name: count(status, name) for name in names - {"redirected", "pass_not_ip", "pass_not_vip"}}


@pytest.fixture(scope="module")
def running(lab):
    daemon = Daemon(lab).start()
    try:
        yield daemon.wait_ready().wait_resolved()
    finally:
        daemon.stop()


@pytest.fixture
def daemon(lab, running):
    """One daemon for all these packets; each test ends with a page, and with all accounted for."""
    yield running
    assert fetch.fetch(lab).status == 200
    running.settle()


@pytest.mark.parametrize("what", REFUSED)
def test_is_counted_under_its_name(daemon, send, what):
    reason, packet = REFUSED[what]
    before = named_counts(daemon.settle())
    for _ in range(3):
        send(packet)
    process.wait_until(lambda: daemon.count(reason) >= before[reason] + 3, f"3 × {reason} are counted", 5)
    after = named_counts(daemon.settle())
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {reason: 3}
    assert not [frame for frame in send.wire.look() if is_gre(frame.data)]


def test_what_is_not_for_the_vip_is_passed_and_counted(daemon, send):
    before = daemon.settle()["interfaces"][0]["steering"]
    for _ in range(5):
        send(bytes(ARP(op=1, hwsrc=send.wire.mac, psrc="10.77.1.1", pdst="10.77.1.250")), ETHER_ARP)
        send(bytes(IP(src=CLIENT, dst="10.77.1.2") / UDP(sport=9, dport=9)))
        send(SYN[:16])
    after = daemon.settle()["interfaces"][0]["steering"]
    assert after["pass_not_ip"] - before["pass_not_ip"] >= 5
    assert after["pass_not_vip"] - before["pass_not_vip"] >= 5
    assert after["pass_truncated"] - before["pass_truncated"] == 5
    assert after["redirected"] == before["redirected"]


def test_a_pool_without_a_usable_backend_drops_and_counts(lab, new_daemon, send, running):
    """In the place of the common daemon, for as long as it takes."""
    assert running.stop() == 0
    daemon = new_daemon(config(lab, weights=[0] * len(lab.backends))).start().wait_ready()
    send(SYN)
    process.wait_until(lambda: daemon.count("no_backend") == 1, "the packet is counted", 5)
    daemon.settle()
    assert daemon.stop() == 0
    running.start().wait_ready().wait_resolved()
