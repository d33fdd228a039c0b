// What a reload changes, in words; and what keeps its value.
#include "control/changes.h"

#include <algorithm>

#include "support/catch.h"
#include "unit/control/health_support.h"

namespace guideway::control {
namespace {

using namespace testing;
using Lines = std::vector<std::string>;

CheckConfig http_check() {
  CheckConfig check;
  probe::HttpQuestion http;
  http.path = "/healthz";
  check.question.kind = http;
  check.question.port = 80;
  return check;
}

Interface interface_of(const char* name) {
  Interface interface;
  interface.name = name;
  return interface;
}

Model example() {
  Model model = model_of({pool_of("web", {kOne, kTwo}, {http_check()}), pool_of("api", {kOne})});
  model.node = {.name = "lb1", .fleet_seed = "fleet"};
  model.interfaces = {interface_of("eth0"), interface_of("eth1")};
  model.encapsulation.source = ip("192.0.2.1");
  const Endpoint endpoint{ip("198.51.100.1"), 80, Protocol::tcp};
  model.services = {{.name = "web", .vip = endpoint.address, .endpoints = {endpoint}, .pool = 0}};
  return model;
}

// The lines for what `change` does to the example.
template <class Change>
Lines changes(const Change& change) {
  Model after = example();
  change(after);
  return describe_changes(example(), after);
}

template <class Change>
Lines kept(const Change& change) {
  Model wanted = example();
  change(wanted);
  return keep_fixed(example(), wanted);
}

TEST_CASE("nothing changed, nothing said") {
  CHECK(changes([](Model&) {}).empty());
  CHECK(describe_changes(Model(), Model()).empty());
}

TEST_CASE("another order of the file is no change") {
  CHECK(changes([](Model& m) {
          std::ranges::reverse(m.interfaces);
          std::ranges::reverse(m.pools);
          for (PoolConfig& pool : m.pools) std::ranges::reverse(pool.backends);
          m.services[0].pool = 1;
        }).empty());
}

TEST_CASE("what changes about a backend is said with its pool and address") {
  CHECK(changes([](Model& m) {
          m.pools[0].backends.push_back({kThree, 2, false});
        }) == Lines{"pool web: backend 10.0.0.3 added, weight 2"});
  CHECK(changes([](Model& m) {
          m.pools[0].backends.push_back({kThree, 2, true});
        }) == Lines{"pool web: backend 10.0.0.3 added, weight 2, drained"});
  CHECK(changes([](Model& m) { m.pools[0].backends.pop_back(); }) ==
        Lines{"pool web: backend 10.0.0.2 removed"});
  CHECK(changes([](Model& m) { m.pools[0].backends[0].weight = 0; }) ==
        Lines{"pool web: backend 10.0.0.1: weight 1 -> weight 0"});
  CHECK(changes([](Model& m) { m.pools[0].backends[0].drain = true; }) ==
        Lines{"pool web: backend 10.0.0.1: weight 1 -> weight 1, drained"});
}

TEST_CASE("what changes about a pool is said by the name of the setting") {
  CHECK(changes([](Model& m) {
          m.pools[0].table_size = 251;
          m.pools[0].on_empty = OnEmpty::all;
          m.pools[0].min_healthy = 2;
          m.pools[0].slow_start = 30s;
        }) == Lines{"pool web: table_size: 65537 -> 251", "pool web: on_empty: drop -> all",
                    "pool web: min_healthy: 1 -> 2", "pool web: slow_start: 0 s -> 30 s"});
}

TEST_CASE("a pool that comes or goes is one line, and so is one with a new name for each") {
  CHECK(changes([](Model& m) {
          m.pools.push_back(pool_of("dns", {kOne, kTwo}));
        }) == Lines{"pool dns added, 2 backends"});
  CHECK(changes([](Model& m) { m.pools.pop_back(); }) == Lines{"pool api removed"});
  CHECK(changes([](Model& m) { m.pools[1].name = "API"; }) ==
        Lines{"pool API added, 1 backends", "pool api removed"});
}

TEST_CASE("a check that comes or goes is said with all that tells it from others") {
  CHECK(
      changes([](Model& m) { m.pools[0].checks.push_back(tcp_check(443)); }) ==
      Lines{"pool web: check tcp port 443 every 2000 ms, time-out 1000 ms, rise 2, fall 3 added"});
  CHECK(changes([](Model& m) { m.pools[0].checks.clear(); }) ==
        Lines{"pool web: check http port 80 path /healthz every 2000 ms, time-out 1000 ms, rise 2, "
              "fall 3 removed"});
  const Lines other = changes([](Model& m) {
    m.pools[0].checks[0].interval = 500ms;
    m.pools[0].checks[0].question.timeout = 250ms;
    m.pools[0].checks[0].rise = 4;
    m.pools[0].checks[0].fall = 5;
  });
  CHECK(other == Lines{"pool web: check http port 80 path /healthz every 500 ms, time-out 250 ms, "
                       "rise 4, fall 5 added",
                       "pool web: check http port 80 path /healthz every 2000 ms, time-out 1000 "
                       "ms, rise 2, fall 3 removed"});
}

TEST_CASE("a check that only expects something else is not said to come and go in the same words") {
  const Lines lines = changes([](Model& m) {
    std::get<probe::HttpQuestion>(m.pools[0].checks[0].question.kind).body = "well";
  });
  CHECK(lines == Lines{"pool web: check http port 80 path /healthz every 2000 ms, time-out 1000 "
                       "ms, rise 2, fall 3: asks or expects something else"});
}

TEST_CASE(
    "an endpoint is called by its VIP, and said when it comes, goes, or is served otherwise") {
  const Endpoint other{ip("198.51.100.1"), 53, Protocol::udp};
  CHECK(changes([&](Model& m) { m.services[0].endpoints.push_back(other); }) ==
        Lines{"service udp 198.51.100.1:53 added, pool web"});
  CHECK(changes([](Model& m) { m.services.clear(); }) ==
        Lines{"service tcp 198.51.100.1:80 removed"});
  CHECK(changes([](Model& m) { m.services[0].pool = 1; }) ==
        Lines{"service tcp 198.51.100.1:80: pool: web -> api"});
  CHECK(changes([](Model& m) { m.services[0].name = "www"; }) ==
        Lines{"service tcp 198.51.100.1:80: name: web -> www"});
}

TEST_CASE("the settings of the host are said by their names in the file") {
  CHECK(changes([](Model& m) {
          m.node.name = "lb2";
          m.interfaces = {interface_of("eth0"), interface_of("eth2")};
          m.encapsulation.source = ip("192.0.2.2");
          m.log.level = LogLevel::debug;
          m.metrics = {.address = ip("127.0.0.1"), .port = 9100};
          m.shutdown.drain = 10s;
        }) == Lines{"node.name: lb1 -> lb2", "interface eth1 removed", "interface eth2 added",
                    "encapsulation.source: 192.0.2.1 -> 192.0.2.2", "log.level: info -> debug",
                    "metrics.listen: none -> 127.0.0.1:9100", "shutdown.drain: 0 s -> 10 s"});
}

bgp::Peer peer_of(const char* address, std::uint32_t asn) {
  bgp::Peer peer;
  peer.address = boost::asio::ip::make_address(address);
  peer.asn = asn;
  return peer;
}

BgpConfig bgp_example() {
  BgpConfig bgp;
  bgp.speaker.api = "unix:/run/guideway-bgp/api.sock";
  bgp.speaker.asn = 64512;
  bgp.speaker.router_id = "192.0.2.1";
  bgp.speaker.peers = {peer_of("10.0.0.1", 64500), peer_of("2001:db8::1", 64500)};
  bgp.policy.prefixes = {bgp::Prefix::parse("198.51.100.0/24").value()};
  bgp.policy.active.med = 50;
  bgp.policy.passive.med = 150;
  return bgp;
}

// The lines for what `change` does to the example with bgp.
template <class Change>
Lines bgp_changes(const Change& change) {
  Model before = example();
  before.bgp = bgp_example();
  Model after = before;
  change(*after.bgp);
  return describe_changes(before, after);
}

TEST_CASE("that VIPs are announced at all comes and goes in one line") {
  CHECK(changes([](Model& m) { m.bgp = bgp_example(); }) ==
        Lines{"bgp added: VIPs are announced, role active"});
  Model before = example();
  before.bgp = bgp_example();
  CHECK(describe_changes(before, example()) == Lines{"bgp removed: nothing is announced any more"});
  CHECK(describe_changes(before, before).empty());
}

TEST_CASE("the settings of the speaker are said by their names in the file") {
  CHECK(bgp_changes([](BgpConfig& bgp) {
          bgp.speaker.api = "127.0.0.1:50051";
          bgp.speaker.asn = 64513;
          bgp.speaker.router_id = "192.0.2.2";
          bgp.speaker.listen_port = 0;
          bgp.speaker.graceful_restart = 0s;
        }) == Lines{"bgp.api: unix:/run/guideway-bgp/api.sock -> 127.0.0.1:50051",
                    "bgp.local_asn: 64512 -> 64513", "bgp.router_id: 192.0.2.1 -> 192.0.2.2",
                    "bgp.listen_port: 179 -> 0", "bgp.graceful_restart: 20 s -> 0 s"});
  CHECK(bgp_changes([](BgpConfig& bgp) {
          bgp.speaker.mode = bgp::Mode::external;
          bgp.speaker.asn = 0;
          bgp.speaker.router_id.clear();
          bgp.speaker.peers.clear();
        }) == Lines{"bgp.mode: managed -> external", "bgp.local_asn: 64512 -> gobgpd's"});
}

TEST_CASE(
    "what changes about a peer is said with its address, and of a password only that it did") {
  CHECK(bgp_changes([](BgpConfig& bgp) { bgp.speaker.peers[0] = peer_of("10.0.0.2", 64501); }) ==
        Lines{"bgp: peer 10.0.0.1 removed",
              "bgp: peer 10.0.0.2 added, AS 64501, port 179, hold time 9 s"});
  CHECK(bgp_changes([](BgpConfig& bgp) {
          bgp::Peer& peer = bgp.speaker.peers[0];
          peer.hold_time = 30s;
          peer.multihop = 2;
          peer.port = 1790;
          peer.local_address = boost::asio::ip::make_address("192.0.2.1");
          peer.password = "secret";
        }) == Lines{"bgp: peer 10.0.0.1: AS 64500, port 179, hold time 9 s -> AS 64500, port 1790, "
                    "hold time 30 s, multihop 2, from 192.0.2.1",
                    "bgp: peer 10.0.0.1: password added"});
  CHECK(bgp_changes([](BgpConfig& bgp) { std::ranges::reverse(bgp.speaker.peers); }).empty());
}

TEST_CASE("what is announced otherwise is said as routers see it") {
  CHECK(bgp_changes([](BgpConfig& bgp) {
          bgp.policy.role = bgp::Role::passive;
          bgp.policy.need = bgp::Need::any;
          bgp.policy.prefixes = {bgp::Prefix::parse("203.0.113.0/24").value()};
          bgp.policy.active.med.reset();
          bgp.policy.passive.prepend = 3;
          bgp.policy.damping.first = 500ms;
        }) ==
        Lines{"bgp.role: active -> passive", "bgp.announce: all -> any",
              "bgp: prefix 198.51.100.0/24 removed", "bgp: prefix 203.0.113.0/24 added",
              "bgp: routes when active: med 50 -> none",
              "bgp: routes when passive: med 150 -> med 150, prepend 3",
              "bgp.damping: first 1 s, most 60 s, window 300 s -> first 500 ms, most 60 s, window "
              "300 s"});
}

TEST_CASE("beyond the limit, changes are counted") {
  const auto with = [](std::size_t added) {
    return changes([&](Model& m) {
      for (std::uint32_t i = 0; i < added; ++i)
        m.pools[0].backends.push_back({.address = Ipv4Address(Be32(0x0a010000 + i))});
    });
  };
  CHECK(with(kMaxChangeLines).size() == kMaxChangeLines);
  CHECK(with(kMaxChangeLines).back() == "pool web: backend 10.1.0.199 added, weight 1");
  CHECK(with(kMaxChangeLines + 1).size() == kMaxChangeLines + 1);
  CHECK(with(kMaxChangeLines + 1).back() == "and 1 more changes");
  CHECK(with(10'000).back() == "and 9800 more changes");
}

TEST_CASE("what a running daemon can take is not kept") {
  CHECK(kept([](Model& m) {
          m.node.name = "lb2";
          m.encapsulation.source = ip("192.0.2.2");
          m.pools.pop_back();
          m.services.clear();
          m.log.level = LogLevel::debug;
          m.metrics.port = 9100;
          m.shutdown.drain = 10s;
          m.bgp = bgp_example();
          m.interfaces = {interface_of("eth2"), interface_of("eth0")};
          m.interfaces[0].mode = Mode::generic;
        }).empty());
}

TEST_CASE("what a running daemon cannot take keeps its value, with a line that says so") {
  const Model running = example();
  Model wanted = running;
  SECTION("fleet seed") {
    wanted.node.fleet_seed = "another";
    CHECK(keep_fixed(running, wanted) ==
          Lines{"node.fleet_seed keeps its old value until guidewayd is started anew: another one "
                "moves flows to other backends"});
    CHECK(wanted.node.fleet_seed == "fleet");
  }
  SECTION("an interface that is in both") {
    wanted.interfaces = {interface_of("eth1"), interface_of("eth2")};
    wanted.interfaces[0].queues = {0, 1};
    wanted.interfaces[1].ring = 512;
    CHECK(keep_fixed(running, wanted) == Lines{"interface eth1: what is set for it keeps its old "
                                               "value until guidewayd is started anew"});
    CHECK(wanted.interfaces == std::vector<Interface>{interface_of("eth1"), wanted.interfaces[1]});
    CHECK(wanted.interfaces[1].ring == 512);
  }
  SECTION("size of the flow table") {
    wanted.flow_table.entries = 4096;
    CHECK(keep_fixed(running, wanted) ==
          Lines{"flow_table.entries keeps its old value until guidewayd is started anew"});
    CHECK(wanted.flow_table.entries == running.flow_table.entries);
  }
  SECTION("time-outs of the flow table") {
    const auto time = GENERATE(&FlowTableConfig::opening, &FlowTableConfig::established,
                               &FlowTableConfig::closing, &FlowTableConfig::udp);
    wanted.flow_table.*time += 1s;
    CHECK(keep_fixed(running, wanted) ==
          Lines{"flow_table.timeouts keep their old values until guidewayd is started anew"});
    CHECK(wanted.flow_table.*time == running.flow_table.*time);
  }
  SECTION("admin socket") {
    wanted.admin.socket = "/run/other.sock";
    CHECK(keep_fixed(running, wanted) ==
          Lines{"admin.socket keeps its old value until guidewayd is started anew"});
    CHECK(wanted.admin.socket == running.admin.socket);
  }
  // Afterwards there is nothing left to keep.
  CHECK(keep_fixed(running, wanted).empty());
}

TEST_CASE("all that is kept is said at once") {
  CHECK(kept([](Model& m) {
          m.node.fleet_seed = "another";
          m.interfaces[0].ring = 512;
          m.interfaces[1].busy_poll = true;
          m.flow_table.entries = 4096;
          m.flow_table.opening = 1s;
          m.admin.socket = "/run/other.sock";
        }).size() == 6);
}

}  // namespace
}  // namespace guideway::control
