// What an operator's file says, once it is known to be right: plain values, no YAML, no defaults
// left to guess. docs/configuration.md has a line for each field.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "maglev/table.h"
#include "net/address.h"

namespace guideway::control {

// What `flow_table` may ask for.
inline constexpr std::uint64_t kMinFlowEntries = 1024;
inline constexpr std::uint64_t kMaxFlowEntries = std::uint64_t{1} << 28;
inline constexpr std::chrono::seconds kMaxFlowTimeout{32'400};  // flow::kMaxTimeout, not known here

struct Node {
  std::string name;        // default: the host name
  std::string fleet_seed;  // any text, the same on all load balancers of a fleet
};

// Which rung of the mode ladder an interface may use. `automatic`: the best there is.
enum class Mode : std::uint8_t { automatic, zero_copy, copy, generic };

enum class FrameBytes : std::uint16_t { automatic = 0, small = 2048, large = 4096 };

struct Interface {
  std::string name;
  Mode mode = Mode::automatic;
  std::vector<std::uint32_t> queues;  // receive queues to serve; empty: all
  std::vector<std::uint32_t> cpus;    // worker i is pinned to cpus[i % size]; empty: CPUs in turn
  FrameBytes frame_bytes = FrameBytes::automatic;
  std::uint32_t frames = 4096;  // for each queue; a power of two
  std::uint32_t ring = 2048;    // RX and TX descriptors; a power of two, at most `frames` / 2,
                                // which is also the default where 2048 is more
  bool busy_poll = false;
};

struct Encapsulation {
  Ipv4Address source;  // of the outer packets: an address of this host
};

struct BackendConfig {
  Ipv4Address address;
  std::uint32_t weight = 1;  // 0: takes no new flows
};

struct PoolConfig {
  std::string name;
  std::vector<BackendConfig> backends;                   // at least one; addresses differ
  std::uint32_t table_size = maglev::kDefaultTableSize;  // a prime
};

// One VIP with the protocols and ports that it serves from one pool. A (protocol, VIP, port) is in
// one service only.
struct ServiceConfig {
  std::string name;  // default: made of the VIP and its first ports
  Ipv4Address vip;
  std::vector<Endpoint> endpoints;  // one for each entry of `ports`; address is `vip`
  std::size_t pool = 0;             // position in Model::pools
};

struct FlowTableConfig {
  std::uint64_t entries = 1 << 20;  // of each worker
  std::chrono::seconds opening{10};
  std::chrono::seconds established{900};
  std::chrono::seconds closing{30};
  std::chrono::seconds udp{120};
};

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error };

struct LogConfig {
  LogLevel level = LogLevel::info;
};

struct Admin {
  std::string socket = "/run/guideway/guidewayd.sock";  // path of the Unix socket
};

struct Model {
  Node node;
  std::vector<Interface> interfaces;  // at least one; names differ
  Encapsulation encapsulation;
  std::vector<PoolConfig> pools;
  std::vector<ServiceConfig> services;
  FlowTableConfig flow_table;
  LogConfig log;
  Admin admin;

  // The fleet seed as the key of the flow hash.
  [[nodiscard]] gw_hash_seed hash_seed() const;
};

}  // namespace guideway::control
