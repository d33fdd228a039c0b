#include "xdp/steer_verdict.h"

#include <cstdint>
#include <cstring>
#include <optional>

#include "net/wire.h"

namespace guideway::xdp {
namespace {

using InVips = std::function<bool(const gw_vip_key&)>;

constexpr int kMaxVlanTags = 2;

struct Ports {
  Be16 source;
  Be16 destination;
};

// The header at `offset`, or nullopt where the frame ends before it does.
template <class Header>
std::optional<Header> header_at(std::span<const std::byte> frame, std::size_t offset) {
  if (frame.size() < offset + sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, frame.data() + offset, sizeof header);
  return header;
}

// A packet to a VIP, whose IP header is at `offset`.
gw_verdict match_service(std::span<const std::byte> frame, std::size_t offset, const Ipv4Header& ip,
                         const InVips& in_vips) {
  if (ip.version() != 4) return GW_VERDICT_malformed_version;
  if (ip.header_bytes() < sizeof(Ipv4Header)) return GW_VERDICT_malformed_header_length;
  if ((ip.fragment.host() & (kIpv4MoreFragments | kIpv4FragmentOffset)) != 0)
    return GW_VERDICT_fragment_refused;
  if (ip.protocol == kProtocolIcmp) return GW_VERDICT_icmp_dropped;
  if (ip.protocol != kProtocolTcp && ip.protocol != kProtocolUdp) return GW_VERDICT_no_service;
  const auto ports = header_at<Ports>(frame, offset + ip.header_bytes());
  if (!ports) return GW_VERDICT_malformed_truncated;
  const bool served = in_vips({.address = ip.destination.wire(),
                               .port = ports->destination.wire(),
                               .protocol = ip.protocol,
                               .zero = 0});
  return served ? GW_VERDICT_redirected : GW_VERDICT_no_service;
}

}  // namespace

gw_verdict steer_verdict(std::span<const std::byte> frame, const InVips& in_vips) {
  const auto ethernet = header_at<EthernetHeader>(frame, 0);
  if (!ethernet) return GW_VERDICT_pass_truncated;
  std::uint16_t type = ethernet->type.host();
  std::size_t offset = sizeof(EthernetHeader);
  for (int tags = 0; tags < kMaxVlanTags; ++tags) {
    if (type != kEtherTypeVlan && type != kEtherTypeServiceVlan) break;
    const auto tag = header_at<VlanTag>(frame, offset);
    if (!tag) return GW_VERDICT_pass_truncated;
    type = tag->type.host();
    offset += sizeof(VlanTag);
  }
  if (type == kEtherTypeIpv6) return GW_VERDICT_pass_not_vip;
  if (type != kEtherTypeIpv4) return GW_VERDICT_pass_not_ip;
  const auto ip = header_at<Ipv4Header>(frame, offset);
  if (!ip) return GW_VERDICT_pass_truncated;
  if (!in_vips({.address = ip->destination.wire(), .port = 0, .protocol = 0, .zero = 0}))
    return GW_VERDICT_pass_not_vip;
  return match_service(frame, offset, *ip, in_vips);
}

}  // namespace guideway::xdp
