// Asks a running guidewayd over its Unix socket: one request, one answer, one connection.
//
// Threads: any; each call is by itself, and blocks.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.h"

namespace guideway::cli {

inline constexpr const char* kDefaultSocket = "/run/guideway/guidewayd.sock";
inline constexpr std::chrono::seconds kPatience{5};
// A reload reads a file, may open sockets on interfaces, and waits for reloads before it.
inline constexpr std::chrono::seconds kReloadPatience{60};

struct Request {
  std::string method = "GET";
  std::string target;  // "/v1/status"; what is not known to be safe in it is percent_encoded
  std::string body{};  // JSON; empty: none
};

// Of any status: whether a 404 is an error is the caller's to say.
struct Answer {
  unsigned status = 0;
  std::string body;
};

// Fails if there is no whole answer in HTTP within `patience`, with a hint that says what to do
// (cli/socket_trouble.h).
// The number of the error is ETIMEDOUT where there was silence, and ECONNREFUSED where a dead
// daemon has left its socket behind.
[[nodiscard]] Result<Answer> ask(const std::string& socket_path, const Request& request,
                                 std::chrono::milliseconds patience = kPatience);

// Fit to stand in a path or a query as one part of it (RFC 3986, section 2.3: what is not
// unreserved is encoded).
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace guideway::cli
