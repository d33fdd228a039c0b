#include "net/packet.h"

#include <bit>
#include <cstring>

#include "net/checksum.h"
#include "net/wire.h"

namespace guideway {
namespace {

constexpr int kMaxVlanTags = 2;  // 802.1ad outside, 802.1Q inside

// A header at `offset`, or nullptr where the frame ends before it does. Wire structures have
// alignment 1 and no invariants, so that any bytes are a valid one.
template <class Header>
const Header* header_at(std::span<const std::byte> frame, std::size_t offset) {
  if (frame.size() < offset + sizeof(Header)) return nullptr;
  return reinterpret_cast<const Header*>(frame.data() + offset);
}

// The second half of a flow key in one store: the hash reads it as one word soon after, and a load
// does not get what several smaller stores have just written without waiting for the cache.
void set_ports(gw_flow_key& flow, const Be16* both_ports, std::uint8_t protocol) {
  std::uint32_t ports;
  std::memcpy(&ports, both_ports, sizeof ports);
  const std::uint64_t word = std::endian::native == std::endian::little
                                 ? ports | std::uint64_t{protocol} << 32
                                 : std::uint64_t{ports} << 32 | std::uint64_t{protocol} << 24;
  static_assert(offsetof(gw_flow_key, source_port) + sizeof word == sizeof(gw_flow_key));
  std::memcpy(&flow.source_port, &word, sizeof word);
}

DropReason parse_ports(std::span<const std::byte> segment, std::uint8_t protocol, Packet& packet) {
  if (protocol == kProtocolTcp) {
    const auto* tcp = header_at<TcpHeader>(segment, 0);
    if (tcp == nullptr) return DropReason::malformed_truncated;
    const std::size_t header_bytes = static_cast<std::size_t>(tcp->data_offset >> 4) * 4;
    if (header_bytes < sizeof(TcpHeader) || header_bytes > segment.size())
      return DropReason::malformed_tcp_offset;
    set_ports(packet.flow, &tcp->source_port, protocol);
    packet.tcp_flags = tcp->flags;
    return DropReason::none;
  }
  if (protocol == kProtocolUdp) {
    const auto* udp = header_at<UdpHeader>(segment, 0);
    if (udp == nullptr) return DropReason::malformed_truncated;
    set_ports(packet.flow, &udp->source_port, protocol);
    packet.tcp_flags = 0;
    return DropReason::none;
  }
  return protocol == kProtocolIcmp ? DropReason::icmp_dropped : DropReason::no_service;
}

DropReason parse_ipv4(std::span<const std::byte> datagram, Packet& packet) {
  const auto* ip = header_at<Ipv4Header>(datagram, 0);
  if (ip == nullptr) return DropReason::malformed_truncated;
  if (ip->version() != 4) return DropReason::malformed_version;
  const std::size_t header_bytes = ip->header_bytes();
  if (header_bytes < sizeof(Ipv4Header) || header_bytes > datagram.size())
    return DropReason::malformed_header_length;
  const std::size_t total_bytes = ip->total_length.host();
  if (total_bytes < header_bytes || total_bytes > datagram.size())
    return DropReason::malformed_total_length;
  if (!checksum_is_right(datagram.first(header_bytes))) return DropReason::malformed_checksum;
  const Ipv4Address source(ip->source);
  if (!source.is_unicast() || ip->source == ip->destination) return DropReason::malformed_source;
  if ((ip->fragment.host() & (kIpv4MoreFragments | kIpv4FragmentOffset)) != 0)
    return DropReason::fragment_refused;

  packet.ip_bytes = static_cast<std::uint16_t>(total_bytes);
  packet.type_of_service = ip->type_of_service;
  std::memcpy(&packet.flow.source_address, &ip->source, 2 * sizeof(Be32));
  return parse_ports(datagram.subspan(header_bytes, total_bytes - header_bytes), ip->protocol,
                     packet);
}

}  // namespace

DropReason parse_frame(std::span<const std::byte> frame, Packet& packet) {
  const auto* ethernet = header_at<EthernetHeader>(frame, 0);
  if (ethernet == nullptr) return DropReason::malformed_truncated;
  std::uint16_t type = ethernet->type.host();
  std::size_t offset = sizeof(EthernetHeader);
  for (int tags = 0; type == kEtherTypeVlan || type == kEtherTypeServiceVlan; ++tags) {
    if (tags == kMaxVlanTags) return DropReason::not_ipv4;
    const auto* tag = header_at<VlanTag>(frame, offset);
    if (tag == nullptr) return DropReason::malformed_truncated;
    type = tag->type.host();
    offset += sizeof(VlanTag);
  }
  if (type != kEtherTypeIpv4) return DropReason::not_ipv4;
  packet = Packet{};
  packet.ip_offset = static_cast<std::uint16_t>(offset);
  return parse_ipv4(frame.subspan(offset), packet);
}

}  // namespace guideway
