#include "control/config_values.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <climits>

#include "control/words.h"

namespace guideway::control {
namespace {

using std::chrono::milliseconds;

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

// "15m" as a number of milliseconds that is at most `max_ms`.
std::optional<std::uint64_t> milliseconds_of(std::string_view text, std::uint64_t max_ms) {
  struct Unit {
    std::string_view name;
    std::uint64_t ms;
  };
  static constexpr auto kUnits =
      std::to_array<Unit>({{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}});
  // "ms" is before "s": the first that fits is the one that is meant.
  const auto unit =
      std::ranges::find_if(kUnits, [&](const Unit& one) { return text.ends_with(one.name); });
  if (unit == kUnits.end()) return std::nullopt;
  const auto count = decimal(text.substr(0, text.size() - unit->name.size()));
  if (!count || *count > max_ms / unit->ms) return std::nullopt;
  return *count * unit->ms;
}

// A duration from `min` to `max` that is a multiple of `step`.
std::optional<milliseconds> read_multiple(const Cursor& at, milliseconds min, milliseconds max,
                                          milliseconds step) {
  const bool fine = step < std::chrono::seconds(1);
  const std::string rule = "a duration from " + duration_text(min) + " to " + duration_text(max) +
                           " such as " + (fine ? "500ms, 2s or 1m" : "30s, 15m or 1h");
  const auto text = at.text(rule);
  if (!text) return std::nullopt;
  const auto found = milliseconds_of(*text, static_cast<std::uint64_t>(max.count()));
  const milliseconds value(found.value_or(0));
  if (found && value >= min && value % step == milliseconds(0)) return value;
  if (found && value >= min)
    at.mismatch(rule, "; write whole seconds");
  else if (decimal(*text))
    at.mismatch(rule, fine ? "; write the unit: ms, s, m or h" : "; write the unit: s, m or h");
  else
    at.mismatch(rule);
  return std::nullopt;
}

// What is probably wrong with a `text` that is no ADDRESS:PORT, to stand behind the rule.
std::string_view why_no_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (text.find(':') != colon || text.starts_with('[')) return "; IPv6 is not supported yet";
  if (colon == std::string_view::npos)
    return Ipv4Address::parse(text) ? "; a port is missing" : "; an address is missing";
  if (colon == 0) return "; for all addresses of this host write 0.0.0.0";
  if (Ipv4Address::parse(text.substr(0, colon)))
    return "; a port is a whole number from 1 to 65535";
  return {};
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, is_name_character);
}

std::optional<std::string> read_name(const Cursor& at) {
  auto text = at.text(kNameRule);
  if (!text) return std::nullopt;
  if (is_name(*text)) return text;
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

std::optional<milliseconds> read_duration(const Cursor& at, milliseconds min, milliseconds max) {
  return read_multiple(at, min, max, milliseconds(1));
}

std::optional<std::chrono::seconds> read_seconds(const Cursor& at, std::chrono::seconds min,
                                                 std::chrono::seconds max) {
  const auto value = read_multiple(at, min, max, std::chrono::seconds(1));
  if (!value) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*value);
}

std::string duration_text(milliseconds duration) {
  const auto ms = duration.count();
  if (ms == 0 || ms % 60'000 != 0)
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
  return ms % 3'600'000 == 0 ? std::to_string(ms / 3'600'000) + "h"
                             : std::to_string(ms / 60'000) + "m";
}

std::optional<Metrics> read_listen(const Cursor& at) {
  static constexpr std::string_view kRule = "ADDRESS:PORT such as 127.0.0.1:9477 or 0.0.0.0:9477";
  const auto text = at.text(kRule);
  if (!text) return std::nullopt;
  const std::size_t colon = std::min(text->find(':'), text->size());
  const auto address = Ipv4Address::parse(std::string_view(*text).substr(0, colon));
  const auto port = port_of(std::string_view(*text).substr(std::min(colon + 1, text->size())));
  if (!address || !port) {
    at.mismatch(kRule, why_no_listen(*text));
    return std::nullopt;
  }
  if (*address != Ipv4Address() && !address->is_loopback()) {
    if (const auto kind = not_unicast(*address); !kind.empty()) {
      at.mismatch(kRule, "; that is " + std::string(kind));
      return std::nullopt;
    }
  }
  return Metrics{*address, *port};
}

std::optional<std::string> read_file_path(const Cursor& at, std::string_view what) {
  auto text = at.text(what);
  if (!text) return std::nullopt;
  if (text->starts_with('/') && !text->ends_with('/') && text->size() < PATH_MAX &&
      std::ranges::none_of(*text, is_control_character))
    return text;
  at.mismatch(what);
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
