// An IPv4 prefix: the addresses that have their first bits in common. A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/address.h"

namespace guideway {

struct Ipv4Prefix {
  Ipv4Address address{};   // bits behind the first `bits` say nothing
  std::uint8_t bits = 32;  // 0 to 32; 0: every address

  // "203.0.113.0/24"; an address alone is a prefix of 32 bits. nullopt: neither.
  [[nodiscard]] static std::optional<Ipv4Prefix> parse(std::string_view text);
};

}  // namespace guideway
