// What is only wrong, or doubtful, when several values are seen together.
#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

// `count` addresses from 10.1.0.1 on, as the items of a flow list.
std::string addresses(int count, int second = 1) {
  std::string list;
  for (int i = 1; i <= count; ++i)
    list += (i > 1 ? ", 10." : "10.") + std::to_string(second + i / 65536) + "." +
            std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
  return list;
}

Lines warnings_with(std::string_view section, std::string_view text) {
  return texts(right(file_with(section, text)).warnings);
}

TEST_CASE("Names and addresses stand once, and the second one points to the first") {
  CHECK(
      errors_with("interfaces", "interfaces:\n- name: eth0\n- name: eth1\n- name: eth0\n") ==
      Lines{
          "f:4:9: interfaces[2].name: \"eth0\" is already at line 2; an interface is listed once"});
  CHECK(
      errors_with("interfaces", "interfaces:\n- name: eth0\n  queues:\n  - 3\n  - 1\n  - 3\n") ==
      Lines{
          "f:6:5: interfaces[0].queues[2]: queue 3 is already at line 4; a queue is listed once"});
  CHECK(
      errors_with(
          "pools",
          "pools:\n- {name: web, backends: [10.0.1.11]}\n- {name: web, backends: [10.0.1.12]}\n") ==
      Lines{"f:3:10: pools[1].name: pool \"web\" is already at line 2; pools differ by name"});
  CHECK(errors_with("pools",
                    "pools:\n- name: web\n  backends:\n  - 10.0.1.11\n  - address: 10.0.1.11\n") ==
        Lines{"f:5:14: pools[0].backends[1].address: backend 10.0.1.11 is already at line 4; a "
              "pool has "
              "an address once"});
  CHECK(
      errors_with("services",
                  "services:\n"
                  "- {name: a, vip: 198.51.100.1, ports: [tcp/80], pool: web}\n"
                  "- {name: a, vip: 198.51.100.2, ports: [tcp/80], pool: web}\n") ==
      Lines{
          "f:3:10: services[1].name: service \"a\" is already at line 2; services differ by name"});
}

TEST_CASE("A port of a VIP is in one service, once") {
  CHECK(errors_with("services",
                    "services:\n"
                    "- vip: 198.51.100.1\n"
                    "  pool: web\n"
                    "  ports: [tcp/80, udp/80, tcp/80]\n"
                    "- vip: 198.51.100.1\n"
                    "  pool: web\n"
                    "  ports: [tcp/443, udp/80]\n"
                    "- vip: 198.51.100.2\n"
                    "  pool: web\n"
                    "  ports: [tcp/80]\n") ==
        Lines{"f:4:27: services[0].ports[2]: tcp 198.51.100.1:80 is already at line 4; a port of a "
              "VIP is "
              "in one service only",
              "f:7:20: services[1].ports[1]: udp 198.51.100.1:80 is already at line 4; a port of a "
              "VIP is "
              "in one service only"});
}

TEST_CASE("Two pools may share an address") {
  CHECK(
      errors_with("pools",
                  "pools: [{name: web, backends: [10.0.1.11]}, {name: api, backends: [10.0.1.11]}]")
          .empty());
}

TEST_CASE("A service names a pool that is there") {
  const auto service = [](const std::string& pool, const std::string& pools) {
    return errors(
        "pools: " + pools + "\n" +
        "node: {fleet_seed: s}\ninterfaces: [{name: eth0}]\nencapsulation: {source: 10.0.0.10}\n"
        "services: [{vip: 198.51.100.1, ports: [tcp/80], pool: " +
        pool + "}]\n");
  };
  CHECK(service("wbe", "[{name: web, backends: [10.0.1.11]}]") ==
        Lines{"f:5:55: services[0].pool: there is no pool \"wbe\"; did you mean \"web\"?"});
  CHECK(
      service("mail", "[{name: web, backends: [10.0.1.11]}, {name: api, backends: [10.0.1.11]}]") ==
      Lines{"f:5:55: services[0].pool: there is no pool \"mail\"; the pools are web and api"});
  std::string many;
  for (int i = 0; i < 13; ++i)
    many += (i > 0 ? ", {name: pool-" : "{name: pool-") + std::to_string(i) +
            ", backends: [10.0.1.11]}";
  CHECK(service("mail", "[" + many + "]") ==
        Lines{"f:5:55: services[0].pool: there is no pool \"mail\"; the pools are pool-0, pool-1, "
              "pool-2, "
              "pool-3, pool-4, pool-5, pool-6, pool-7, pool-8, pool-9 and 3 more"});
}

TEST_CASE("What could not be read is not reported a second time by what refers to it") {
  CHECK(errors_with("pools", "pools: [{name: w b, backends: [10.0.1.11]}]").size() == 1);
  CHECK(errors_with("pools", "pools: web").size() == 1);
  CHECK(errors_with("services",
                    "services: [{vip: x, ports: [tcp/80], pool: web}, {vip: x, ports: [tcp/80], "
                    "pool: web}]") ==
        Lines{"f:1:18: services[0].vip: must be an IPv4 address such as 198.51.100.1, not \"x\"",
              "f:1:56: services[1].vip: must be an IPv4 address such as 198.51.100.1, not \"x\""});
  CHECK(errors_with("pools", "pools: [{name: web, backends: [x, x]}]").size() == 2);
}

TEST_CASE("A VIP is neither a backend's address nor the source of the encapsulation") {
  CHECK(errors_with("services", "services: [{vip: 10.0.1.12, ports: [tcp/80], pool: web}]") ==
        Lines{"f:1:18: services[0].vip: 10.0.1.12 is also a backend's address, at line 5; a VIP "
              "must be an "
              "address that no backend is reached by"});
  CHECK(errors_with("services", "services: [{vip: 10.0.0.10, ports: [tcp/80], pool: web}]") ==
        Lines{"f:1:18: services[0].vip: 10.0.0.10 is also encapsulation.source, at line 4; a VIP "
              "must be "
              "an address that no load balancer has for itself"});
}

TEST_CASE("A VIP is no address that the host has for itself") {
  const auto address = [](std::string_view text) { return Ipv4Address::parse(text).value(); };
  const std::vector<OwnAddress> own{{address("10.0.0.10"), 24, "eth0"},
                                    {address("198.51.100.1"), 32, "lo"}};
  const auto problems = [&](std::string_view vip) {
    const auto config = parse_config(file_with("services", "services: [{vip: " + std::string(vip) +
                                                               ", ports: [tcp/80], pool: web}]"),
                                     "f", own);
    return config ? Lines{} : texts(config.error());
  };
  CHECK(problems("198.51.100.1") ==
        Lines{"f:1:18: services[0].vip: 198.51.100.1 is an address of this host (interface lo); a "
              "VIP must be an address that no load balancer has for itself: ip address del "
              "198.51.100.1/32 dev lo"});
  CHECK(problems("10.0.0.10") ==
        Lines{"f:1:18: services[0].vip: 10.0.0.10 is also encapsulation.source, at line 4; a VIP "
              "must be an address that no load balancer has for itself"});
  CHECK(problems("198.51.100.2").empty());
}

TEST_CASE("Metrics are not served on a VIP") {
  CHECK(errors_with("metrics", "metrics: {listen: 198.51.100.1:9477}") ==
        Lines{"f:6:18: services[0].vip: 198.51.100.1 is also where metrics.listen is, at line 1; "
              "packets to a VIP go to backends, whatever their port"});
}

TEST_CASE("A pool has as many backends as it needs to be healthy") {
  const auto pool = [](int count) {
    return errors_with("pools", "pools: [{name: web, min_healthy: " + std::to_string(count) +
                                    ", backends: [10.0.1.11, 10.0.1.12]}]");
  };
  CHECK(pool(2).empty());
  CHECK(pool(3) == Lines{"f:1:34: pools[0].min_healthy: min_healthy 3 is more than the number of "
                         "backends, 2"});
}

TEST_CASE("A table has room for its backends") {
  CHECK(errors_with("pools", "pools: [{name: web, table_size: 11, backends: [" + addresses(12) +
                                 "]}]") == Lines{"f:1:33: pools[0].table_size: table_size 11 is "
                                                 "less than the number of backends, 12; set it "
                                                 "to 1201 or a larger prime"});
  CHECK(errors_with("pools", "pools: [{name: web, table_size: 16777213, backends: [" +
                                 addresses(65535) + "]}]") ==
        Lines{"f:1:53: pools[0].backends: a pool has at most 65534 backends, not 65535"});
}

TEST_CASE("All pools together have at most 65536 backends") {
  const auto pools = [](int second) {
    return "pools:\n- {name: web, table_size: 16777213, backends: [" + addresses(65000) +
           "]}\n- {name: api, backends: [" + addresses(second) + "]}\n";
  };
  CHECK(errors_with("pools", pools(537)) ==
        Lines{"f:2:1: pools: all pools together have at most 65536 backends, not 65537"});
  CHECK(errors_with("pools", pools(536)).empty());
}

TEST_CASE("All services together have at most 32768 ports") {
  const auto services = [](int second) {
    std::string text = "services:\n";
    for (const int count : {32000, second}) {
      text +=
          "- {vip: 198.51.100." + std::to_string(count % 250 + 1) + ", pool: web, ports: [tcp/1";
      for (int port = 2; port <= count; ++port) text += ", tcp/" + std::to_string(port);
      text += "]}\n";
    }
    return text;
  };
  CHECK(errors_with("services", services(769)) ==
        Lines{"f:2:1: services: all services together have at most 32768 ports, not 32769"});
  CHECK(errors_with("services", services(768)).empty());
}

TEST_CASE("A pool that no service uses is a warning") {
  CHECK(
      warnings_with(
          "pools",
          "pools:\n- {name: web, backends: [10.0.1.11]}\n- {name: api, backends: [10.0.1.11]}\n") ==
      Lines{"f:3:10: pools[1].name: no service uses pool \"api\""});
}

TEST_CASE("A pool whose backends all have weight 0 is a warning") {
  CHECK(
      warnings_with("pools", "pools: [{name: web, backends: [{address: 10.0.1.11, weight: 0}]}]") ==
      Lines{"f:1:31: pools[0].backends: all backends have weight 0: new flows to this pool are "
            "dropped"});
}

TEST_CASE("A pool whose backends are all drained is a warning") {
  const auto pool = [](std::string_view keys, std::string_view second) {
    return warnings_with("pools", "pools:\n- name: web\n" + std::string(keys) +
                                      "  backends:\n"
                                      "  - {address: 10.0.1.11, state: drain}\n"
                                      "  - {address: 10.0.1.12, " +
                                      std::string(second) + "}\n");
  };
  CHECK(pool("", "state: drain") == Lines{"f:4:3: pools[0].backends: all backends are drained: new "
                                          "flows to this pool are dropped"});
  CHECK(pool("", "weight: 0") == Lines{"f:4:3: pools[0].backends: all backends are drained or have "
                                       "weight 0: new flows to this pool are dropped"});
  CHECK(pool("  on_empty: all\n", "state: drain") ==
        Lines{"f:5:3: pools[0].backends: all backends are drained: new flows to this pool are "
              "dropped"});
  CHECK(pool("", "state: active").empty());
}

TEST_CASE("A table with less than 100 entries for each backend is a warning") {
  CHECK(
      warnings_with("pools",
                    "pools: [{name: web, table_size: 199, backends: [10.0.1.11, 10.0.1.12]}]") ==
      Lines{
          "f:1:33: pools[0].table_size: table_size 199 is less than 100 for each of 2 backends, so "
          "that their shares are uneven; set it to 211 or a larger prime"});
  CHECK(warnings_with("pools", "pools: [{name: web, backends: [" + addresses(656) + "]}]") ==
        Lines{"f:1:31: pools[0].backends: table_size 65537 is less than 100 for each of 656 "
              "backends, so "
              "that their shares are uneven; set it to 65609 or a larger prime"});
  CHECK(warnings_with("pools", "pools: [{name: web, backends: [" + addresses(655) + "]}]").empty());
  CHECK(
      warnings_with("pools", "pools: [{name: web, table_size: 2, backends: [10.0.1.11]}]").empty());
  CHECK(warnings_with("pools",
                      "pools: [{name: web, table_size: 199, backends: [10.0.1.11, "
                      "{address: 10.0.1.12, weight: 0}]}]")
            .empty());
}

TEST_CASE("Serving some queues of an interface only is a warning") {
  CHECK(warnings_with("interfaces", "interfaces: [{name: eth0, queues: [0, 1]}]") ==
        Lines{"f:1:35: interfaces[0].queues: packets to a VIP that arrive on other queues are "
              "dropped; let "
              "the NIC spread over these queues only (ethtool -X), or set queues: all"});
}

TEST_CASE("Warnings are told in the order of the file") {
  CHECK(warnings_with("pools",
                      "pools:\n"
                      "- {name: api, backends: [10.0.1.11]}\n"
                      "- {name: web, table_size: 97, backends: [10.0.1.11, 10.0.1.12]}\n"
                      "- {name: old, backends: [10.0.1.11]}\n") ==
        Lines{"f:2:10: pools[0].name: no service uses pool \"api\"",
              "f:3:27: pools[1].table_size: table_size 97 is less than 100 for each of 2 backends, "
              "so that "
              "their shares are uneven; set it to 211 or a larger prime",
              "f:4:10: pools[2].name: no service uses pool \"old\""});
}

}  // namespace
}  // namespace guideway::control
