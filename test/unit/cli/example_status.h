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

inline observe::Status example_status() {
  observe::Status status;
  status.node = "lb1";
  status.version = "0.1.0";
  status.config_file = "/etc/guideway/guideway.yaml";
  status.pid = 4711;
  status.uptime = std::chrono::seconds(3723);
  status.generation = 7;
  status.interfaces = {
      {.name = "eth1",
       .driver = "virtio_net",
       .mtu = 1500,
       .attachment = "native",
       .dispatcher = true,
       .steering = {{"pass_not_ip", 0}, {"pass_not_vip", 22}, {"redirected", 1105}},
       .queues = {
           {0, "zero-copy", 2, 7, {{"rx_dropped", 0}}, example_worker(1000)},
           {1, "copy", 3, 6, {{"rx_dropped", 5}, {"rx_ring_full", 0}}, example_worker(100)}}}};
  status.services = {{"web", "198.51.100.1", "tcp", 80, "blue", 1080, 108'000},
                     {"dns", "198.51.100.1", "udp", 53, "blue", 0, 0}};
  status.pools = {{"blue",
                   65537,
                   {{"10.0.0.1", 3, 49153, "resolved", "eth1", "10.0.0.1", "02:00:00:00:00:01", 30,
                     1000, 100'000},
                    {"10.9.0.2", 1, 16384, "resolving", "eth1", "10.0.0.254", "", 10, 80, 8000},
                    {"10.9.0.3", 0, 0, "no route", "", "", "", 0, 0, 0}}}};
  return status;
}

}  // namespace guideway::cli
