// What an operator's file says, once it is known to be right: plain values, no YAML, no defaults
// left to guess. docs/configuration.md has a line for each field.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/announcements.h"
#include "bgp/speaker.h"
#include "bpf/abi.h"
#include "maglev/table.h"
#include "net/address.h"
#include "probe/probe.h"

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

  friend bool operator==(const Interface&, const Interface&) = default;
};

struct Encapsulation {
  Ipv4Address source;  // of the outer packets: an address of this host
};

struct BackendConfig {
  Ipv4Address address;
  std::uint32_t weight = 1;  // 0: takes no new flows
  bool drain = false;        // takes no new flows, whatever its weight
};

// A question that is put to each backend of a pool, again and again.
struct CheckConfig {
  probe::Question question;  // `vip` is set if it goes through the tunnel
  std::chrono::milliseconds interval{2000};
  std::uint32_t rise = 2;  // passed so often in a row: up
  std::uint32_t fall = 3;  // failed so often in a row: down
};

// Who takes the flows of a pool none of whose backends is usable.
enum class OnEmpty : std::uint8_t { drop, all };

struct PoolConfig {
  std::string name;
  std::vector<BackendConfig> backends;                   // at least one; addresses differ
  std::uint32_t table_size = maglev::kDefaultTableSize;  // a prime
  std::vector<CheckConfig> checks;                       // a backend is up if it passes all
  OnEmpty on_empty = OnEmpty::drop;
  std::uint32_t min_healthy = 1;  // usable backends that make the pool healthy; 0: it always is
  std::chrono::seconds slow_start{0};  // from recovery to full weight
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
// Indexed by LogLevel: the words of `log.level`.
inline constexpr auto kLogLevelNames =
    std::to_array<std::string_view>({"trace", "debug", "info", "warning", "error"});

struct LogConfig {
  LogLevel level = LogLevel::info;
};

struct Admin {
  std::string socket = "/run/guideway/guidewayd.sock";  // path of the Unix socket
};

// Where Prometheus finds the metrics: HTTP over TCP. Port 0: nowhere.
struct Metrics {
  Ipv4Address address;  // 0.0.0.0: all of this host's; loopback is allowed
  std::uint16_t port = 0;
  friend bool operator==(const Metrics&, const Metrics&) = default;
};

// How the VIPs are announced (docs/configuration.md, "bgp").
inline constexpr std::string_view kUsualBgpApi = "unix:/run/guideway-bgp/api.sock";
struct BgpConfig {
  bgp::SpeakerConfig speaker;
  bgp::Policy policy;
  friend bool operator==(const BgpConfig&, const BgpConfig&) = default;
};

struct Shutdown {
  // From "not ready" to the end of forwarding; also from the withdrawal of a VIP that a reload
  // takes out to the end of its steering. Default: 5 s with `bgp`, for routers take their time;
  // else 0.
  std::chrono::seconds drain{0};
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
  Metrics metrics;
  std::optional<BgpConfig> bgp;  // nullopt: nothing is announced
  Shutdown shutdown;

  // The fleet seed as the key of the flow hash.
  [[nodiscard]] gw_hash_seed hash_seed() const;

  // 48 bits over what load balancers of one fleet must agree on to give a flow to the same backend:
  // seed, pools (size, backends, weights, drains, checks) and services; not over the order in the
  // file, nor over what differs from host to host.
  [[nodiscard]] std::uint64_t fleet_digest() const;

  // Every (VIP, protocol, port) that is served.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;
  // Every address that a backend has, once, sorted.
  [[nodiscard]] std::vector<Ipv4Address> backend_addresses() const;
};

}  // namespace guideway::control
