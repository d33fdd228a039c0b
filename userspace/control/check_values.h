// The small languages within a check: what is asked of a backend, and what it must answer. Like
// config_values.h: each reads the value under a cursor, or reports what is wrong and answers
// nullopt.
//
// What goes into a request is limited to what cannot change its shape: no spaces, no control
// characters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/config_reader.h"
#include "probe/probe.h"

namespace guideway::control {

// What a value must be, for messages about a wrong or a missing one.
inline constexpr std::string_view kDomainRule = "a domain name such as www.example.com";

// An HTTP method, in upper case letters (RFC 9110, section 9.1).
[[nodiscard]] std::optional<std::string> read_method(const Cursor& at);

// The target of an HTTP request in origin-form (RFC 9112, section 3.2.1): "/healthz?full=1".
[[nodiscard]] std::optional<std::string> read_target(const Cursor& at);

// The value of a Host field (RFC 9110, section 7.2): a name or an address, perhaps a port.
[[nodiscard]] std::optional<std::string> read_host(const Cursor& at);

// The name or IPv4 address within a Host field's value, without the port; empty if there is none
// that a certificate could be checked against.
[[nodiscard]] std::string server_name_of(std::string_view host);

// What a certificate is for: a domain name or an IPv4 address.
[[nodiscard]] std::optional<std::string> read_server_name(const Cursor& at);

// "200" or "200-299".
[[nodiscard]] std::optional<probe::StatusRange> read_status(const Cursor& at);

// A domain name (RFC 1035, section 2.3.1, and underscores), without the dot at its end; "." is the
// root.
[[nodiscard]] std::optional<std::string> read_domain(const Cursor& at);

// Bytes of a datagram, `min` to 1400 of them: a text as it is, or hex digits.
[[nodiscard]] std::optional<std::string> read_bytes(const Cursor& at, std::size_t min);
[[nodiscard]] std::optional<std::string> read_hex(const Cursor& at, std::size_t min);

}  // namespace guideway::control
