// Where a speaker's API is: "unix:/run/guideway-bgp/api.sock", or "127.0.0.1:50051", "[::1]:50051".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace guideway::bgp {

struct Endpoint {
  std::string text;       // as it was given
  std::string path{};     // of a Unix socket; empty: TCP
  std::string address{};  // literal, IPv4 or IPv6
  std::uint16_t port = 0;
};

// Error: neither a Unix socket by its absolute path, nor a literal address (IPv6 in brackets) and a
// port.
[[nodiscard]] Result<Endpoint> parse_endpoint(const std::string& text);

// Connects and goes away again. The Error's number is the errno value of connect(2). Blocks, for
// `patience` at most.
[[nodiscard]] Result<> try_to_connect(const Endpoint& endpoint, std::chrono::milliseconds patience);

}  // namespace guideway::bgp
