// Sections, keys and interfaces: what is missing, unknown, twice there or of the wrong kind.
#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

std::string interface_error(const std::string& keys) {
  return error_with("interfaces", "interfaces:\n- name: eth0\n  " + keys + "\n");
}

TEST_CASE("A missing section is named with what it must be") {
  CHECK(error_with("node", "") ==
        "f:1:1: node: missing; must be a mapping with the key fleet_seed");
  CHECK(error_with("interfaces", "") ==
        "f:1:1: interfaces: missing; must be a list with at least one interface");
  CHECK(error_with("encapsulation", "") ==
        "f:1:1: encapsulation: missing; must be a mapping with the key source");
  CHECK(error_with("pools", "") == "f:1:1: pools: missing; must be a list with at least one pool");
  CHECK(error_with("services", "") ==
        "f:1:1: services: missing; must be a list with at least one service");
}

TEST_CASE("A section without a value is reported at its key") {
  CHECK(error_with("node", "node:\n") ==
        "f:1:1: node: must be a mapping with the keys name and fleet_seed, but has no value");
  CHECK(error_with("interfaces", "interfaces:\n") ==
        "f:1:1: interfaces: must be a list with at least one interface, but has no value");
  CHECK(error_with("pools", "pools: []") ==
        "f:1:8: pools: must be a list with at least one pool, not an empty list");
  CHECK(error_with("services", "services: []") ==
        "f:1:11: services: must be a list with at least one service, not an empty list");
  CHECK(error_with("log", "log:\n") ==
        "f:1:1: log: must be a mapping with the keys level, but has no value");
}

TEST_CASE("A section of the wrong kind says what it is and what it must be") {
  CHECK(error_with("node", "node: lb1") ==
        "f:1:7: node: must be a mapping with the keys name and fleet_seed, not \"lb1\"");
  CHECK(error_with("interfaces", "interfaces: eth0") ==
        "f:1:13: interfaces: must be a list with at least one interface, not \"eth0\"");
  CHECK(error_with("interfaces", "interfaces: [eth0]") ==
        "f:1:14: interfaces[0]: must be a mapping with the keys name, mode, queues, cpus, "
        "frame_size, "
        "frames, ring and busy_poll, not \"eth0\"");
  CHECK(error_with("encapsulation", "encapsulation: [gre]") ==
        "f:1:16: encapsulation: must be a mapping with the keys type and source, not a list");
  CHECK(error_with("pools", "pools: {web: [10.0.1.11]}") ==
        "f:1:8: pools: must be a list with at least one pool, not a mapping");
  CHECK(error_with("pools", "pools: [[10.0.1.11]]") ==
        "f:1:9: pools[0]: must be a mapping with the keys name, table_size, on_empty, "
        "min_healthy, slow_start, checks and backends, not a list");
  CHECK(error_with("services", "services: web") ==
        "f:1:11: services: must be a list with at least one service, not \"web\"");
  CHECK(error_with("services", "services: [web]") ==
        "f:1:12: services[0]: must be a mapping with the keys name, vip, ports and pool, not "
        "\"web\"");
  CHECK(error_with("flow_table", "flow_table: 4096") ==
        "f:1:13: flow_table: must be a mapping with the keys entries and timeouts, not \"4096\"");
  CHECK(error_with("flow_table", "flow_table: {timeouts: 10s}") ==
        "f:1:24: flow_table.timeouts: must be a mapping with the keys opening, established, "
        "closing and "
        "udp, not \"10s\"");
  CHECK(error_with("log", "log: info") ==
        "f:1:6: log: must be a mapping with the keys level, not \"info\"");
  CHECK(error_with("admin", "admin: /run/a.sock") ==
        "f:1:8: admin: must be a mapping with the keys socket, not \"/run/a.sock\"");
  CHECK(error_with("metrics", "metrics: 127.0.0.1:9477") ==
        "f:1:10: metrics: must be a mapping with the keys listen, not \"127.0.0.1:9477\"");
  CHECK(error_with("shutdown", "shutdown: 10s") ==
        "f:1:11: shutdown: must be a mapping with the keys drain, not \"10s\"");
}

TEST_CASE("An unknown key is named with the nearest known one, or with all of them") {
  CHECK(error_with("pool", "pool: []") == "f:1:1: pool: unknown key; did you mean \"pools\"?");
  CHECK(error_with("health", "health: {}") ==
        "f:1:1: health: unknown key; the keys here are node, interfaces, encapsulation, pools, "
        "services, "
        "flow_table, log, admin, metrics, bgp and shutdown");
  CHECK(interface_error("frame-size: 2048") ==
        "f:3:3: interfaces[0].frame-size: unknown key; did you mean \"frame_size\"?");
  CHECK(interface_error("mtu: 1500") ==
        "f:3:3: interfaces[0].mtu: unknown key; the keys here are name, mode, queues, cpus, "
        "frame_size, "
        "frames, ring and busy_poll");
  CHECK(error_with("node", "node: {fleet_sede: a, fleet_seed: b}") ==
        "f:1:8: node.fleet_sede: unknown key; did you mean \"fleet_seed\"?");
  CHECK(error_with("encapsulation", "encapsulation: {source: 10.0.0.10, key: 7}") ==
        "f:1:36: encapsulation.key: unknown key; the keys here are type and source");
  CHECK(error_with("flow_table", "flow_table: {timeouts: {tcp: 1s}}") ==
        "f:1:25: flow_table.timeouts.tcp: unknown key; the keys here are opening, established, "
        "closing "
        "and udp");
  CHECK(error_with("log", "log: {Level: info}") ==
        "f:1:7: log.Level: unknown key; did you mean \"level\"?");
  CHECK(error_with("admin", "admin: {sockets: /a}") ==
        "f:1:9: admin.sockets: unknown key; did you mean \"socket\"?");
  CHECK(error_with("metrics", "metrics: {port: 9477}") ==
        "f:1:11: metrics.port: unknown key; the keys here are listen");
  CHECK(error_with("shutdown", "shutdown: {drian: 1s}") ==
        "f:1:12: shutdown.drian: unknown key; did you mean \"drain\"?");
  CHECK(error_with("log", "log: {level:debug}") ==
        "f:1:7: log.level:debug: unknown key; write a space behind ':'");
  CHECK(error_with("log", "log: {<<: {level: info}}") ==
        "f:1:7: log.<<: merge keys are not supported; write the keys out, or let an alias stand "
        "for a "
        "whole value");
}

TEST_CASE("A key is a word, once in a mapping") {
  CHECK(error_with("log", "log:\n  level: info\n  level: debug\n") ==
        "f:3:3: log.level: the key is already at line 2; a mapping has a key once");
  CHECK(error_with("log", "log: {level: info}\nlog: {level: info}\n") ==
        "f:2:1: log: the key is already at line 1; a mapping has a key once");
  CHECK(error_with("log", "log: {[a]: b}") == "f:1:7: log: a key must be a word");
  CHECK(error_with("log", "log: {~: b}") == "f:1:7: log: a key must be a word");
}

TEST_CASE("An interface needs a name that Linux can have") {
  const std::string rule =
      "must be the name of a network interface: 1 to 15 characters without space, '/' or ':'";
  CHECK(error_with("interfaces", "interfaces: [{mode: auto}]") ==
        "f:1:14: interfaces[0].name: missing; " + rule);
  for (const char* name : {"abcdefghijklmnop", "a/b", "a:b", "a b", ".", "..", ""})
    CHECK(error_with("interfaces", "interfaces: [{name: '" + std::string(name) + "'}]") ==
          "f:1:21: interfaces[0].name: " + rule + ", not \"" + name + "\"");
  CHECK(error_with("interfaces", R"(interfaces: [{name: "a\0b"}])") ==
        "f:1:21: interfaces[0].name: " + rule + ", not \"a\\x00b\"");
  for (const char* name : {"abcdefghijklmno", "enp1s0f0np0", "eth0.100", "veth@x"})
    CHECK(errors_with("interfaces", "interfaces: [{name: '" + std::string(name) + "'}]").empty());
}

TEST_CASE("The mode of an interface is one of the ladder") {
  CHECK(interface_error("mode: native") ==
        "f:3:9: interfaces[0].mode: must be auto, zero-copy, copy or generic, not \"native\"");
  CHECK(interface_error("mode: zero_copy") ==
        "f:3:9: interfaces[0].mode: must be auto, zero-copy, copy or generic, not \"zero_copy\"; "
        "did you "
        "mean \"zero-copy\"?");
  CHECK(interface_error("mode:") ==
        "f:3:3: interfaces[0].mode: must be auto, zero-copy, copy or generic, but has no value");
}

TEST_CASE("Queues and CPUs are lists of numbers") {
  CHECK(interface_error("queues: 2") ==
        "f:3:11: interfaces[0].queues: must be all or a list of queue numbers such as [0, 1], not "
        "\"2\"");
  CHECK(
      interface_error("queues: []") ==
      "f:3:11: interfaces[0].queues: must be all or a list of queue numbers such as [0, 1], not an "
      "empty list");
  CHECK(interface_error("queues: [0, 256]") ==
        "f:3:15: interfaces[0].queues[1]: must be a whole number from 0 to 255, not \"256\"");
  CHECK(interface_error("queues: [a]") ==
        "f:3:12: interfaces[0].queues[0]: must be a whole number from 0 to 255, not \"a\"");
  CHECK(interface_error("queues: [~]") ==
        "f:3:12: interfaces[0].queues[0]: must be a whole number from 0 to 255, but has no value");
  CHECK(interface_error("cpus: all") ==
        "f:3:9: interfaces[0].cpus: must be a list of CPU numbers such as [0, 1], not \"all\"");
  CHECK(interface_error("cpus: [0-3]") ==
        "f:3:10: interfaces[0].cpus[0]: must be a whole number from 0 to 1023, not \"0-3\"");
  CHECK(interface_error("cpus: [1024]") ==
        "f:3:10: interfaces[0].cpus[0]: must be a whole number from 0 to 1023, not \"1024\"");
}

TEST_CASE("Frames and rings are powers of two that fit each other") {
  CHECK(interface_error("frame_size: 1500") ==
        "f:3:15: interfaces[0].frame_size: must be auto, 2048 or 4096, not \"1500\"");
  CHECK(interface_error("frames: 5000") ==
        "f:3:11: interfaces[0].frames: must be a power of two from 512 to 65536, not \"5000\"; the "
        "nearest are 4096 and 8192");
  CHECK(interface_error("frames: 256") ==
        "f:3:11: interfaces[0].frames: must be a power of two from 512 to 65536, not \"256\"");
  CHECK(interface_error("frames: 131072") ==
        "f:3:11: interfaces[0].frames: must be a power of two from 512 to 65536, not \"131072\"");
  CHECK(interface_error("frames: many") ==
        "f:3:11: interfaces[0].frames: must be a power of two from 512 to 65536, not \"many\"");
  CHECK(interface_error("ring: 32") ==
        "f:3:9: interfaces[0].ring: must be a power of two from 64 to 32768, not \"32\"");
  CHECK(interface_error("ring: 65536") ==
        "f:3:9: interfaces[0].ring: must be a power of two from 64 to 32768, not \"65536\"");
  CHECK(interface_error("ring: 1000") ==
        "f:3:9: interfaces[0].ring: must be a power of two from 64 to 32768, not \"1000\"; the "
        "nearest "
        "are 512 and 1024");
  CHECK(interface_error("ring: 4096") ==
        "f:3:9: interfaces[0].ring: must be at most half of frames, 2048, not \"4096\"");
  CHECK(error_with("interfaces", "interfaces: [{name: eth0, frames: 512, ring: 512}]") ==
        "f:1:46: interfaces[0].ring: must be at most half of frames, 256, not \"512\"");
}

TEST_CASE("Busy polling is true or false, and no other word for it") {
  for (const std::string word : {"yes", "on", "1", "True"})
    CHECK(interface_error("busy_poll: " + word) ==
          "f:3:14: interfaces[0].busy_poll: must be true or false, not \"" + word + "\"");
}

}  // namespace
}  // namespace guideway::control
