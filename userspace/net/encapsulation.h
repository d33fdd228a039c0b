// GRE over IPv4 (RFC 2784, without checksum, key or sequence): the outer headers of one backend as
// a template, and its writing in front of a packet.
//
//          ip_offset - 38                        ip_offset
//             |  Ethernet 14 | IPv4 20 | GRE 4  |  inner IP packet, untouched    | padding, cut
//             ^ the new frame starts here        ^ the old Ethernet header ended here
//
// The template's IPv4 header is complete but for what differs from packet to packet: total length,
// DSCP and ECN, and so its checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "net/address.h"
#include "net/wire.h"

namespace guideway {

// The bytes that go in front of the inner packet.
struct OuterHeader {
  EthernetHeader ethernet;
  Ipv4Header ip;
  GreHeader gre;
};
static_assert(sizeof(OuterHeader) == 38 && std::is_trivially_copyable_v<OuterHeader>);

// What encapsulation adds to a packet on the IP level; the egress MTU must have room for it.
inline constexpr std::uint16_t kOuterIpBytes = sizeof(Ipv4Header) + sizeof(GreHeader);

inline constexpr std::uint8_t kOuterTimeToLive = 64;

// A plain value of fixed size, so that it can be a slot of an array or of a map.
struct OuterTemplate {
  OuterHeader header{};
  std::uint16_t ip_sum{};  // ones' complement sum of `header.ip` with length, TOS and checksum 0
};
static_assert(sizeof(OuterTemplate) == 40 && std::is_trivially_copyable_v<OuterTemplate>);

// The template for packets from `source` to `destination` by the next hop `next_hop`, out of the
// device whose address is `device`. Outer TTL 64, DF set, identification 0 (RFC 6864: atomic).
[[nodiscard]] OuterTemplate make_outer_template(MacAddress device, MacAddress next_hop,
                                                Ipv4Address source, Ipv4Address destination);

// Writes the outer headers into the 38 bytes before `inner_ip`, for an inner packet of
// `inner_ip_bytes` and `type_of_service`, which the outer header copies: DSCP as it is, ECN after
// RFC 6040, section 4.1 (normal mode). Returns the start of the new frame, which is
// 38 + inner_ip_bytes long. REQUIRES: those 38 bytes are writable; the sum fits 16 bits.
std::byte* encapsulate(const OuterTemplate& outer, std::byte* inner_ip,
                       std::uint16_t inner_ip_bytes, std::uint8_t type_of_service);

}  // namespace guideway
