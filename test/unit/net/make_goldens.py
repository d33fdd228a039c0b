#!/usr/bin/python3
"""Makes goldens.h: frames and checksums that scapy made, for the unit tests of net and dataplane.

    make_goldens.py           writes goldens.h beside this file
    make_goldens.py --check   fails if goldens.h is not what would be written; exit 77: no scapy

Each golden is a frame as it comes from the client's side and the frame that has to leave: GRE over
IPv4 around the very same inner packet, without VLAN tags and without padding.
"""
import pathlib
import random
import sys

try:
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import GRE, Dot1AD, Dot1Q, Ether
    from scapy.packet import Raw
    from scapy.utils import checksum
except ImportError as error:
    print(f"make_goldens.py: skipped: scapy is missing ({error})")
    sys.exit(77)

DEVICE, NEXT_HOP, CLIENT_SIDE = "02:00:00:00:00:01", "02:00:00:00:00:aa", "02:00:00:00:00:02"
TUNNEL_SOURCE, BACKEND = "192.0.2.1", "10.1.2.3"
CLIENT, VIP = "203.0.113.7", "198.51.100.1"
WIDTH = 84  # hex digits a line


def payload(size):
    return bytes((i * 7 + 3) & 0xFF for i in range(size))


def udp(size, **ip):
    ip = {"src": CLIENT, "dst": VIP, "ttl": 57, "id": 0x1234, "flags": "DF", **ip}
    return IP(**ip) / UDP(sport=40000, dport=80) / Raw(payload(size))


def tcp(size, flags="A", options=(), **ip):
    ip = {"src": CLIENT, "dst": VIP, "ttl": 57, "id": 0x1234, "flags": "DF", **ip}
    return IP(**ip) / TCP(sport=40000, dport=80, seq=0x01020304, flags=flags,
                          options=list(options)) / Raw(payload(size))


def golden(name, inner, tags=(), padding=0):
    """(name, ingress, egress) as hex text."""
    inner = bytes(inner)
    ingress = Ether(dst=DEVICE, src=CLIENT_SIDE)
    for tag in tags:
        ingress /= tag
    if tags:
        ingress.lastlayer().type = 0x0800
    else:
        ingress.type = 0x0800
    # Outer DSCP is a copy; outer ECN as RFC 6040, normal mode: a copy at the ingress of a tunnel.
    outer = (Ether(dst=NEXT_HOP, src=DEVICE, type=0x0800)
             / IP(src=TUNNEL_SOURCE, dst=BACKEND, ttl=64, id=0, flags="DF", tos=inner[1], proto=47)
             / GRE(proto=0x0800) / Raw(inner))
    return name, (bytes(ingress) + inner + b"\xee" * padding).hex(), bytes(outer).hex()


def goldens():
    yield golden("udp without payload, padded to 60 bytes", udp(0), padding=18)
    yield golden("udp, 60 bytes without padding", udp(18))
    for size in (1, 2, 17, 100, 511, 1472):
        yield golden(f"udp, payload {size}", udp(size))
    yield golden("tcp syn, padded to 60 bytes", tcp(0, flags="S"), padding=6)
    yield golden("tcp syn with options",
                 tcp(0, flags="S", options=[("MSS", 1460), ("NOP", None), ("WScale", 7)]))
    yield golden("tcp fin ack with payload", tcp(33, flags="FA"))
    yield golden("ip options", udp(20, options=[b"\x94\x04\x00\x00"]))
    yield golden("ip fragmentation allowed", udp(20, flags=0))
    yield golden("ttl 1 is not touched", udp(20, ttl=1))
    for ecn, ecn_name in enumerate(("not ect", "ect 1", "ect 0", "ce")):
        for dscp, dscp_name in ((0, "default"), (10, "af11"), (46, "ef"), (56, "cs7"), (63, "all")):
            yield golden(f"dscp {dscp_name}, ecn {ecn_name}", udp(18, tos=dscp << 2 | ecn))
    yield golden("802.1q tag", tcp(20), tags=[Dot1Q(vlan=100, prio=5)])
    yield golden("802.1q tag, padded to 64 bytes", udp(0), tags=[Dot1Q(vlan=4095)], padding=18)
    yield golden("802.1ad and 802.1q tags", udp(40), tags=[Dot1AD(vlan=7), Dot1Q(vlan=100)])
    yield golden("much padding", udp(4), padding=200)


def checksum_goldens():
    """(bytes, checksum): even lengths, as all that the packet path adds up."""
    chance = random.Random(1071)
    yield bytes.fromhex("0001f203f4f5f6f7")  # RFC 1071, section 3
    yield b"\x00\x00"
    yield b"\xff\xff"
    yield b"\xff" * 60
    yield b"\x00\x01" * 30
    for length in list(range(2, 62, 6)) + [1500]:
        yield bytes(chance.randrange(256) for _ in range(length))


def literal(text, indent):
    pieces = [text[i:i + WIDTH] for i in range(0, len(text), WIDTH)] or [""]
    return ("\n" + indent).join(f'"{piece}"' for piece in pieces)


def render():
    out = ["// Written by make_goldens.py with scapy; do not edit. A test runs it again and compares.",
           "#pragma once", "", "#include <cstdint>", "#include <string_view>", "",
           "// clang-format off", "namespace guideway::test {", "",
           "// The tunnel that all goldens go through.",
           f'inline constexpr std::string_view kGoldenDevice = "{DEVICE}";',
           f'inline constexpr std::string_view kGoldenNextHop = "{NEXT_HOP}";',
           f'inline constexpr std::string_view kGoldenSource = "{TUNNEL_SOURCE}";',
           f'inline constexpr std::string_view kGoldenBackend = "{BACKEND}";',
           f'inline constexpr std::string_view kGoldenVip = "{VIP}";', "",
           "struct Golden {", "  std::string_view name;",
           "  std::string_view ingress;  // hex, from the Ethernet header on",
           "  std::string_view egress;", "};", "", "inline constexpr Golden kGoldens[] = {"]
    for name, ingress, egress in goldens():
        out.append(f'    {{"{name}",\n     {literal(ingress, "     ")},\n     {literal(egress, "     ")}}},')
    out += ["};", "", "struct ChecksumGolden {", "  std::string_view bytes;  // hex",
            "  std::uint16_t checksum;", "};", "",
            "inline constexpr ChecksumGolden kChecksumGoldens[] = {"]
    for data in checksum_goldens():
        out.append(f'    {{{literal(data.hex(), "     ")}, {checksum(data):#06x}}},')
    out += ["};", "", "}  // namespace guideway::test", ""]
    return "\n".join(out)


def main():
    target = pathlib.Path(__file__).with_name("goldens.h")
    text = render()
    if sys.argv[1:] == ["--check"]:
        if target.read_text(encoding="ascii") != text:
            sys.exit(f"{target} is not what make_goldens.py writes: run it, look at the difference")
        print(f"{target.name} is what scapy makes")
    elif not sys.argv[1:]:
        target.write_text(text, encoding="ascii")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
