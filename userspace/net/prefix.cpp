#include "net/prefix.h"

#include <charconv>

namespace guideway {

std::optional<Ipv4Prefix> Ipv4Prefix::parse(std::string_view text) {
  constexpr std::uint8_t kAddressBits = 32;
  const std::size_t slash = text.find('/');
  const auto address = Ipv4Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Ipv4Prefix{.address = *address};
  const std::string_view digits = text.substr(slash + 1);
  std::uint8_t bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || bits > kAddressBits)
    return std::nullopt;
  return Ipv4Prefix{.address = *address, .bits = bits};
}

}  // namespace guideway
