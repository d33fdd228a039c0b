// A status as a daemon with some traffic has it, for the tests of what is shown of it.
#pragma once

#include "observe/status.h"

namespace guideway::cli {

inline WorkerTotals example_worker(std::uint64_t packets) {
  WorkerTotals worker;
  worker.received = worker.batches = packets;
  worker.drops[static_cast<std::size_t>(DropReason::no_next_hop)] = 8;
  worker.drops[static_cast<std::size_t>(DropReason::tx_ring_full)] = 2;
  worker.transmitted = packets - 10;
  worker.flow_table_capacity = 1048576;
  worker.flows_established = 11;
  worker.flows_udp = 1;
  worker.transmit_errors = 3;
  return worker;
}

inline observe::CheckStatus example_check(const std::string& state, const std::string& last) {
  return {.type = "http",
          .what = "http port 80 path /healthz",
          .state = state,
          .last = last,
          .last_microseconds = 1250,
          .passed = state == "up" ? 1860U : 12U,
          .failed = state == "up" ? 0U : 31U};
}

inline observe::BackendStatus example_backend(const std::string& address, const std::string& health,
                                              const std::string& next_hop) {
  observe::BackendStatus backend;
  backend.address = address;
  backend.weight = 1;
  backend.health = health;
  backend.health_for = std::chrono::seconds(3600);
  backend.went_up = 1;
  backend.checks = {example_check(health, health == "up" ? "status 200" : "status 503")};
  backend.next_hop = next_hop;
  return backend;
}

inline observe::PoolStatus empty_pool(const std::string& name) {
  observe::PoolStatus pool;
  pool.name = name;
  pool.table_size = 65537;
  pool.on_empty = "drop";
  return pool;
}

// One backend that is up, in a slow start, one that is down, one that is drained.
inline observe::PoolStatus example_pool() {
  observe::BackendStatus up = example_backend("10.0.0.1", "up", "resolved");
  up.weight = 3;
  up.weight_percent = 40;
  up.table_entries = 65537;
  up.device = "eth1";
  up.via = up.address;
  up.mac = "02:00:00:00:00:01";
  up.flows = 30;
  up.packets = 1000;
  up.bytes = 100'000;

  observe::BackendStatus down = example_backend("10.9.0.2", "down", "resolving");
  down.health_for = std::chrono::seconds(60);
  down.usable = false;
  down.went_down = 1;
  down.device = "eth1";
  down.via = "10.0.0.254";
  down.flows = 10;
  down.packets = 80;
  down.bytes = 8000;

  observe::BackendStatus drained = example_backend("10.9.0.3", "up", "no route");
  drained.drain = "operator";

  observe::PoolStatus pool = empty_pool("blue");
  pool.healthy_backends = 2;
  pool.table_digest = 0xfedcba987654;
  pool.backends = {up, down, drained};
  return pool;
}

inline observe::Status example_status() {
  observe::Status status;
  status.node = "lb1";
  status.version = "0.1.0";
  status.config_file = "/etc/guideway/guideway.yaml";
  status.pid = 4711;
  status.uptime = std::chrono::seconds(3723);
  status.ready = true;
  status.log_level = "info";
  status.generation = 7;
  status.config_digest = 0x0123456789ab;
  status.interfaces = {
      {.name = "eth1",
       .driver = "virtio_net",
       .mtu = 1500,
       .attachment = "native",
       .dispatcher = true,
       .steering = {{"pass_not_ip", 0}, {"pass_not_vip", 22}, {"redirected", 1105}},
       .queues = {
           {.queue = 0,
            .mode = "zero-copy",
            .cpu = 2,
            .generation = 7,
            .socket = {{"rx_dropped", 0}},
            .worker = example_worker(1000)},
           {.queue = 1,
            .mode = "copy",
            .cpu = 3,
            .generation = 6,
            .socket = {{"rx_dropped", 5}, {"rx_ring_full", 0}},
            .worker = example_worker(100)},
       }}};
  status.services = {
      {.name = "web",
       .vip = "198.51.100.1",
       .protocol = "tcp",
       .port = 80,
       .pool = "blue",
       .packets = 1080,
       .bytes = 108'000},
      {.name = "dns", .vip = "198.51.100.1", .protocol = "udp", .port = 53, .pool = "blue"}};
  status.pools = {example_pool()};
  return status;
}

}  // namespace guideway::cli
