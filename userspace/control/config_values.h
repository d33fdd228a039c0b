// The small languages within a configuration's values: names, addresses, ports, durations, paths.
// Each reads the value under a cursor, or reports what is wrong with it and answers nullopt.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/config_reader.h"
#include "control/model.h"
#include "net/address.h"

namespace guideway::control {

// What a value must be, for messages about a wrong or a missing one.
inline constexpr std::string_view kNameRule = "1 to 63 letters, digits, '-', '_' or '.'";
inline constexpr std::string_view kInterfaceNameRule =
    "the name of a network interface: 1 to 15 characters without space, '/' or ':'";

// Whether `text` is as kNameRule says.
[[nodiscard]] bool is_name(std::string_view text);

// The name of a node, a pool or a service.
[[nodiscard]] std::optional<std::string> read_name(const Cursor& at);

// A name that Linux allows for a network interface (dev_valid_name in net/core/dev.c).
[[nodiscard]] std::optional<std::string> read_interface_name(const Cursor& at);

// An IPv4 address of one host. `example` is one that would be right here.
[[nodiscard]] std::optional<Ipv4Address> read_address(const Cursor& at, std::string_view example);

// "tcp/80" as an endpoint of `vip`.
[[nodiscard]] std::optional<Endpoint> read_port(const Cursor& at, Ipv4Address vip);

// A duration from `min` to `max`: a whole number with a unit, "500ms", "10s", "15m", "1h".
[[nodiscard]] std::optional<std::chrono::milliseconds> read_duration(const Cursor& at,
                                                                     std::chrono::milliseconds min,
                                                                     std::chrono::milliseconds max);
// The same where parts of a second mean nothing.
[[nodiscard]] std::optional<std::chrono::seconds> read_seconds(const Cursor& at,
                                                               std::chrono::seconds min,
                                                               std::chrono::seconds max);
// A duration as it is written in a file: "500ms", "90s", "2m".
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

// "127.0.0.1:9477": where to listen. 0.0.0.0 and loopback are allowed.
[[nodiscard]] std::optional<Metrics> read_listen(const Cursor& at);

// The absolute path of a file.
[[nodiscard]] std::optional<std::string> read_file_path(const Cursor& at, std::string_view what);

// The absolute path of a Unix socket (unix(7): 108 bytes with the zero behind it).
[[nodiscard]] std::optional<std::string> read_socket_path(const Cursor& at);

}  // namespace guideway::control
