// Checks that go through the tunnel: which VIP is asked.
#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

constexpr std::string_view kService = "{vip: 198.51.100.1, ports: [tcp/80], pool: web}";

// Line 1: the services; line 4: a tcp check with `keys` from column 28 on.
std::string tunnel_file(const std::string& keys, const std::string& services) {
  return "services: [" + services +
         "]\n"
         "pools:\n- name: web\n"
         "  checks: [{type: tcp, port: 80, " +
         keys +
         "}]\n"
         "  backends: [10.0.1.11]\n"
         "- {name: api, backends: [10.0.1.12]}\n"
         "node: {fleet_seed: s}\ninterfaces: [{name: eth0}]\nencapsulation: {source: 10.0.0.10}\n";
}

std::string vip_of(const std::string& keys, const std::string& services) {
  const Config config = right(tunnel_file(keys, services));
  const auto vip = config.model.pools[0].checks.at(0).question.vip;
  return vip ? vip->text() : "none";
}

Lines tunnel_errors(const std::string& keys, const std::string& services) {
  return errors(tunnel_file(keys, services));
}

TEST_CASE("A check through the tunnel asks the VIP of its pool where that is the only one") {
  CHECK(vip_of("via: tunnel", std::string(kService)) == "198.51.100.1");
  CHECK(vip_of("via: tunnel", std::string(kService) +
                                  ", {vip: 198.51.100.1, ports: [udp/80], pool: web}, "
                                  "{vip: 198.51.100.2, ports: [tcp/80], pool: api}") ==
        "198.51.100.1");
  CHECK(vip_of("via: direct", std::string(kService)) == "none");
}

TEST_CASE("A check through the tunnel names its VIP where the pool serves several") {
  const std::string services =
      std::string(kService) + ", {vip: 198.51.100.2, ports: [tcp/80], pool: web}";
  CHECK(tunnel_errors("via: tunnel", services) ==
        Lines{"f:4:39: pools[0].checks[0].via: the services of pool \"web\" have 2 VIPs; name the "
              "one to ask through the tunnel with the key vip, such as vip: 198.51.100.1"});
  CHECK(vip_of("via: tunnel, vip: 198.51.100.2", services) == "198.51.100.2");
}

TEST_CASE("A check through the tunnel names its VIP where no service uses the pool") {
  const std::string services = "{vip: 198.51.100.1, ports: [tcp/80], pool: api}";
  CHECK(tunnel_errors("via: tunnel", services) ==
        Lines{"f:4:39: pools[0].checks[0].via: no service uses pool \"web\", so that there is no "
              "VIP to ask through the tunnel; name one with the key vip"});
  CHECK(vip_of("via: tunnel, vip: 198.51.100.1", services) == "198.51.100.1");
}

TEST_CASE("What is asked through the tunnel is the VIP of a service") {
  CHECK(tunnel_errors("via: tunnel, vip: 198.51.100.9", std::string(kService)) ==
        Lines{"f:4:52: pools[0].checks[0].vip: 198.51.100.9 is the VIP of no service; must be one "
              "that a service of this file has, such as 198.51.100.1"});
  CHECK(tunnel_errors("via: tunnel, vip: 127.0.0.1", std::string(kService)) ==
        Lines{"f:4:52: pools[0].checks[0].vip: must be an IPv4 address such as 198.51.100.1, not "
              "\"127.0.0.1\"; that is a loopback address"});
}

TEST_CASE("A VIP belongs to checks through the tunnel only") {
  for (const std::string direct : {"", "via: direct, "})
    CHECK(tunnel_errors(direct + "vip: 198.51.100.1", std::string(kService)) ==
          Lines{"f:4:" + std::to_string(34 + direct.size()) +
                ": pools[0].checks[0].vip: belongs to checks with via: tunnel"});
}

TEST_CASE("A check is direct or through the tunnel, and a program's is not through the tunnel") {
  CHECK(tunnel_errors("via: gre", std::string(kService)) ==
        Lines{"f:4:39: pools[0].checks[0].via: must be direct or tunnel, not \"gre\""});
  CHECK(errors_with("pools",
                    "pools: [{name: web, checks: [{type: exec, command: [/bin/true], via: "
                    "tunnel}], backends: [10.0.1.11]}]") ==
        Lines{"f:1:70: pools[0].checks[0].via: a program runs on this host, nothing of it goes "
              "through the tunnel; leave the key out"});
}

TEST_CASE("A service that is not readable makes no second problem of a check through the tunnel") {
  const std::string service = "{vip: x, ports: [tcp/80], pool: web}";
  CHECK(tunnel_errors("via: tunnel", service).size() == 1);
  CHECK(tunnel_errors("via: tunnel, vip: 198.51.100.9", service).size() == 1);
  CHECK(tunnel_errors("via: tunnel", "{vip: 198.51.100.1, ports: [tcp/80], pool: []}").size() == 1);
}

}  // namespace
}  // namespace guideway::control
