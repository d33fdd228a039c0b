// What a running guidewayd says about itself, as far as the doctor judges it: the part of the
// document of GET /v1/status (docs/operations.md) that can tell of something to mend. Plain values;
// cli/doctor_running.h reads them from the document.
//
// Threads: none of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guideway::doctor {

using NamedCounts = std::vector<std::pair<std::string, std::uint64_t>>;

struct RunningQueue {
  std::uint32_t queue = 0;
  std::string mode;  // "zero-copy" or "copy"
  std::uint32_t cpu = 0;
  std::uint64_t generation = 0;
  std::uint64_t stalled_seconds = 0;  // that its worker has made no turn; 0: it makes turns
  std::uint64_t received = 0, transmitted = 0, completed = 0;
  NamedCounts socket;
};

struct RunningInterface {
  std::string name;
  std::string attachment;  // "native", "generic" or "lost"
  NamedCounts steering;
  std::vector<RunningQueue> queues;
};

struct RunningBackend {
  std::string pool, address;
  std::string health;    // "up", "down", "unknown" or "unchecked"
  std::string why;       // a check that is not up, and its last answer; empty: none
  std::string next_hop;  // "resolved", or why not
};

struct RunningPool {
  std::string name;
  bool empty = false, healthy = true;
  std::string on_empty;  // "drop" or "all"
  std::uint64_t healthy_backends = 0, min_healthy = 1;
};

struct RunningSession {
  std::string peer;
  std::uint64_t asn = 0;
  std::string state;  // "established", ..; "missing": unknown to the speaker
  std::uint64_t state_for_seconds = 0;
  bool graceful_restart = false;
};

struct RunningRoute {
  std::string prefix;
  std::string state;  // "announced", "damped" or "withdrawn"
  std::string why;    // why not announced
  bool held = false;  // by the speaker
};

struct RunningBgp {
  std::string api, role;
  bool role_by_operator = false;
  std::string contact;  // "none yet", "reached" or "lost"
  std::string error;    // empty: none
  std::vector<RunningSession> sessions;
  std::vector<RunningRoute> routes;
};

struct Running {
  std::string version, config_file;
  std::uint64_t pid = 0;
  bool ready = false;
  std::chrono::seconds uptime{};
  std::uint64_t generation = 0;
  std::string config_digest;  // 12 hexadecimal digits
  std::uint64_t reloads_failed = 0;
  bool last_reload_succeeded = true;
  NamedCounts counters;  // of all workers together: transmit_errors, flow_table_full, ..
  NamedCounts drops;     // of the workers, by reason
  std::vector<RunningInterface> interfaces;
  std::vector<RunningPool> pools;
  std::vector<RunningBackend> backends;
  std::optional<RunningBgp> bgp{};  // nullopt: nothing is announced
};

// Whether packets may go to it: it is not down, or its pool uses all of them for want of a good
// one.
[[nodiscard]] inline bool gets_packets(const Running& running, const RunningBackend& backend) {
  if (backend.health != "down") return true;
  for (const RunningPool& pool : running.pools)
    if (pool.name == backend.pool) return pool.empty && pool.on_empty == "all";
  return false;
}

// 0 where there is no such count.
[[nodiscard]] inline std::uint64_t count(const NamedCounts& counts, std::string_view name) {
  for (const auto& [key, value] : counts)
    if (key == name) return value;
  return 0;
}

}  // namespace guideway::doctor
