// What a running daemon tells about itself: one value, filled by the daemon, shown as JSON.
// docs/operations.md describes the JSON document; `guideway status` is made from it.
#pragma once

#include <boost/json/fwd.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "observe/bgp_status.h"
#include "state/counters.h"

namespace guideway::observe {

using NamedValues = std::vector<std::pair<std::string, std::uint64_t>>;

// How full one ring of a socket is.
struct RingStatus {
  std::string name;  // "fill", "receive", "transmit" or "completion"
  std::uint32_t entries = 0, size = 0;
};

struct QueueStatus {
  std::uint32_t queue = 0;
  std::string mode;  // "zero-copy" or "copy", as the kernel says
  std::uint32_t cpu = 0;
  std::uint64_t generation = 0;    // that its worker has adopted
  std::chrono::seconds stalled{};  // for so long its worker has stood still; 0: it goes on
  NamedValues socket;              // XDP_STATISTICS of the socket
  WorkerTotals worker;
  std::vector<RingStatus> rings{};
};

struct InterfaceStatus {
  std::string name;
  std::string driver;
  std::uint32_t mtu = 0;
  std::string attachment;   // "native" or "generic"; "lost": no longer attached
  bool dispatcher = false;  // shares the interface by libxdp's dispatcher
  NamedValues steering;     // verdicts of bpf/steer.bpf.c
  std::vector<QueueStatus> queues;
};

struct ServiceStatus {
  std::string name, vip, protocol;
  std::uint16_t port = 0;
  std::string pool;
  bool healthy = true;                   // as its pool
  std::uint64_t packets = 0, bytes = 0;  // forwarded, inner IP
};

// One check of one backend.
struct CheckStatus {
  std::string type;   // "http"
  std::string what;   // "http port 80 path /healthz"
  std::string state;  // "up", "down", "unknown"
  std::string last;   // why the last probe passed or failed; empty: none has ended yet
  std::uint64_t last_microseconds = 0;  // that it took
  std::uint64_t passed = 0, failed = 0;
};

struct BackendStatus {
  std::string address;
  std::uint32_t weight = 0;            // of the file
  std::uint32_t weight_percent = 100;  // of it that counts now: below 100 in a slow start
  std::string health;                  // "up", "down", "unknown"; "unchecked" without checks
  std::chrono::seconds health_for{};   // for so long
  std::string drain;                   // "", "file" or "operator": who asked for it
  bool usable = true;                  // may keep the flows that it has
  std::uint64_t went_up = 0, went_down = 0;
  std::vector<CheckStatus> checks;
  std::uint32_t table_entries = 0;  // of the pool's Maglev table
  std::string next_hop;             // "resolved" or why not
  std::string device, via, mac;     // as far as known
  std::uint64_t flows = 0, packets = 0, bytes = 0;
};

struct PoolStatus {
  std::string name;
  std::uint32_t table_size = 0;
  std::string on_empty;  // "drop" or "all"
  bool empty = false;    // no backend is up; with "all" each counts as if it were
  std::uint32_t healthy_backends = 0;
  std::uint32_t min_healthy = 1;
  bool healthy = true;             // healthy_backends >= min_healthy
  std::uint64_t table_digest = 0;  // 48 bits; equal where two tables are
  std::vector<BackendStatus> backends;
};

// What services and backends were sent that the configuration has no longer.
struct RemovedStatus {
  std::uint64_t service_packets = 0, service_bytes = 0;
  std::uint64_t backend_packets = 0, backend_bytes = 0, backend_flows = 0;
};

struct ReloadStatus {
  std::uint64_t succeeded = 0, failed = 0;
  bool last_succeeded = true;
  std::int64_t last_unix_seconds = 0;  // 0: none yet
};

struct Status {
  std::string node, version, config_file;
  int pid = 0;
  std::chrono::microseconds uptime{};     // rates between two documents are by it
  bool ready = false;                     // forwards, and wants to go on
  std::string user;                       // who the daemon runs as
  std::vector<std::string> capabilities;  // its effective ones: "cap_net_admin"
  std::string log_level;                  // as in the configuration
  std::uint64_t generation = 0;
  std::uint64_t config_digest = 0;  // 48 bits; of what load balancers of a fleet must agree on
  ReloadStatus reloads;
  std::uint64_t suppressed_log_lines = 0;
  RemovedStatus removed;
  WorkerTotals retired;  // of workers of interfaces that were taken out of service
  std::vector<InterfaceStatus> interfaces;
  std::vector<ServiceStatus> services;
  std::vector<PoolStatus> pools;
  std::optional<BgpStatus> bgp;  // nullopt: nothing is announced
};

// The JSON document, with totals over all workers added, those that were retired included.
[[nodiscard]] std::string to_json(const Status& status);
// Parts of it, as documents of their own: {"interfaces": [..]}, {"services": [..]} and
// {"pools": [..]}.
[[nodiscard]] std::string interfaces_to_json(const Status& status);
[[nodiscard]] std::string services_to_json(const Status& status);
[[nodiscard]] std::string pools_to_json(const Status& status);
// One backend, as it is in its pool's "backends".
[[nodiscard]] boost::json::object backend_to_json(const BackendStatus& status);

}  // namespace guideway::observe
