// Why guidewayd's socket cannot be connected to, told to a person: is the daemon not running, has
// it died, is the path wrong, or may this user not. Looks at the file, its group and the user.
//
// Threads: any.
#pragma once

#include <string>

#include "core/result.h"

namespace guideway::cli {

// How guidewayd is started on this host.
struct Host {
  bool has_unit = false;  // systemd runs, and knows guideway.service
};

[[nodiscard]] Host this_host();

// `error_number` is what connect() to `path` failed with.
[[nodiscard]] Error cannot_connect(const std::string& path, int error_number, const Host& host);

}  // namespace guideway::cli
