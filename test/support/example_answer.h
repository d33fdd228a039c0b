// What GET /v1/explain says of an established flow, for the tests of how it is shown.
#pragma once

#include <chrono>

#include "observe/explain.h"

namespace guideway::observe {

inline BackendStatus explained_backend() {
  return {.address = "10.0.0.1",
          .weight = 3,
          .health = "up",
          .health_for = std::chrono::seconds(182),
          .drain = {},
          .went_up = 1,
          .checks = {{.type = "http",
                      .what = "http port 80 path /healthz",
                      .state = "up",
                      .last = "status 200",
                      .last_microseconds = 1250,
                      .passed = 91}},
          .table_entries = 32769,
          .next_hop = "resolved",
          .device = "eth1",
          .via = "10.77.1.1",
          .mac = "02:00:00:00:00:01",
          .flows = 4,
          .packets = 8,
          .bytes = 400};
}

inline PacketAnswer example_answer() {
  PacketAnswer answer;
  answer.frame_bytes = 54;
  answer.packet = {
      .flow = "tcp 203.0.113.7:40000 198.51.100.1:80", .tcp_flags = "ack", .ip_bytes = 40};
  answer.steering = {{.interface = "eth1", .attached = true, .verdict = "redirected", .queues = 2}};
  answer.generation = 7;
  answer.interface = "eth1";
  answer.queue = 1;
  answer.service = {
      .name = "web", .vip = "198.51.100.1", .protocol = "tcp", .port = 80, .pool = "blue"};
  answer.hash = 0x00123456789abcdeU;
  answer.table = {.size = 65537, .slot = 18, .backend = "10.0.0.2"};
  answer.entries = {{.interface = "eth1",
                     .queue = 1,
                     .state = "established",
                     .backend = "10.0.0.1",
                     .idle_seconds = 3,
                     .expires_in_seconds = 897,
                     .keeps = true}};
  answer.choice = "kept";
  answer.pool = "blue";
  answer.backend = explained_backend();
  answer.size = {
      .ip_bytes = 40, .outer_ip_bytes = 64, .egress_mtu = 1600, .largest_ip_bytes = 1576};
  answer.if_down = "10.0.0.2";
  return answer;
}

}  // namespace guideway::observe
