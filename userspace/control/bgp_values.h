// The small languages within `bgp`: addresses of both families, AS numbers, prefixes, communities,
// the place of the speaker's API. Like config_values.h: each reads the value under a cursor, or
// reports what is wrong and answers nullopt.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bgp/route.h"
#include "control/config_reader.h"
#include "net/address.h"

namespace guideway::control {

// What a value must be, for messages about a wrong or a missing one.
inline constexpr std::string_view kAsnRule = "an AS number from 1 to 4294967295 such as 64512";
inline constexpr std::string_view kPeerAddressRule = "an IPv4 or IPv6 address such as 10.0.0.1";

[[nodiscard]] bgp::IpAddress to_ip_address(Ipv4Address address);

// An address of one host that a session can be with: not of the link only, not loopback.
[[nodiscard]] std::optional<bgp::IpAddress> read_peer_address(const Cursor& at);

// A number that an AS can have (RFC 7607, RFC 7300, RFC 6793).
[[nodiscard]] std::optional<std::uint32_t> read_asn(const Cursor& at);

// "unix:/run/guideway-bgp/api.sock", "127.0.0.1:50051" or "[::1]:50051". One that is open to other
// hosts is a warning.
[[nodiscard]] std::optional<std::string> read_speaker_api(const Cursor& at);

// A prefix that VIPs can be within: not shorter than any that one organization has.
[[nodiscard]] std::optional<bgp::Prefix> read_bgp_prefix(const Cursor& at);

// `communities`, standard and large in one list, into both lists of `attributes`, sorted.
void read_communities(const Cursor& at, bgp::Attributes& attributes);

}  // namespace guideway::control
