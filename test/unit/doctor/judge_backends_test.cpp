// What is said of CPUs and interrupts, and of the way to the backends.
#include "judge_rows.h"

namespace guideway::doctor {
namespace {

void route(World& world, std::size_t backend, const std::function<void(RouteFact&)>& change) {
  RouteFact route = world.route(backend);
  change(route);
  world.facts.backends[backend].route = route;
}

void neighbour(World& world, std::size_t backend, NeighbourFact::State state) {
  NeighbourFact fact = *world.facts.backends[backend].neighbour;
  fact.state = state;
  world.facts.backends[backend].neighbour = fact;
}

void interrupt(World& world, std::size_t index, std::uint32_t cpu) {
  auto all = *world.eth0().interrupts;
  all[index].effective_cpus = std::vector<std::uint32_t>{cpu};
  world.eth0().interrupts = all;
}

TEST_CASE("workers and interrupts on the wrong CPUs are told with what mends it") {
  check_rows(
      World(),
      {{"a CPU that there is not",
        [](World& world) {
          world.config().cpus = {1, 9};
        },
        Severity::error, "cpus", "CPU 9 of the file: online are 0-3", "of 0-3 in /etc/gw.yaml"},
       {"a CPU that is not for this process",
        [](World& world) {
          world.config().cpus = {1, 3};
          world.facts.host.cpu.allowed = std::vector<std::uint32_t>{0, 1};
        },
        Severity::error, "cpus", "CPU 3 of the file", "of 0-1 in /etc/gw.yaml"},
       {"another NUMA node",
        [](World& world) {
          world.config().cpus = {1, 2};
        },
        Severity::warning, "numa", "workers on CPU 2 of another", "of 0-1 in /etc/gw.yaml"},
       {"an interrupt elsewhere", [](World& world) { interrupt(world, 1, 3); }, Severity::note,
        "interrupts", "queue 1 on CPU 3, its worker on 1",
        "echo 1 > /proc/irq/41/smp_affinity_list"},
       {"both interrupts elsewhere",
        [](World& world) {
          interrupt(world, 0, 3);
          interrupt(world, 1, 3);
        },
        Severity::note, "interrupts", "queue 0 on CPU 3, its worker on 0",
        "echo 0 > /proc/irq/40/smp_affinity_list && echo 1 > /proc/irq/41/smp_affinity_list"},
       {"irqbalance", [](World& world) { world.facts.host.irqbalance = true; }, Severity::note,
        "irqbalance", "moves the interrupts", "systemctl disable --now irqbalance"},
       {"irqbalance beside pinned workers",
        [](World& world) {
          world.config().cpus = {0, 1};
          world.facts.host.irqbalance = true;
        },
        Severity::warning, "irqbalance", "moves the interrupts",
        "systemctl disable --now irqbalance"}},
      "interface eth0");
}

TEST_CASE("an interrupt on the other thread of the worker's core is right") {
  World world;
  world.facts.host.cpu.cpus[1].siblings = world.facts.host.cpu.cpus[3].siblings = {1, 3};
  interrupt(world, 1, 3);
  CHECK(amiss(world.findings(), "interrupts").empty());
}

TEST_CASE("interrupts of what is sent, and of queues without a worker, do not matter") {
  World world;
  interrupt(world, 0, 3);
  interrupt(world, 1, 3);
  auto all = *world.eth0().interrupts;
  all[0].serves = Interrupt::Serves::transmit;
  all[1].queue = 7;
  world.eth0().interrupts = all;
  CHECK(amiss(world.findings(), "interrupts").empty());
}

TEST_CASE("workers of several interfaces take CPUs in turn, as the daemon has them") {
  World world;
  world.model.interfaces.push_back({.name = "eth1", .queues = {}, .cpus = {}});
  world.facts.interfaces.push_back(healthy_interface());
  world.facts.interfaces[1].name = world.facts.interfaces[1].kernel_name = "eth1";
  const Findings found = amiss(world.findings(), "interrupts");
  REQUIRE(found.size() == 1);  // of eth1: its workers are on CPUs 2 and 3
  CHECK(found.front().subject == "interface eth1");
  CHECK(found.front().text.find("queue 0 on CPU 0, its worker on 2") != std::string::npos);
}

TEST_CASE("what is amiss on the way to the backends is told with what mends it") {
  using State = NeighbourFact::State;
  check_rows(
      World(),
      {{"no route",
        [](World& world) {
          route(world, 0, [](RouteFact& one) { one.kind = RouteFact::Kind::none; });
        },
        Severity::error, "no_route", "no route leads to 10.0.1.11",
        "ip route replace 10.0.1.11/32 via 10.0.0.1 dev eth0"},
       {"no route to any",
        [](World& world) {
          for (const std::size_t backend : {0U, 1U})
            route(world, backend, [](RouteFact& one) { one.kind = RouteFact::Kind::none; });
        },
        Severity::error, "no_route", "10.0.1.11 and 10.0.1.12", "via GATEWAY dev eth0"},
       {"an address of this host",
        [](World& world) {
          route(world, 0, [](RouteFact& one) { one.kind = RouteFact::Kind::local; });
        },
        Severity::error, "own_address", "10.0.1.11 is an address of this host", "pools[].backends"},
       {"an IPv6 gateway",
        [](World& world) {
          route(world, 1, [](RouteFact& one) { one.kind = RouteFact::Kind::unsupported; });
        },
        Severity::error, "ipv6_gateway", "10.0.1.12",
        "ip route replace 10.0.1.12/32 via 10.0.0.1 dev eth0"},
       {"through another interface",
        [](World& world) { route(world, 1, [](RouteFact& one) { one.device = "eth7"; }); },
        Severity::error, "other_interface", "10.0.1.12: reached through eth7",
        "ip route replace 10.0.1.12/32 via 10.0.0.1 dev eth0"},
       {"an interface that does not run",
        [](World& world) { route(world, 0, [](RouteFact& one) { one.device_running = false; }); },
        Severity::error, "device_down", "eth0, which does not run", ""},
       {"an interface without MAC addresses",
        [](World& world) { route(world, 0, [](RouteFact& one) { one.device_ethernet = false; }); },
        Severity::error, "no_macs", "eth0, which has no MAC addresses", ""},
       {"a route with an MTU of its own",
        [](World& world) { route(world, 0, [](RouteFact& one) { one.mtu_bytes = 1500; }); },
        Severity::warning, "route_mtu", "10.0.1.11 has an MTU of 1500",
        "ip route show to match 10.0.1.11"},
       {"a next hop that failed", [](World& world) { neighbour(world, 0, State::failed); },
        Severity::error, "next_hop", "10.0.0.1 on eth0 does not answer ARP: 10.0.1.11 is behind",
        "arping -I eth0 10.0.0.1"},
       {"a next hop that does not answer",
        [](World& world) {
          neighbour(world, 0, State::incomplete);
          neighbour(world, 1, State::incomplete);
        },
        Severity::error, "next_hop", "10.0.1.11 and 10.0.1.12 are behind it",
        "arping -I eth0 10.0.0.1"},
       {"a source that this host does not have",
        [](World& world) { world.model.encapsulation.source = address("10.0.0.99"); },
        Severity::warning, "source", "10.0.0.99 is no address of this host",
        "encapsulation.source: in /etc/gw.yaml with an address of this host"},
       {"a source of checks that this host does not have",
        [](World& world) {
          ask_through_tunnel(world.model);
          world.model.encapsulation.source = address("10.0.0.99");
        },
        Severity::error, "source", "cannot be asked",
        "where no other host has it, ip address add 10.0.0.99/32 dev eth0"},
       {"strict filtering on the interface",
        [](World& world) {
          ask_through_tunnel(world.model);
          world.eth0().rp_filter = 1U;
        },
        Severity::warning, "rp_filter", "strict on eth0",
        "sysctl -w net.ipv4.conf.eth0.rp_filter=2"},
       {"strict filtering everywhere",
        [](World& world) {
          ask_through_tunnel(world.model);
          world.facts.host.rp_filter_all = 1U;
        },
        Severity::warning, "rp_filter", "strict on eth0",
        "sysctl -w net.ipv4.conf.eth0.rp_filter=2"}},
      "way to the backends");
}

TEST_CASE("strict filtering does not matter without checks through the tunnel, nor loose with") {
  World direct;
  direct.eth0().rp_filter = 1U;
  CHECK(amiss(direct.findings(), "rp_filter").empty());
  World loose;
  ask_through_tunnel(loose.model);
  loose.facts.host.rp_filter_all = 1U;
  loose.eth0().rp_filter = 2U;
  CHECK(amiss(loose.findings(), "rp_filter").empty());
}

TEST_CASE("a next hop that nobody has asked for yet is no finding") {
  World world;
  neighbour(world, 0, NeighbourFact::State::none);
  CHECK(amiss(world.findings(), "next_hop").empty());
}

TEST_CASE("the next hop of a backend that is down loses no packets: a warning") {
  World world = with_daemon();
  neighbour(world, 0, NeighbourFact::State::failed);
  world.facts.backends[1].neighbour = NeighbourFact{.address = address("10.0.0.2"),
                                                    .state = NeighbourFact::State::reachable,
                                                    .mac = MacAddress{}};
  const auto severity = [&] {
    const Findings found = amiss(world.findings(), "next_hop");
    REQUIRE(found.size() == 1);
    return found.front().severity;
  };
  CHECK(severity() == Severity::error);
  world.running->backends[0].health = "down";
  CHECK(severity() == Severity::warning);
  world.running->pools.front().empty = true;
  CHECK(severity() == Severity::warning);
  world.running->pools.front().on_empty = "all";
  CHECK(severity() == Severity::error);
}

TEST_CASE("a thousand backends that are reached by another interface are one finding") {
  World world;
  world.facts.backends.clear();
  for (int i = 0; i < 1000; ++i)
    world.facts.backends.push_back(
        healthy_backend("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)));
  for (std::size_t i = 1; i < 1000; ++i)
    route(world, i, [](RouteFact& one) { one.device = "eth7"; });
  const Findings found = amiss(world.findings(), "other_interface");
  REQUIRE(found.size() == 1);
  CHECK(found.front().text.find("and 993 more: reached through eth7") != std::string::npos);
  CHECK_FALSE(found.front().mend.command);
}

}  // namespace
}  // namespace guideway::doctor
