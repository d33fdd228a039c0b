// What passed between two status documents of a daemon (GET /v1/status): rates per second, as
// `guideway watch` shows them. Pure.
//
// Time is the daemon's own where the documents have it (node.uptime_microseconds), and the client's
// clock where not. There are no rates where there is nothing to compare with: of a first document,
// of one behind a restart of the daemon, of a backend that was not in the document before. A
// counter that has gone back all the same (workers that went with their interface) is a rate of 0.
//
// Threads: any. Units: all rates are per second; bits are those of the clients' IP packets.
// Errors: what a document does not have is 0 or "-"; what is no status document is refused.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/json_view.h"

namespace guideway::cli {

struct Reading {
  json::object document;
  std::chrono::steady_clock::time_point at;  // when it was asked for
};

[[nodiscard]] Result<Reading> read_status(std::string_view document,
                                          std::chrono::steady_clock::time_point at);

struct Rate {
  double packets = 0, bits = 0, flows = 0;  // flows: new ones
};

struct TotalRates {
  double seconds = 0;  // between the two documents
  double received = 0, transmitted = 0, bits = 0, flows = 0, dropped = 0;  // packets, but for two
  // What `dropped` is the sum of, the largest first: reasons of workers, verdicts of the eBPF
  // program, and what sockets had no room for; those that are 0 too.
  std::vector<std::pair<std::string, double>> drops;
};

struct ServiceTraffic {
  std::string name, address, pool;  // address: "tcp 198.51.100.1:80"
  std::string health;               // "healthy", "unhealthy", "-"
  std::optional<Rate> rate;
};

struct BackendTraffic {
  std::string pool, address;
  std::string health, drain, next_hop;  // as in the document
  std::uint64_t weight_percent = 100;
  std::string why;  // it is down: what its failing check says; or what its next hop lacks; or empty
  std::optional<Rate> rate;
  double pool_packets = 0;  // packets of all backends of its pool
};

[[nodiscard]] bool takes_flows(const BackendTraffic& backend);  // up, and not drained

struct Traffic {
  std::optional<TotalRates> totals;
  std::vector<ServiceTraffic> services;  // the one with the most packets first
  std::vector<BackendTraffic> backends;  // the same
};

// REQUIRES: `before`, if there is one, was read before `now`. `pools`: only what belongs to these
// is in `services` and `backends`; empty: all is.
[[nodiscard]] Traffic traffic_between(const Reading* before, const Reading& now,
                                      const std::vector<std::string>& pools);

// Entries of the flow tables that are in use.
[[nodiscard]] std::uint64_t flows_remembered(const json::object& document);

}  // namespace guideway::cli
