// A status in which every number is different, for the tests of what is shown of it.
#pragma once

#include "observe/status.h"
#include "support/example_bgp.h"

namespace guideway::observe {

// A worker whose every number is different: the counters from `first` on, the drops behind them.
inline WorkerTotals distinct(std::uint64_t first) {
  WorkerTotals totals;
#define GUIDEWAY_TEST_SET(name) totals.name = first++;
  GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_TEST_SET)
#undef GUIDEWAY_TEST_SET
  for (std::size_t i = 1; i < kDropReasons; ++i) totals.drops[i] = first++;
  return totals;
}

inline NamedValues example_socket(std::uint64_t first) {
  return {{"rx_dropped", first},
          {"rx_invalid_descs", first + 1},
          {"tx_invalid_descs", first + 2},
          {"rx_ring_full", first + 3},
          {"rx_fill_ring_empty_descs", first + 4},
          {"tx_ring_empty_descs", first + 5}};
}

inline InterfaceStatus example_interface() {
  return {.name = "eth1",
          .driver = "virtio_net",
          .mtu = 1500,
          .attachment = "native",
          .dispatcher = true,
          .steering = {{"redirected", 11}, {"pass_not_vip", 0}},
          .queues = {{.queue = 0,
                      .mode = "copy",
                      .cpu = 2,
                      .generation = 7,
                      .socket = example_socket(700),
                      .worker = distinct(1000),
                      .rings = {{.name = "fill", .entries = 4032, .size = 4096},
                                {.name = "receive", .entries = 64, .size = 2048}}},
                     {.queue = 1,
                      .mode = "zero-copy",
                      .cpu = 3,
                      .generation = 6,
                      .stalled = std::chrono::seconds(9),
                      .socket = example_socket(710),
                      .worker = distinct(5000)}}};
}

inline BackendStatus example_backend() {
  return {.address = "10.0.0.1",
          .weight = 3,
          .weight_percent = 40,
          .health = "up",
          .health_for = std::chrono::seconds(61),
          .drain = "operator",
          .usable = true,
          .went_up = 5,
          .went_down = 4,
          .checks = {{.type = "http",
                      .what = "http port 80 path /healthz",
                      .state = "up",
                      .last = "status 200",
                      .last_microseconds = 1234,
                      .passed = 41,
                      .failed = 42}},
          .table_entries = 65536,
          .next_hop = "resolved",
          .device = "eth1",
          .via = "10.0.0.254",
          .mac = "02:00:00:00:00:01",
          .flows = 31,
          .packets = 32,
          .bytes = 33};
}

inline Status example_status() {
  Status status;
  status.node = "lb1";
  status.version = "0.1.0";
  status.config_file = "/etc/guideway/guideway.yaml";
  status.pid = 4711;
  status.uptime = std::chrono::microseconds(3'723'456'789);
  status.ready = true;
  status.user = "guideway";
  status.capabilities = {"cap_net_admin", "cap_bpf"};
  status.log_level = "info";
  status.generation = 7;
  status.config_digest = 0xabcdef012345;
  status.reloads = {
      .succeeded = 8, .failed = 9, .last_succeeded = false, .last_unix_seconds = 1'763'000'000};
  status.suppressed_log_lines = 10;
  status.retired = distinct(9000);
  status.interfaces = {example_interface()};
  status.services = {{.name = "web",
                      .vip = "198.51.100.1",
                      .protocol = "tcp",
                      .port = 80,
                      .pool = "blue",
                      .healthy = true,
                      .packets = 21,
                      .bytes = 22}};
  status.pools = {{.name = "blue",
                   .table_size = 65537,
                   .on_empty = "drop",
                   .empty = false,
                   .healthy_backends = 1,
                   .min_healthy = 2,
                   .healthy = false,
                   .table_digest = 0x00000000beef,
                   .backends = {example_backend()}}};
  status.bgp = example_bgp();
  return status;
}

}  // namespace guideway::observe
