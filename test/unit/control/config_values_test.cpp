// What is wrong with one value by itself: each message, with its place.
#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

TEST_CASE("The node needs a fleet seed and may have a name") {
  CHECK(error_with("node", "node: {name: lb1}") ==
        "f:1:7: node.fleet_seed: missing; must be a text that is the same on all load balancers of "
        "the "
        "fleet");
  CHECK(error_with("node", "node: {fleet_seed: }") ==
        "f:1:8: node.fleet_seed: must be a text that is the same on all load balancers of the "
        "fleet, but "
        "has no value");
  CHECK(error_with("node", "node: {fleet_seed: [a]}") ==
        "f:1:20: node.fleet_seed: must be a text that is the same on all load balancers of the "
        "fleet, "
        "not a list");
  CHECK(error_with("node", "node: {fleet_seed: a, name: lb 1}") ==
        "f:1:29: node.name: must be 1 to 63 letters, digits, '-', '_' or '.', not \"lb 1\"");
  CHECK(error_with("node", "node: {fleet_seed: a, name: \"\"}") ==
        "f:1:29: node.name: must be 1 to 63 letters, digits, '-', '_' or '.', not \"\"");
  CHECK(error_with("node", "node: {fleet_seed: a, name: " + std::string(64, 'n') + "}") ==
        "f:1:29: node.name: must be 1 to 63 letters, digits, '-', '_' or '.', not \"" +
            std::string(60, 'n') + "...\"");
  CHECK(errors_with("node", "node: {fleet_seed: a, name: " + std::string(63, 'n') + "}").empty());
}

TEST_CASE("Numbers are plain decimal digits") {
  for (const std::string word :
       {"0x10", "1e3", "+5", "1_000", "010", "-1", "1.5", "", "18446744073709551616", " 5"})
    CHECK(error_with("pools", "pools: [{name: web, backends: [{address: 10.0.1.11, weight: '" +
                                  word + "'}]}]") ==
          "f:1:61: pools[0].backends[0].weight: must be a whole number from 0 to 65535, not \"" +
              word + "\"");
}

TEST_CASE("The encapsulation is GRE from an address of this host") {
  CHECK(error_with("encapsulation", "encapsulation: {type: ipip, source: 10.0.0.10}") ==
        "f:1:23: encapsulation.type: must be gre, not \"ipip\"");
  CHECK(error_with("encapsulation", "encapsulation: {type: gre}") ==
        "f:1:16: encapsulation.source: missing; must be an IPv4 address of this host");
  CHECK(error_with("encapsulation", "encapsulation: {source: fd00::1}") ==
        "f:1:25: encapsulation.source: IPv6 is not supported yet; must be an IPv4 address such as "
        "10.0.0.10, not \"fd00::1\"");
  CHECK(error_with("encapsulation", "encapsulation: {source: 0.0.0.0}") ==
        "f:1:25: encapsulation.source: must be an IPv4 address such as 10.0.0.10, not \"0.0.0.0\"; "
        "that "
        "is no address of a host");
}

TEST_CASE("A pool needs a name and backends") {
  CHECK(errors_with("pools", "pools: [{table_size: 65537}]") ==
        Lines{"f:1:9: pools[0].name: missing; must be 1 to 63 letters, digits, '-', '_' or '.'",
              "f:1:9: pools[0].backends: missing; must be a list with at least one backend"});
  CHECK(error_with("pools", "pools: [{name: we/b, backends: [10.0.1.11]}]") ==
        "f:1:16: pools[0].name: must be 1 to 63 letters, digits, '-', '_' or '.', not \"we/b\"");
  CHECK(error_with("pools", "pools: [{name: web, backends: []}]") ==
        "f:1:31: pools[0].backends: must be a list with at least one backend, not an empty list");
  CHECK(error_with("pools", "pools: [{name: web, backends: 10.0.1.11}]") ==
        "f:1:31: pools[0].backends: must be a list with at least one backend, not \"10.0.1.11\"");
}

TEST_CASE("A table size is a prime that a table can have") {
  const auto table_size = [](const std::string& size) {
    return error_with("pools",
                      "pools: [{name: web, table_size: " + size + ", backends: [10.0.1.11]}]");
  };
  const std::string range =
      "f:1:33: pools[0].table_size: must be a whole number from 2 to 16777213, not ";
  CHECK(table_size("0") == range + "\"0\"");
  CHECK(table_size("1") == range + "\"1\"");
  CHECK(table_size("16777214") == range + "\"16777214\"");
  CHECK(table_size("65536") ==
        "f:1:33: pools[0].table_size: must be a prime; the nearest to 65536 are 65521 and 65537");
  CHECK(table_size("16777212") ==
        "f:1:33: pools[0].table_size: must be a prime; the nearest to 16777212 are 16777199 and "
        "16777213");
  CHECK(table_size("16777213") == "no problem");
}

TEST_CASE("A backend is an address, or a mapping with an address and a weight") {
  const auto backend = [](const std::string& text) {
    return error_with("pools", "pools: [{name: web, backends: [" + text + "]}]");
  };
  CHECK(backend("{weight: 2}") ==
        "f:1:32: pools[0].backends[0].address: missing; must be an IPv4 address such as 10.0.1.11");
  CHECK(
      backend("{address: 10.0.1.11, weight: 65536}") ==
      "f:1:61: pools[0].backends[0].weight: must be a whole number from 0 to 65535, not \"65536\"");
  CHECK(backend("{address: [10.0.1.11]}") ==
        "f:1:42: pools[0].backends[0].address: must be an IPv4 address such as 10.0.1.11, not a "
        "list");
  CHECK(backend("[10.0.1.11]") ==
        "f:1:32: pools[0].backends[0]: must be a mapping with the keys address, weight and state, "
        "not a list");
  CHECK(
      backend("{address: 10.0.1.11, state: drained}") ==
      "f:1:60: pools[0].backends[0].state: must be active or drain, not \"drained\"; did you mean "
      "\"drain\"?");
  CHECK(backend("{address: 10.0.1.11, state: down}") ==
        "f:1:60: pools[0].backends[0].state: must be active or drain, not \"down\"");
  CHECK(backend("10.0.1.11, ~") ==
        "f:1:43: pools[0].backends[1]: must be a mapping with the keys address, weight and state, "
        "but has no value");
}

TEST_CASE("An address is an IPv4 address of one host") {
  const std::string rule =
      "f:1:32: pools[0].backends[0]: must be an IPv4 address such as 10.0.1.11, not ";
  const auto backend = [](const std::string& text) {
    return error_with("pools", "pools: [{name: web, backends: ['" + text + "']}]");
  };
  for (const char* text : {"web1.example", "10.0.1", "10.0.1.256", "10.0.1.011", "10.0.1.1 ", ""})
    CHECK(backend(text) == rule + "\"" + text + "\"");
  CHECK(backend("10.0.1.0/24") ==
        rule + "\"10.0.1.0/24\"; it is one address, without a prefix length");
  CHECK(backend("127.0.0.1") == rule + "\"127.0.0.1\"; that is a loopback address");
  CHECK(backend("0.1.2.3") == rule + "\"0.1.2.3\"; that is no address of a host");
  CHECK(backend("224.0.0.1") == rule + "\"224.0.0.1\"; that is a multicast or reserved address");
  CHECK(backend("255.255.255.255") ==
        rule + "\"255.255.255.255\"; that is a multicast or reserved address");
  CHECK(backend("2001:db8::11") ==
        "f:1:32: pools[0].backends[0]: IPv6 is not supported yet; must be an IPv4 address such as "
        "10.0.1.11, not \"2001:db8::11\"");
}

TEST_CASE("A service needs a VIP, ports and a pool") {
  CHECK(errors_with("services", "services:\n- name: web\n") ==
        Lines{"f:2:3: services[0].vip: missing; must be an IPv4 address such as 198.51.100.1",
              "f:2:3: services[0].ports: missing; must be a list of ports such as [tcp/80, udp/53]",
              "f:2:3: services[0].pool: missing; must be the name of a pool"});
  CHECK(error_with("services", "services: [{vip: '2001:db8::1', ports: [tcp/80], pool: web}]") ==
        "f:1:18: services[0].vip: IPv6 is not supported yet; must be an IPv4 address such as "
        "198.51.100.1, not \"2001:db8::1\"");
  CHECK(error_with("services", "services: [{vip: 239.1.1.1, ports: [tcp/80], pool: web}]") ==
        "f:1:18: services[0].vip: must be an IPv4 address such as 198.51.100.1, not \"239.1.1.1\"; "
        "that "
        "is a multicast or reserved address");
  CHECK(error_with("services", "services: [{vip: 198.51.100.1, ports: [tcp/80], pool: [web]}]") ==
        "f:1:55: services[0].pool: must be 1 to 63 letters, digits, '-', '_' or '.', not a list");
  CHECK(error_with("services",
                   "services: [{name: a b, vip: 198.51.100.1, ports: [tcp/80], pool: web}]") ==
        "f:1:19: services[0].name: must be 1 to 63 letters, digits, '-', '_' or '.', not \"a b\"");
}

TEST_CASE("Ports are listed as protocol and number") {
  const auto ports = [](const std::string& text) {
    return error_with("services",
                      "services: [{vip: 198.51.100.1, pool: web, ports: " + text + "}]");
  };
  CHECK(ports("tcp/80") ==
        "f:1:50: services[0].ports: must be a list of ports such as [tcp/80, udp/53], not "
        "\"tcp/80\"");
  CHECK(ports("[]") ==
        "f:1:50: services[0].ports: must be a list of ports such as [tcp/80, udp/53], not an empty "
        "list");
  const std::string rule =
      "f:1:51: services[0].ports[0]: must be PROTOCOL/PORT such as tcp/80 or udp/53, not ";
  CHECK(ports("[80]") == rule + "\"80\"");
  CHECK(ports("[tcp]") == rule + "\"tcp\"");
  CHECK(ports("[tcp/]") == rule + "\"tcp/\"");
  CHECK(ports("[tcp/http]") == rule + "\"tcp/http\"");
  CHECK(ports("[{tcp: 80}]") == rule.substr(0, rule.size() - 5) + " not a mapping");
  CHECK(ports("[tcp/0]") == rule + "\"tcp/0\"; a port is a whole number from 1 to 65535");
  CHECK(ports("[tcp/65536]") == rule + "\"tcp/65536\"; a port is a whole number from 1 to 65535");
  CHECK(ports("[sctp/80]") == rule + "\"sctp/80\"; the protocol is tcp or udp");
  CHECK(ports("[80/tcp]") == rule + "\"80/tcp\"; did you mean \"tcp/80\"?");
  CHECK(ports("[tcp/8000-8010]") ==
        rule + "\"tcp/8000-8010\"; ranges are not supported: list the ports one by one");
  CHECK(ports("['udp/1:9']") ==
        rule + "\"udp/1:9\"; ranges are not supported: list the ports one by one");
}

TEST_CASE("The flow table has a size and timeouts within limits") {
  const std::string size =
      "f:1:23: flow_table.entries: must be a whole number from 1024 to 268435456, not ";
  CHECK(error_with("flow_table", "flow_table: {entries: 1023}") == size + "\"1023\"");
  CHECK(error_with("flow_table", "flow_table: {entries: 268435457}") == size + "\"268435457\"");
  CHECK(error_with("flow_table", "flow_table: {entries: 1M}") == size + "\"1M\"");
  const std::string duration = "must be a duration from 1s to 9h such as 30s, 15m or 1h, not ";
  for (const std::string key : {"opening", "established", "closing", "udp"})
    CHECK(error_with("flow_table", "flow_table:\n  timeouts:\n    " + key + ": 0s") ==
          "f:3:" + std::to_string(7 + key.size()) + ": flow_table.timeouts." + key + ": " +
              duration + "\"0s\"");
  const auto timeout = [](const std::string& text) {
    return error_with("flow_table", "flow_table: {timeouts: {udp: '" + text + "'}}");
  };
  const std::string place = "f:1:30: flow_table.timeouts.udp: " + duration;
  for (const std::string text : {"10h", "541m", "32401s", "1h30m", "1.5m", "2d", "100ms", "s", "",
                                 "99999999999999999h", "18446744073709551615s"})
    CHECK(timeout(text) == place + "\"" + text + "\"");
  for (const std::string text : {"1500ms", "1001ms"})
    CHECK(timeout(text) == place + "\"" + text + "\"; write whole seconds");
  CHECK(timeout("2000ms") == "no problem");
  CHECK(timeout("120") == place + "\"120\"; write the unit: s, m or h");
  CHECK(timeout("32400s") == "no problem");
}

TEST_CASE("The log level is one of five") {
  CHECK(
      error_with("log", "log: {level: warn}") ==
      "f:1:14: log.level: must be trace, debug, info, warning or error, not \"warn\"; did you mean "
      "\"warning\"?");
  CHECK(
      error_with("log", "log: {level: INFO}") ==
      "f:1:14: log.level: must be trace, debug, info, warning or error, not \"INFO\"; did you mean "
      "\"info\"?");
}

TEST_CASE("The admin socket is an absolute path that fits a socket address") {
  const std::string rule =
      "f:1:17: admin.socket: must be an absolute path shorter than 108 bytes such as "
      "/run/guideway/guidewayd.sock, not ";
  CHECK(error_with("admin", "admin: {socket: guidewayd.sock}") == rule + "\"guidewayd.sock\"");
  CHECK(error_with("admin", "admin: {socket: /run/guideway/}") == rule + "\"/run/guideway/\"");
  CHECK(error_with("admin", R"(admin: {socket: "/run/\0"})") == rule + "\"/run/\\x00\"");
  CHECK(error_with("admin", "admin: {socket: ''}") == rule + "\"\"");
  const std::string path = "/" + std::string(106, 's');
  CHECK(error_with("admin", "admin: {socket: " + path + "s}") ==
        rule + "\"/" + std::string(59, 's') + "...\"");
  CHECK(errors_with("admin", "admin: {socket: " + path + "}").empty());
}

}  // namespace
}  // namespace guideway::control
