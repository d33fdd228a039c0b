#include "control/check_values.h"

#include <algorithm>
#include <charconv>

namespace guideway::control {
namespace {

constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxTarget = 2048;
constexpr std::size_t kMaxHost = 260;    // a domain name, a colon and a port
constexpr std::size_t kMaxDomain = 253;  // RFC 1035, section 2.3.4, as text
constexpr std::size_t kMaxLabel = 63;
// Fits one packet with the outer headers of the tunnel at an MTU of 1500.
constexpr std::size_t kMaxDatagram = 1400;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_visible(char c) { return c > 0x20 && c < 0x7f; }

bool is_label_character(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabel && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, is_label_character);
}

bool is_domain(std::string_view text) {
  if (text.size() > kMaxDomain) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::optional<std::uint16_t> status_of(std::string_view digits) {
  const auto number = decimal(digits);
  if (!number || *number < 100 || *number > 599) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::string bytes_rule(std::size_t min, std::string_view unit) {
  return std::to_string(min) + " to " + std::to_string(kMaxDatagram) + " bytes" + std::string(unit);
}

// The bytes that pairs of hex digits stand for.
std::optional<std::string> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string result;
  result.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned char byte = 0;
    const char* const end = digits.data() + i + 2;
    const auto [next, error] = std::from_chars(digits.data() + i, end, byte, 16);
    if (error != std::errc{} || next != end) return std::nullopt;
    result += static_cast<char>(byte);
  }
  return result;
}

}  // namespace

std::optional<std::string> read_method(const Cursor& at) {
  static constexpr std::string_view kRule = "an HTTP method in upper case letters such as GET";
  auto text = at.text(kRule);
  if (!text) return std::nullopt;
  if (!text->empty() && text->size() <= kMaxMethod && std::ranges::all_of(*text, is_upper))
    return text;
  at.mismatch(kRule);
  return std::nullopt;
}

std::optional<std::string> read_target(const Cursor& at) {
  static constexpr std::string_view kRule = "a path that starts with '/' such as /healthz";
  auto text = at.text(kRule);
  if (!text) return std::nullopt;
  if (text->starts_with('/') && text->size() <= kMaxTarget &&
      std::ranges::all_of(*text, is_visible))
    return text;
  std::string hint;
  if (text->size() > kMaxTarget)
    hint = "; it is longer than " + std::to_string(kMaxTarget) + " bytes";
  else if (text->starts_with('/'))
    hint = "; write spaces, control characters and what is not ASCII as % and two hex digits";
  else if (text->starts_with("http"))
    hint = "; the host of the request is the key host";
  at.mismatch(kRule, hint);
  return std::nullopt;
}

std::optional<std::string> read_host(const Cursor& at) {
  static constexpr std::string_view kRule =
      "a host name or an address, with a port where one is needed, such as www.example.com";
  auto text = at.text(kRule);
  if (!text) return std::nullopt;
  if (!text->empty() && text->size() <= kMaxHost && std::ranges::all_of(*text, is_visible))
    return text;
  at.mismatch(kRule);
  return std::nullopt;
}

std::string server_name_of(std::string_view host) {
  const std::string_view name = host.substr(0, host.find(':'));
  return is_domain(name) ? std::string(name) : std::string();
}

std::optional<std::string> read_server_name(const Cursor& at) {
  static constexpr std::string_view kRule =
      "the name or IPv4 address that a certificate is for, such as www.example.com";
  auto text = at.text(kRule);
  if (!text || is_domain(*text)) return text;
  at.mismatch(kRule);
  return std::nullopt;
}

std::optional<probe::StatusRange> read_status(const Cursor& at) {
  static constexpr std::string_view kRule =
      "a status from 100 to 599 such as 200, or a range such as 200-299";
  const auto text = at.text(kRule);
  if (!text) return std::nullopt;
  const std::string_view all = *text;
  const std::size_t dash = all.find('-');
  const auto first = status_of(all.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : status_of(all.substr(dash + 1));
  if (first && last && *first <= *last) return probe::StatusRange{*first, *last};
  at.mismatch(kRule, first && last ? "; the smaller one comes first" : "");
  return std::nullopt;
}

std::optional<std::string> read_domain(const Cursor& at) {
  auto text = at.text(kDomainRule);
  if (!text) return std::nullopt;
  if (*text == ".") return text;
  const bool rooted = text->ends_with('.');
  if (const auto name = std::string_view(*text).substr(0, text->size() - (rooted ? 1 : 0));
      is_domain(name))
    return std::string(name);
  at.mismatch(kDomainRule);
  return std::nullopt;
}

std::optional<std::string> read_bytes(const Cursor& at, std::size_t min) {
  const std::string rule = "a text of " + bytes_rule(min, "");
  auto text = at.text(rule);
  if (!text) return std::nullopt;
  if (text->size() >= min && text->size() <= kMaxDatagram) return text;
  at.mismatch(rule);
  return std::nullopt;
}

std::optional<std::string> read_hex(const Cursor& at, std::size_t min) {
  const std::string rule = bytes_rule(min, ", each written as two hex digits, such as 0a1b");
  const auto text = at.text(rule);
  if (!text) return std::nullopt;
  auto bytes = from_hex(*text);
  if (bytes && bytes->size() >= min && bytes->size() <= kMaxDatagram) return bytes;
  at.mismatch(rule, text->starts_with("0x") ? "; leave out 0x" : "");
  return std::nullopt;
}

}  // namespace guideway::control
