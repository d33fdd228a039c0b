"""What a packet is wrapped in, byte for byte: taken from the wire before and behind the load
balancer. Packets are put on the router's end of the link, so that nothing changes them before."""
import random
import socket
import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP, IPOption_Router_Alert
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from support import fetch, process
from support.daemon import config
from support.lab import CLIENT, FABRIC_MTU, INTERFACE, VIP
from support.wire import Wire, checksum, ip_packet, is_gre

GRE = bytes.fromhex("00000800")
SERVICES = ("tcp/80", "udp/53")


@pytest.fixture
def wire(lab):
    with Wire(lab, "router", "to-lb1") as wire:
        yield wire


@pytest.fixture
def macs(lab, wire):
    """Of the link between router and load balancer: (router, load balancer)."""
    with Wire(lab, "lb1", INTERFACE) as other:
        return wire.mac, other.mac


def client_packets():
    """Packets as clients send them: (name, IPv4 packet). Each has an identification of its own."""
    rng = random.Random(2024)
    numbers = iter(range(1, 1 << 16))

    def packet(name, transport, payload=b"", **fields):
        ip = IP(src=f"203.0.113.{rng.randrange(20, 250)}", dst=VIP, id=next(numbers), **fields)
        return name, bytes(ip / transport / Raw(payload))

    def tcp(**fields):
        return TCP(sport=rng.randrange(1024, 65536), dport=80, seq=rng.getrandbits(32), **fields)

    def udp(**fields):
        return UDP(sport=rng.randrange(1024, 65536), dport=53, **fields)

    yield packet("bare SYN", tcp(flags="S"))
    yield packet("SYN with options", tcp(flags="S", options=[("MSS", 1460), ("SAckOK", b""), ("WScale", 7)]))
    yield packet("no DF", tcp(flags="A"), b"x" * 99)
    yield packet("DF", tcp(flags="PA"), b"y" * 100, flags="DF")
    yield packet("TTL 1", udp(), b"last breath", ttl=1)
    yield packet("UDP without checksum", udp(chksum=0), b"unchecked")
    yield packet("wrong TCP checksum", tcp(flags="A", chksum=0x1234), b"for the backend to judge")
    yield packet("IP options", tcp(flags="A"), b"z" * 33, options=[IPOption_Router_Alert(), IPOption_NOP()])
    yield packet("60 bytes of IP header", udp(), b"o" * 7, options=[IPOption_NOP()] * 40)
    for tos in (0x01, 0x02, 0x03, 0x28, 0xB8, 0xBB, 0xFF):
        yield packet(f"TOS {tos:#04x}", tcp(flags="A"), b"t" * 21, tos=tos)
    for size in (0, 1, 2, 3, 5, 17, 18, 19, 63, 64, 65, 511, 999, 1459, 1460):
        yield packet(f"{size} bytes in TCP", tcp(flags="PA"), rng.randbytes(size))
        yield packet(f"{size} bytes in UDP", udp(), rng.randbytes(size))
    yield packet("as large as fits", udp(), rng.randbytes(FABRIC_MTU - 24 - 28), flags="DF")


def ethernet(macs, packet, padding=b""):
    router, lb = macs
    return lb + router + b"\x08\x00" + packet + padding


def inner_of(frame):
    """The packet in a GRE frame; the padding behind the outer packet, if any, is not part of it."""
    return ip_packet(frame)[24:]


def encapsulated(wire, number):
    return [frame.data for frame in wire.wait_for(
        lambda frame: not frame.outgoing and is_gre(frame.data), number)]


def test_every_packet_is_wrapped_rightly_and_unchanged_within(lab, start, wire, macs):
    daemon = start(config(lab, ports=SERVICES))
    packets = dict(client_packets())
    for packet in packets.values():
        wire.send(ethernet(macs, packet))
    frames = {inner_of(data): data for data in encapsulated(wire, len(packets))}

    missing = [name for name, packet in packets.items() if packet not in frames]
    assert missing == []
    assert len(frames) == len(packets)
    backends = {socket.inet_aton(backend.address) for backend in lab.backends}
    for name, packet in packets.items():
        data = frames[packet]
        assert data[:14] == macs[0] + macs[1] + b"\x08\x00", name
        outer = data[14:34]
        version, tos, length, _, fragment, ttl, protocol, _ = struct.unpack_from("!BBHHHBBH", outer)
        assert (version, tos, length) == (0x45, packet[1], 24 + len(packet)), name
        assert (fragment, ttl, protocol) == (0x4000, 64, socket.IPPROTO_GRE), name
        assert checksum(outer) == 0, name
        assert outer[12:16] == socket.inet_aton(lab.lbs[0].address), name
        assert outer[16:20] in backends, name
        assert data[34:38] == GRE, name
    assert daemon.settle()["totals"]["transmitted"] == len(packets)


def test_the_packet_is_the_same_on_the_backends_wire(lab, start, wire, macs):
    """Behind another router hop, in front of the decapsulation."""
    start(config(lab, ports=SERVICES))
    packets = dict(client_packets())
    taps = [Wire(lab, "router", f"to-{backend.name}") for backend in lab.backends]
    try:
        for packet in packets.values():
            wire.send(ethernet(macs, packet))

        def arrived():
            return [inner_of(frame.data) for tap in taps for frame in tap.look()
                    if frame.outgoing and is_gre(frame.data)]
        process.wait_until(lambda: len(arrived()) >= len(packets), "all packets are on the way to backends", 5)
        assert sorted(arrived()) == sorted(packets.values())
    finally:
        for tap in taps:
            tap.close()


@pytest.mark.parametrize("payload", [0, 1, 5, 6])
def test_padding_to_60_bytes_is_cut(lab, start, wire, macs, payload):
    start()
    packet = bytes(IP(src="203.0.113.99", dst=VIP, id=7) / TCP(sport=5000, dport=80) / Raw(b"p" * payload))
    frame = ethernet(macs, packet, padding=b"\xEE" * (46 - len(packet)))
    assert len(frame) == 60
    wire.send(frame)
    [data] = encapsulated(wire, 1)
    assert data[38:] == packet


@pytest.fixture
def vlan(lab):
    """A NIC may drop frames of a VLAN that nobody has on this host."""
    if lab.link.driver == "veth":
        yield
        return
    lab.ip("lb1", f"link add link {INTERFACE} name {INTERFACE}.5 type vlan id 5")
    yield
    lab.ip("lb1", f"link delete {INTERFACE}.5")


@pytest.mark.parametrize("tags", [[Dot1Q(vlan=5, prio=3)], [Dot1AD(vlan=9), Dot1Q(vlan=5)]], ids=["1Q", "1AD"])
def test_a_vlan_tag_is_taken_off(lab, vlan, start, wire, macs, tags):
    start()
    frame = Ether(dst=macs[1], src=macs[0])
    for tag in tags:
        frame = frame / tag
    packet = IP(src="203.0.113.98", dst=VIP, id=8) / TCP(sport=5001, dport=80) / Raw(b"tagged")
    wire.send(bytes(frame / packet))
    [data] = encapsulated(wire, 1)
    assert data[:14] == macs[0] + macs[1] + b"\x08\x00"
    assert data[38:] == bytes(packet)


def test_real_connections_carry_right_checksums(lab, start, wire):
    """TCP as the client's kernel makes it, no checksum left unfinished by a veth."""
    daemon = start()
    fetch.fetch(lab, "/large.bin", 5100)
    fetch.fetch(lab, "/upload/checksums", 5101, "PUT", b"c" * 100_001)
    sent = daemon.settle()["totals"]["transmitted"]
    wrapped = {inner_of(data) for data in encapsulated(wire, sent)}
    packets = [ip_packet(frame.data) for frame in wire.look() if frame.outgoing]
    # Only what the client sent: the router, too, has something to say to the VIP (ICMP) when an answer
    # to an address that a former test made up finds nobody.
    from_client_to_vip = socket.inet_aton(CLIENT) + socket.inet_aton(VIP)
    originals = {packet for packet in packets if packet and packet[12:20] == from_client_to_vip}
    assert len(originals) > 10
    assert wrapped == originals
    for packet in wrapped:
        pseudo = packet[12:20] + struct.pack("!HH", packet[9], len(packet) - 20)
        assert checksum(packet[:20]) == 0 and checksum(pseudo + packet[20:]) == 0
