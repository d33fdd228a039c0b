#include "net/address.h"

#include <charconv>

namespace guideway {

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) {
  std::uint32_t host = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (at == end || *at++ != '.')) return std::nullopt;
    std::uint8_t number = 0;
    const char* const start = at;
    const auto [next, error] = std::from_chars(at, end, number);
    // A leading zero is octal to some programs and decimal to others: neither is meant.
    if (error != std::errc{} || (*start == '0' && next - start > 1)) return std::nullopt;
    host = host << 8 | number;
    at = next;
  }
  if (at != end) return std::nullopt;
  return Ipv4Address(Be32(host));
}

std::string Ipv4Address::text() const {
  const std::uint32_t number = host();
  std::string result;
  for (int shift = 24; shift >= 0; shift -= 8) {
    result += std::to_string(number >> shift & 0xff);
    if (shift > 0) result += '.';
  }
  return result;
}

std::string MacAddress::text() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string result;
  for (const std::uint8_t byte : bytes) {
    if (!result.empty()) result += ':';
    result += kDigits[byte >> 4];
    result += kDigits[byte & 0x0f];
  }
  return result;
}

std::string_view name(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp: return "tcp";
    case Protocol::udp: return "udp";
  }
  return "?";
}

std::string Endpoint::text() const {
  return std::string(name(protocol)) + " " + address.text() + ":" + std::to_string(port);
}

}  // namespace guideway
