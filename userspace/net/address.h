// Addresses: IPv4 and Ethernet, and a transport endpoint. Plain values; parsing and printing.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/big_endian.h"

namespace guideway {

// An IPv4 address. Orders by number: 10.0.0.2 < 10.0.0.10.
class Ipv4Address {
 public:
  constexpr Ipv4Address() = default;
  constexpr explicit Ipv4Address(Be32 wire) : wire_(wire) {}

  // Dotted quad ("192.0.2.1"), four decimal numbers, nothing else; nullopt if it is not one.
  [[nodiscard]] static std::optional<Ipv4Address> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] constexpr Be32 wire() const { return wire_; }
  [[nodiscard]] constexpr std::uint32_t host() const { return wire_.host(); }

  [[nodiscard]] constexpr bool is_loopback() const { return host() >> 24 == 127; }
  // 0.0.0.0/8 (RFC 791: "this network"): never on the wire as a host's address.
  [[nodiscard]] constexpr bool is_this_network() const { return host() >> 24 == 0; }
  // 224.0.0.0 and above: multicast, reserved, limited broadcast.
  [[nodiscard]] constexpr bool is_multicast_or_reserved() const { return host() >> 28 >= 14; }
  // Can be the address of one host on a network.
  [[nodiscard]] constexpr bool is_unicast() const {
    return !is_loopback() && !is_this_network() && !is_multicast_or_reserved();
  }

  friend constexpr bool operator==(Ipv4Address, Ipv4Address) = default;
  friend constexpr std::strong_ordering operator<=>(Ipv4Address a, Ipv4Address b) {
    return a.host() <=> b.host();
  }

 private:
  Be32 wire_;
};

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  [[nodiscard]] std::string text() const;  // "02:00:00:00:00:01"
  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
};

// Transport protocols that a service can have. The value is the IP protocol number.
enum class Protocol : std::uint8_t { tcp = 6, udp = 17 };
[[nodiscard]] std::string_view name(Protocol protocol);

// What clients connect to: the identity of a service.
struct Endpoint {
  Ipv4Address address;
  std::uint16_t port{};  // host byte order
  Protocol protocol{};

  [[nodiscard]] std::string text() const;  // "tcp 198.51.100.1:80"
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace guideway
