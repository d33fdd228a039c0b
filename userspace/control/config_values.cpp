#include "control/config_values.h"

#include <sys/un.h>

#include <algorithm>
#include <array>

#include "control/model.h"
#include "control/words.h"

namespace guideway::control {
namespace {

constexpr std::size_t kMaxName = 63;
constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ with the zero
constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;

// Without regard to the locale.
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_control_character(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_interface_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxInterfaceName || text == "." || text == "..") return false;
  return std::ranges::none_of(
      text, [](char c) { return c == '/' || c == ':' || c == ' ' || is_control_character(c); });
}

// Why an address is not one of a host; empty if it is.
std::string_view not_unicast(Ipv4Address address) {
  if (address.is_loopback()) return "a loopback address";
  if (address.is_this_network()) return "no address of a host";
  if (address.is_multicast_or_reserved()) return "a multicast or reserved address";
  return {};
}

std::optional<Protocol> protocol_of(std::string_view word) {
  for (const Protocol protocol : {Protocol::tcp, Protocol::udp})
    if (name(protocol) == word) return protocol;
  return std::nullopt;
}

std::optional<std::uint16_t> port_of(std::string_view digits) {
  const auto number = decimal(digits);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// "8000-8010" or "8000:8010".
bool is_port_range(std::string_view text) {
  const std::size_t middle = text.find_first_of("-:");
  return middle != std::string_view::npos && decimal(text.substr(0, middle)) &&
         decimal(text.substr(middle + 1));
}

std::optional<std::uint64_t> seconds_of_unit(char unit) {
  if (unit == 's') return 1;
  if (unit == 'm') return 60;
  if (unit == 'h') return 3600;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_name(const Cursor& at) {
  auto text = at.text(kNameRule);
  if (!text) return std::nullopt;
  if (!text->empty() && text->size() <= kMaxName && std::ranges::all_of(*text, is_name_character))
    return text;
  at.mismatch(kNameRule);
  return std::nullopt;
}

std::optional<std::string> read_interface_name(const Cursor& at) {
  auto text = at.text(kInterfaceNameRule);
  if (!text || is_interface_name(*text)) return text;
  at.mismatch(kInterfaceNameRule);
  return std::nullopt;
}

std::optional<Ipv4Address> read_address(const Cursor& at, std::string_view example) {
  const std::string rule = "an IPv4 address such as " + std::string(example);
  const auto text = at.text(rule);
  if (!text) return std::nullopt;
  const auto address = Ipv4Address::parse(*text);
  if (!address) {
    if (text->find(':') != std::string::npos)
      at.error("IPv6 is not supported yet; must be " + rule + ", not " + quoted(*text));
    else if (text->find('/') != std::string::npos)
      at.mismatch(rule, "; it is one address, without a prefix length");
    else
      at.mismatch(rule);
    return std::nullopt;
  }
  if (const auto kind = not_unicast(*address); !kind.empty()) {
    at.mismatch(rule, "; that is " + std::string(kind));
    return std::nullopt;
  }
  return address;
}

std::optional<Endpoint> read_port(const Cursor& at, Ipv4Address vip) {
  static constexpr std::string_view kRule = "PROTOCOL/PORT such as tcp/80 or udp/53";
  const auto text = at.text(kRule);
  if (!text) return std::nullopt;
  const std::size_t slash = std::min(text->find('/'), text->size());
  const std::string_view left = std::string_view(*text).substr(0, slash);
  const std::string_view right = std::string_view(*text).substr(std::min(slash + 1, text->size()));
  const auto protocol = protocol_of(left);
  const auto port = port_of(right);
  if (protocol && port) return Endpoint{vip, *port, *protocol};

  if (protocol && is_port_range(right))
    at.mismatch(kRule, "; ranges are not supported: list the ports one by one");
  else if (protocol && decimal(right))
    at.mismatch(kRule, "; a port is a whole number from 1 to 65535");
  else if (port)
    at.mismatch(kRule, "; the protocol is tcp or udp");
  else if (protocol_of(right) && port_of(left))
    at.mismatch(kRule,
                "; did you mean " + quoted(std::string(right) + "/" + std::string(left)) + "?");
  else
    at.mismatch(kRule);
  return std::nullopt;
}

std::optional<std::chrono::seconds> read_duration(const Cursor& at) {
  static constexpr std::string_view kRule = "a duration from 1s to 9h such as 30s, 15m or 1h";
  static_assert(kMaxFlowTimeout == std::chrono::hours(9), "kRule says so");
  const auto text = at.text(kRule);
  if (!text) return std::nullopt;
  if (!text->empty()) {
    const auto unit = seconds_of_unit(text->back());
    const auto count = decimal(std::string_view(*text).substr(0, text->size() - 1));
    const auto max = static_cast<std::uint64_t>(kMaxFlowTimeout.count());
    if (unit && count && *count >= 1 && *count <= max / *unit)
      return std::chrono::seconds(*count * *unit);
  }
  at.mismatch(kRule, decimal(*text) ? "; write the unit: s, m or h" : "");
  return std::nullopt;
}

std::optional<std::string> read_socket_path(const Cursor& at) {
  static constexpr std::string_view kRule =
      "an absolute path shorter than 108 bytes such as /run/guideway/guidewayd.sock";
  static_assert(kMaxSocketPath + 1 == 108, "kRule says so");
  auto text = at.text(kRule);
  if (!text) return std::nullopt;
  if (text->size() <= kMaxSocketPath && text->starts_with('/') && !text->ends_with('/') &&
      std::ranges::none_of(*text, is_control_character))
    return text;
  at.mismatch(kRule);
  return std::nullopt;
}

}  // namespace guideway::control
