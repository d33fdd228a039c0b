#include "gobgp/target.h"

#include <cctype>
#include <cstring>
#include <string_view>

namespace guideway::gobgp {
namespace {

std::string percent_encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::strchr("/-._~", c) != nullptr) {
      result += c;
    } else {
      result += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return result;
}

}  // namespace

std::string target(const bgp::Endpoint& endpoint) {
  if (!endpoint.path.empty()) return "unix:" + percent_encoded(endpoint.path);
  const std::string& address = endpoint.address;
  const bool is_v6 = address.find(':') != std::string::npos;
  // Brackets are no characters of a URI's path.
  return is_v6 ? "ipv6:%5B" + percent_encoded(address) + "%5D:" + std::to_string(endpoint.port)
               : "ipv4:" + address + ":" + std::to_string(endpoint.port);
}

}  // namespace guideway::gobgp
