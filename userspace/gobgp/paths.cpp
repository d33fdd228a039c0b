#include "gobgp/paths.h"

#include <algorithm>

#include "gobgp/speaker.h"

namespace guideway::gobgp {
namespace {

using bgp::Attributes;
using bgp::IpAddress;
using bgp::Prefix;

constexpr std::uint32_t kOriginIgp = 0;  // RFC 4271, section 5.1.1

apipb::Family family(apipb::Family::Afi afi) {
  apipb::Family result;
  result.set_afi(afi);
  result.set_safi(apipb::Family::SAFI_UNICAST);
  return result;
}

apipb::Family family_of(const Prefix& prefix) {
  return prefix.address.is_v4() ? family_v4() : family_v6();
}

apipb::IPAddressPrefix nlri_of(const Prefix& prefix) {
  apipb::IPAddressPrefix result;
  result.set_prefix(prefix.address.to_string());
  result.set_prefix_len(prefix.bits);
  return result;
}

// The prefix alone, as it is in every path.
apipb::Path path_to(const Prefix& prefix) {
  apipb::Path path;
  *path.mutable_family() = family_of(prefix);
  path.mutable_nlri()->PackFrom(nlri_of(prefix));
  return path;
}

void add(apipb::Path& path, const google::protobuf::Message& attribute) {
  path.add_pattrs()->PackFrom(attribute);
}

// NEXT_HOP is for a next hop of IPv4 to a prefix of IPv4 only (RFC 4760, section 3; RFC 8950).
void add_next_hop(apipb::Path& path, const Prefix& prefix, const IpAddress& next_hop) {
  if (prefix.address.is_v4() && next_hop.is_v4()) {
    apipb::NextHopAttribute attribute;
    attribute.set_next_hop(next_hop.to_string());
    return add(path, attribute);
  }
  apipb::MpReachNLRIAttribute attribute;
  *attribute.mutable_family() = family_of(prefix);
  attribute.add_next_hops(next_hop.to_string());
  attribute.add_nlris()->PackFrom(nlri_of(prefix));
  add(path, attribute);
}

void add_prepend(apipb::Path& path, std::uint32_t own_asn, std::uint8_t times) {
  apipb::AsPathAttribute attribute;
  apipb::AsSegment& segment = *attribute.add_segments();
  segment.set_type(apipb::AsSegment::AS_SEQUENCE);
  for (int i = 0; i < times; ++i) segment.add_numbers(own_asn);
  add(path, attribute);
}

void add_numbers(apipb::Path& path, const Attributes& attributes) {
  if (attributes.med) {
    apipb::MultiExitDiscAttribute attribute;
    attribute.set_med(*attributes.med);
    add(path, attribute);
  }
  if (attributes.local_preference) {
    apipb::LocalPrefAttribute attribute;
    attribute.set_local_pref(*attributes.local_preference);
    add(path, attribute);
  }
}

void add_communities(apipb::Path& path, const Attributes& attributes) {
  if (!attributes.communities.empty()) {
    apipb::CommunitiesAttribute attribute;
    for (const bgp::Community& one : attributes.communities) attribute.add_communities(one.value);
    add(path, attribute);
  }
  if (!attributes.large_communities.empty()) {
    apipb::LargeCommunitiesAttribute attribute;
    for (const bgp::LargeCommunity& one : attributes.large_communities) {
      apipb::LargeCommunity& large = *attribute.add_communities();
      large.set_global_admin(one.global);
      large.set_local_data1(one.local_1);
      large.set_local_data2(one.local_2);
    }
    add(path, attribute);
  }
}

// ---- and back
// ------------------------------------------------------------------------------------

bool read_next_hop(const std::string& text, Attributes& into) {
  boost::system::error_code error;
  IpAddress address = boost::asio::ip::make_address(text, error);
  if (error) return false;
  if (!address.is_unspecified()) into.next_hop = address;
  return true;
}

// Only the own ASN, some times, is ours.
bool read_as_path(const apipb::AsPathAttribute& as_path, std::uint32_t own_asn, Attributes& into) {
  if (as_path.segments().empty()) return true;
  if (as_path.segments_size() != 1) return false;
  const apipb::AsSegment& segment = as_path.segments(0);
  const bool is_own =
      segment.type() == apipb::AsSegment::AS_SEQUENCE && segment.numbers_size() <= 255 &&
      std::ranges::all_of(segment.numbers(), [&](std::uint32_t asn) { return asn == own_asn; });
  if (is_own) into.prepend = static_cast<std::uint8_t>(segment.numbers_size());
  return is_own;
}

void read_communities(const apipb::CommunitiesAttribute& from, Attributes& into) {
  for (const std::uint32_t value : from.communities()) into.communities.push_back({value});
  std::ranges::sort(into.communities);
}

void read_large_communities(const apipb::LargeCommunitiesAttribute& from, Attributes& into) {
  for (const apipb::LargeCommunity& one : from.communities())
    into.large_communities.push_back({one.global_admin(), one.local_data1(), one.local_data2()});
  std::ranges::sort(into.large_communities);
}

// An attribute of type T, if it is one.
template <class T>
std::optional<T> unpacked(const google::protobuf::Any& attribute) {
  T result;
  if (!attribute.Is<T>() || !attribute.UnpackTo(&result)) return std::nullopt;
  return result;
}

// False: no route of ours has it.
bool read_attribute(const google::protobuf::Any& from, std::uint32_t own_asn, Attributes& into) {
  if (const auto origin = unpacked<apipb::OriginAttribute>(from))
    return origin->origin() == kOriginIgp;
  if (const auto as_path = unpacked<apipb::AsPathAttribute>(from))
    return read_as_path(*as_path, own_asn, into);
  if (const auto hop = unpacked<apipb::NextHopAttribute>(from))
    return read_next_hop(hop->next_hop(), into);
  if (const auto reach = unpacked<apipb::MpReachNLRIAttribute>(from))
    return reach->next_hops_size() == 1 && read_next_hop(reach->next_hops(0), into);
  if (const auto med = unpacked<apipb::MultiExitDiscAttribute>(from)) {
    into.med = med->med();
    return true;
  }
  if (const auto preference = unpacked<apipb::LocalPrefAttribute>(from)) {
    into.local_preference = preference->local_pref();
    return true;
  }
  if (const auto communities = unpacked<apipb::CommunitiesAttribute>(from)) {
    read_communities(*communities, into);
    return true;
  }
  if (const auto large = unpacked<apipb::LargeCommunitiesAttribute>(from)) {
    read_large_communities(*large, into);
    return true;
  }
  return false;
}

}  // namespace

apipb::Family family_v4() { return family(apipb::Family::AFI_IP); }
apipb::Family family_v6() { return family(apipb::Family::AFI_IP6); }

apipb::Path to_path(const bgp::Route& route, std::uint32_t own_asn) {
  const Attributes& attributes = route.attributes;
  const IpAddress none = route.prefix.address.is_v4()
                             ? IpAddress(boost::asio::ip::address_v4::any())
                             : IpAddress(boost::asio::ip::address_v6::any());
  apipb::Path path = path_to(route.prefix);
  path.set_identifier(kPathIdentifier);
  apipb::OriginAttribute origin;
  origin.set_origin(kOriginIgp);
  add(path, origin);
  if (attributes.prepend > 0) add_prepend(path, own_asn, attributes.prepend);
  add_next_hop(path, route.prefix, attributes.next_hop.value_or(none));
  add_numbers(path, attributes);
  add_communities(path, attributes);
  return path;
}

std::optional<Attributes> attributes_of(const apipb::Path& path, std::uint32_t own_asn) {
  Attributes result;
  for (const google::protobuf::Any& attribute : path.pattrs())
    if (!read_attribute(attribute, own_asn, result)) return std::nullopt;
  return result;
}

bool LocalPath::is_ours() const { return identifier == kPathIdentifier && source_asn == 0; }

std::optional<LocalPath> to_local_path(const apipb::Destination& destination,
                                       const apipb::Path& path, std::uint32_t own_asn) {
  boost::system::error_code no_address;
  const auto neighbour = boost::asio::ip::make_address(path.neighbor_ip(), no_address);
  // Of a local path it is "<nil>".
  if (!no_address && !neighbour.is_unspecified()) return std::nullopt;
  const auto prefix = Prefix::parse(destination.prefix());
  if (!prefix) return std::nullopt;
  LocalPath result{.prefix = *prefix, .identifier = path.identifier()};
  result.source_asn = path.source_asn();
  if (result.source_asn != 0) result.source_id = path.source_id();
  result.attributes = attributes_of(path, own_asn);
  return result;
}

apipb::Path withdrawal_of(const LocalPath& path) {
  apipb::Path result = path_to(path.prefix);
  result.set_is_withdraw(true);  // else GoBGP asks for a next hop
  result.set_identifier(path.identifier);
  result.set_source_asn(path.source_asn);
  result.set_source_id(path.source_id);
  return result;
}

}  // namespace guideway::gobgp
