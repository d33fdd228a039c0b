// A route as it is announced: a prefix and its path attributes (RFC 4271, section 5). Plain values.
// Both address families, as a BGP session carries both (RFC 4760). Printing and parsing are each
// other's inverse: what text() says, parse() reads.
//
// Threads: any.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace guideway::bgp {

using IpAddress = boost::asio::ip::address;

// The addresses that have their first `bits` bits in common with `address`, whose other bits are 0.
struct Prefix {
  IpAddress address{};
  std::uint8_t bits = 32;

  // The prefix that has this address alone: /32 or /128.
  [[nodiscard]] static Prefix of(const IpAddress& address);
  // "198.51.100.0/24" or "2001:db8::/48"; an address alone is of(). nullopt: neither, or a bit
  // behind the length is set.
  [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool contains(const IpAddress& one) const;

  friend bool operator==(const Prefix&, const Prefix&) = default;
  friend std::strong_ordering operator<=>(const Prefix& a, const Prefix& b);
};

// The communities that have a name: RFC 1997, RFC 3765 (no-peer), RFC 7999 (blackhole), RFC 8326
// (graceful-shutdown).
inline constexpr std::string_view kCommunityNames[] = {"no-export",           "no-advertise",
                                                       "no-export-subconfed", "no-peer",
                                                       "graceful-shutdown",   "blackhole"};

// RFC 1997: "65000:100", or one of kCommunityNames.
struct Community {
  std::uint32_t value = 0;
  [[nodiscard]] static std::optional<Community> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const Community&, const Community&) = default;
};

// RFC 8092: "65536:1:100".
struct LargeCommunity {
  std::uint32_t global = 0, local_1 = 0, local_2 = 0;
  [[nodiscard]] static std::optional<LargeCommunity> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const LargeCommunity&, const LargeCommunity&) = default;
};

struct Attributes {
  std::optional<std::uint32_t> med;               // MULTI_EXIT_DISC: the lower one is preferred
  std::optional<std::uint32_t> local_preference;  // the higher one is; says nothing to eBGP peers
  std::vector<Community> communities;             // sorted, each once
  std::vector<LargeCommunity> large_communities;  // sorted, each once
  std::uint8_t prepend = 0;  // how often the own ASN is put into AS_PATH beyond the once of eBGP
  // nullopt: the own address of the session.
  std::optional<IpAddress> next_hop;

  // In words, for a person: "med 50, communities 64512:100 no-export"; empty where there are none.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Attributes&, const Attributes&) = default;
};

struct Route {
  Prefix prefix;
  Attributes attributes;
  friend bool operator==(const Route&, const Route&) = default;
};

}  // namespace guideway::bgp
