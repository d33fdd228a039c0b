// Model: what a fleet has to agree on, and lists over the whole of it.
#include "control/model.h"

#include <algorithm>
#include <functional>
#include <map>

#include "support/catch.h"
#include "unit/control/health_support.h"

namespace guideway::control {
namespace {

using namespace testing;

CheckConfig http_check() {
  CheckConfig check;
  check.question.kind = probe::HttpQuestion{};
  check.question.port = 80;
  return check;
}

CheckConfig check_of(decltype(probe::Question::kind) kind) {
  CheckConfig check;
  check.question.kind = std::move(kind);
  check.question.port = 53;
  return check;
}

Endpoint tcp(const char* vip, std::uint16_t port) { return {ip(vip), port, Protocol::tcp}; }

// Two pools with checks of all kinds, three services.
Model example() {
  Model model = model_of(
      {pool_of("web", {kOne, kTwo}, {http_check(), tcp_check(443)}),
       pool_of("dns", {kTwo, kThree},
               {check_of(probe::UdpQuestion{.payload = "ask", .expected = "tell"}),
                check_of(probe::DnsQuestion{.name = "example.org"}),
                check_of(probe::ExecQuestion{.command = {"/bin/ask", "it"}, .pool = "dns"})})});
  model.node = {.name = "lb1", .fleet_seed = "fleet"};
  model.interfaces.resize(1);
  model.interfaces[0].name = "eth0";
  model.encapsulation.source = ip("192.0.2.1");
  const auto vip = ip("198.51.100.1");
  model.services = {
      {.name = "web",
       .vip = vip,
       .endpoints = {tcp("198.51.100.1", 80), tcp("198.51.100.1", 443)},
       .pool = 0},
      {.name = "dns", .vip = vip, .endpoints = {{vip, 53, Protocol::udp}}, .pool = 1}};
  return model;
}

template <class Kind>
Kind& kind_of(Model& model, std::size_t pool, std::size_t check) {
  return std::get<Kind>(model.pools.at(pool).checks.at(check).question.kind);
}

using Change = std::function<void(Model&)>;

TEST_CASE("the digest of a fleet has 48 bits, and is the same for the same model") {
  CHECK(example().fleet_digest() == example().fleet_digest());
  CHECK(example().fleet_digest() >> 48 == 0);
  CHECK(example().fleet_digest() != 0);
}

TEST_CASE("the digest of a fleet does not depend on the order of the file") {
  Model model = example();
  const std::uint64_t digest = model.fleet_digest();
  std::ranges::reverse(model.pools);
  for (ServiceConfig& service : model.services) service.pool = 1 - service.pool;
  CHECK(model.fleet_digest() == digest);
  for (PoolConfig& pool : model.pools) {
    std::ranges::reverse(pool.backends);
    std::ranges::reverse(pool.checks);
  }
  CHECK(model.fleet_digest() == digest);
  std::ranges::reverse(model.services);
  for (ServiceConfig& service : model.services) std::ranges::reverse(service.endpoints);
  CHECK(model.fleet_digest() == digest);
}

TEST_CASE("what differs from host to host is not in the digest of a fleet") {
  const std::map<std::string, Change> changes{
      {"node.name", [](Model& m) { m.node.name = "lb2"; }},
      {"interfaces", [](Model& m) { m.interfaces[0].name = "eth1"; }},
      {"encapsulation.source", [](Model& m) { m.encapsulation.source = ip("192.0.2.2"); }},
      {"flow_table", [](Model& m) { m.flow_table.entries *= 2; }},
      {"log", [](Model& m) { m.log.level = LogLevel::debug; }},
      {"admin", [](Model& m) { m.admin.socket = "/run/other.sock"; }},
      {"metrics", [](Model& m) { m.metrics.port = 9100; }},
      {"shutdown", [](Model& m) { m.shutdown.drain = 5s; }},
      {"bgp", [](Model& m) { m.bgp.emplace().speaker.asn = 64512; }},
      {"ca_file",
       [](Model& m) { kind_of<probe::HttpQuestion>(m, 0, 0).ca_file = "/etc/other.pem"; }},
  };
  for (const auto& [what, change] : changes) {
    Model model = example();
    change(model);
    INFO(what);
    CHECK(model.fleet_digest() == example().fleet_digest());
  }
}

TEST_CASE("whatever decides about a flow's backend is in the digest of a fleet") {
  using namespace probe;
  const std::map<std::string, Change> changes{
      {"fleet_seed", [](Model& m) { m.node.fleet_seed = "flee"; }},
      {"pool's name", [](Model& m) { m.pools[0].name = "www"; }},
      {"table_size", [](Model& m) { m.pools[0].table_size = 251; }},
      {"on_empty", [](Model& m) { m.pools[0].on_empty = OnEmpty::all; }},
      {"slow_start", [](Model& m) { m.pools[0].slow_start = 5s; }},
      {"backend", [](Model& m) { m.pools[0].backends[0].address = kThree; }},
      {"one backend less", [](Model& m) { m.pools[0].backends.pop_back(); }},
      {"weight", [](Model& m) { m.pools[0].backends[0].weight = 2; }},
      {"drain", [](Model& m) { m.pools[0].backends[0].drain = true; }},
      {"one check less", [](Model& m) { m.pools[0].checks.pop_back(); }},
      {"the same check twice", [](Model& m) { m.pools[0].checks.push_back(m.pools[0].checks[0]); }},
      {"rise", [](Model& m) { m.pools[0].checks[0].rise = 9; }},
      {"fall", [](Model& m) { m.pools[0].checks[0].fall = 9; }},
      {"interval", [](Model& m) { m.pools[0].checks[0].interval = 9s; }},
      {"timeout", [](Model& m) { m.pools[0].checks[0].question.timeout = 9s; }},
      {"port", [](Model& m) { m.pools[0].checks[0].question.port = 81; }},
      {"vip", [](Model& m) { m.pools[0].checks[0].question.vip = ip("198.51.100.1"); }},
      {"tls", [](Model& m) { kind_of<HttpQuestion>(m, 0, 0).tls = true; }},
      {"method", [](Model& m) { kind_of<HttpQuestion>(m, 0, 0).method = "HEAD"; }},
      {"path", [](Model& m) { kind_of<HttpQuestion>(m, 0, 0).path = "/x"; }},
      {"host", [](Model& m) { kind_of<HttpQuestion>(m, 0, 0).host = "x"; }},
      {"expected",
       [](Model& m) {
         kind_of<HttpQuestion>(m, 0, 0).expected = {{200, 200}};
       }},
      {"body", [](Model& m) { kind_of<HttpQuestion>(m, 0, 0).body = "x"; }},
      {"server_name", [](Model& m) { kind_of<HttpQuestion>(m, 0, 0).server_name = "x"; }},
      {"verify", [](Model& m) { kind_of<HttpQuestion>(m, 0, 0).verify = true; }},
      {"udp payload", [](Model& m) { kind_of<UdpQuestion>(m, 1, 0).payload = "x"; }},
      {"udp expected", [](Model& m) { kind_of<UdpQuestion>(m, 1, 0).expected = "x"; }},
      {"dns name", [](Model& m) { kind_of<DnsQuestion>(m, 1, 1).name = "x"; }},
      {"dns type", [](Model& m) { kind_of<DnsQuestion>(m, 1, 1).type = 28; }},
      {"dns rcode", [](Model& m) { kind_of<DnsQuestion>(m, 1, 1).rcode = 3; }},
      {"exec arguments", [](Model& m) { kind_of<ExecQuestion>(m, 1, 2).command[1] = "x"; }},
      {"service's pool", [](Model& m) { m.services[0].pool = 1; }},
      {"service's port", [](Model& m) { m.services[0].endpoints[0].port = 81; }},
      {"service's protocol", [](Model& m) { m.services[0].endpoints[0].protocol = Protocol::udp; }},
      {"one service less", [](Model& m) { m.services.pop_back(); }},
  };
  std::map<std::uint64_t, std::string> digests{{example().fleet_digest(), "nothing"}};
  for (const auto& [what, change] : changes) {
    Model model = example();
    change(model);
    const auto [other, is_new] = digests.emplace(model.fleet_digest(), what);
    INFO(what << " is as " << other->second);
    CHECK(is_new);
  }
}

TEST_CASE("texts of different models never run into each other in the digest of a fleet") {
  const auto named = [](const std::string& pool, const std::string& seed) {
    Model model = model_of({pool_of(pool, {kOne})});
    model.node.fleet_seed = seed;
    return model.fleet_digest();
  };
  CHECK(named("a", "b\nseed 1:b") != named("a", "b"));
  CHECK(named("web backend 10.0.0.2 weight 1", "s") != named("web", "s"));
  Model one = example(), other = example();
  kind_of<probe::UdpQuestion>(one, 1, 0) = {.payload = "ab", .expected = "c"};
  kind_of<probe::UdpQuestion>(other, 1, 0) = {.payload = "a", .expected = "bc"};
  CHECK(one.fleet_digest() != other.fleet_digest());
  kind_of<probe::ExecQuestion>(one, 1, 2).command = {"/bin/x", "a b"};
  kind_of<probe::UdpQuestion>(other, 1, 0) = {.payload = "ab", .expected = "c"};
  kind_of<probe::ExecQuestion>(other, 1, 2).command = {"/bin/x", "a", "b"};
  CHECK(one.fleet_digest() != other.fleet_digest());
}

TEST_CASE("endpoints are those of all services") {
  CHECK(Model().endpoints().empty());
  CHECK(example().endpoints() == std::vector<Endpoint>{tcp("198.51.100.1", 80),
                                                       tcp("198.51.100.1", 443),
                                                       {ip("198.51.100.1"), 53, Protocol::udp}});
}

TEST_CASE("addresses of backends are there once each, in the order of numbers") {
  CHECK(Model().backend_addresses().empty());
  const Model model = model_of({pool_of("a", {ip("10.0.0.10"), kTwo}),
                                pool_of("b", {ip("9.255.255.255"), kTwo, ip("10.0.0.10"), kOne})});
  CHECK(model.backend_addresses() ==
        std::vector<Ipv4Address>{ip("9.255.255.255"), kOne, kTwo, ip("10.0.0.10")});
}

}  // namespace
}  // namespace guideway::control
