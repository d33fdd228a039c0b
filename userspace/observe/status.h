// What a running daemon tells about itself: one value, filled by the daemon, shown as JSON.
// docs/operations.md describes the JSON document; `guideway status` is made from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "state/counters.h"

namespace guideway::observe {

using NamedValues = std::vector<std::pair<std::string, std::uint64_t>>;

struct QueueStatus {
  std::uint32_t queue = 0;
  std::string mode;  // "zero-copy" or "copy", as the kernel says
  std::uint32_t cpu = 0;
  std::uint64_t generation = 0;  // that its worker has adopted
  NamedValues socket;            // XDP_STATISTICS of the socket
  WorkerTotals worker;
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
  std::uint64_t packets = 0, bytes = 0;  // forwarded, inner IP
};

struct BackendStatus {
  std::string address;
  std::uint32_t weight = 0;
  std::uint32_t table_entries = 0;  // of the pool's Maglev table
  std::string next_hop;             // "resolved" or why not
  std::string device, via, mac;     // as far as known
  std::uint64_t flows = 0, packets = 0, bytes = 0;
};

struct PoolStatus {
  std::string name;
  std::uint32_t table_size = 0;
  std::vector<BackendStatus> backends;
};

struct Status {
  std::string node, version, config_file;
  int pid = 0;
  std::chrono::seconds uptime{};
  std::uint64_t generation = 0;
  std::vector<InterfaceStatus> interfaces;
  std::vector<ServiceStatus> services;
  std::vector<PoolStatus> pools;
};

// The JSON document, with totals over all workers added.
[[nodiscard]] std::string to_json(const Status& status);

}  // namespace guideway::observe
