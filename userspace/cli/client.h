// Asks a running guidewayd over its Unix socket (observe/admin_server.h).
//
// Threads: any; each call is by itself, and blocks.
#pragma once

#include <chrono>
#include <string>

#include "core/result.h"

namespace guideway::cli {

inline constexpr const char* kDefaultSocket = "/run/guideway/guidewayd.sock";

// The JSON document of GET /v1/status. Fails if it is not there whole within `patience`, with a
// hint that tells a daemon that is not there from a socket that one may not open.
[[nodiscard]] Result<std::string> fetch_status(
    const std::string& socket_path, std::chrono::milliseconds patience = std::chrono::seconds(5));

}  // namespace guideway::cli
