// Two documents of a daemon a second apart, for the tests of what `guideway watch` makes of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/traffic.h"
#include "example_status.h"

namespace guideway::cli {

inline Reading reading(const observe::Status& status, std::chrono::milliseconds client_clock = {}) {
  return read_status(observe::to_json(status),
                     std::chrono::steady_clock::time_point{} + client_clock)
      .value();
}

// So much later, with nothing that has passed meanwhile.
inline observe::Status later(observe::Status status, std::chrono::microseconds by) {
  status.uptime += by;
  return status;
}

// `count` pools of one backend each, and as many services; the last has the most packets.
inline observe::Status many(std::size_t count, std::uint64_t packets,
                            const std::string& name = "pool-") {
  observe::Status status = example_status();
  status.services.clear();
  status.pools.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i), pool = name + number;
    status.services.push_back({.name = "service-" + pool,
                               .vip = "198.51.100." + number,
                               .protocol = "tcp",
                               .port = 65535,
                               .pool = pool,
                               .packets = packets * i,
                               .bytes = 100 * packets * i});
    status.pools.push_back(empty_pool(pool));
    observe::BackendStatus backend = example_backend("10.200.100." + number, "up", "resolved");
    backend.packets = packets * i;
    backend.bytes = 100 * packets * i;
    status.pools.back().backends = {backend};
  }
  return status;
}

// The lines of a screen or of a text, without the ends.
inline std::string joined_lines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace guideway::cli
