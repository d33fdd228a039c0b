// A host on which nothing is amiss, the file that fits it, and a daemon that runs well there. A
// test changes one thing, and looks at what the doctor has to say.
#pragma once

#include <linux/capability.h>

#include <algorithm>
#include <optional>
#include <string>

#include "doctor/judge.h"

namespace guideway::doctor {

inline Ipv4Address address(std::string_view text) { return Ipv4Address::parse(text).value(); }

inline HostFacts healthy_host() {
  HostFacts host;
  KernelFacts& kernel = host.kernel;
  kernel.release = "6.1.0-18-amd64";
  kernel.major = 6;
  kernel.minor = 1;
  kernel.af_xdp = kernel.xdp_programs = kernel.xskmap = kernel.program_extensions = true;
  kernel.btf = kernel.tun = true;
  kernel.bpf_jit = 1U;
  host.cpu.online = host.cpu.allowed = std::vector<std::uint32_t>{0, 1, 2, 3};
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu)
    host.cpu.cpus.push_back({.number = cpu, .numa_node = cpu / 2, .siblings = {cpu}});
  host.privilege.effective = host.privilege.bounding = (std::uint64_t{1} << 41) - 1;
  host.memory.total_bytes = host.memory.available_bytes = std::uint64_t{8} << 30;
  host.memory.transparent_hugepages = std::string("madvise");
  host.memory.locked_soft_bytes = host.memory.locked_hard_bytes =
      std::optional<std::uint64_t>(8 << 20);
  host.memory.cgroup_limit_bytes = std::optional<std::uint64_t>();
  host.memory.umem_bytes = 16 << 20;
  host.memory.flow_tables_bytes = 24 << 20;
  host.rp_filter_all = host.rp_filter_default = 0U;
  host.addresses = std::vector<HostFacts::Address>{{address("10.0.0.10"), "eth0"}};
  host.bpffs_mounted = host.bpffs_writable = true;
  host.irqbalance = false;
  return host;
}

inline InterfaceFacts healthy_interface() {
  InterfaceFacts eth0;
  eth0.name = eth0.kernel_name = "eth0";
  eth0.exists = true;
  eth0.index = 2;
  eth0.up = eth0.carrier = true;
  eth0.mtu_bytes = 1600U;
  eth0.driver = Driver{.name = "ixgbe", .version = {}, .bus = {}, .firmware = {}};
  eth0.receive_queues = eth0.transmit_queues = eth0.served_queues = 2;
  eth0.channels = Channels{.combined = 2, .max_combined = 8};
  eth0.rings = Rings{.receive = 512, .transmit = 512, .max_receive = 4096, .max_transmit = 4096};
  eth0.indirection = Indirection{.entries = 128, .queues = {0, 1}};
  eth0.hash_tcp4 = eth0.hash_udp4 = HashFields{.addresses = true, .ports = true, .raw = 0xf0};
  eth0.offloads = std::map<std::string, Offload, std::less<>>{
      {"rx-gro", {.on = true}}, {"rx-gro-hw", {}}, {"rx-lro", {}}};
  eth0.xdp = XdpFeatures{.native = true, .redirect = true, .zero_copy = true};
  eth0.driver_support = DriverSupport{
      .native_since = "9.1", .redirect_since = "9.2", .zero_copy_since = "9.3"};  // yet to come
  eth0.native_mtu_limit_bytes = 3050;
  eth0.xdp_program = std::optional<XdpProgram>();
  eth0.served_by = std::optional<Server>();
  Interrupt interrupt;
  interrupt.serves = Interrupt::Serves::both;
  for (std::uint32_t queue = 0; queue < 2; ++queue) {
    interrupt.number = 40 + queue;
    interrupt.name = "eth0-TxRx-" + std::to_string(queue);
    interrupt.queue = queue;
    interrupt.allowed_cpus = interrupt.effective_cpus = std::vector<std::uint32_t>{queue};
    if (!eth0.interrupts.known()) eth0.interrupts = std::vector<Interrupt>();
    auto interrupts = *eth0.interrupts;
    interrupts.push_back(interrupt);
    eth0.interrupts = interrupts;
  }
  eth0.numa_node = std::optional<std::uint32_t>(0);
  eth0.rp_filter = 0U;
  return eth0;
}

inline BackendFacts healthy_backend(std::string_view text) {
  BackendFacts backend{.address = address(text), .route = {}, .neighbour = {}};
  backend.route = RouteFact{.kind = RouteFact::Kind::unicast,
                            .device = "eth0",
                            .device_index = 2,
                            .gateway = address("10.0.0.1"),
                            .mtu_bytes = 1600,
                            .source = address("10.0.0.10"),
                            .device_running = true,
                            .device_ethernet = true,
                            .from_source = true};
  backend.neighbour = NeighbourFact{.address = address("10.0.0.1"),
                                    .state = NeighbourFact::State::reachable,
                                    .mac = MacAddress{}};
  return backend;
}

inline control::Model healthy_model() {
  control::Model model;
  model.interfaces.push_back({.name = "eth0", .queues = {}, .cpus = {}});
  model.encapsulation.source = address("10.0.0.10");
  control::PoolConfig pool;
  pool.name = "web";
  pool.backends = {{.address = address("10.0.1.11")}, {.address = address("10.0.1.12")}};
  model.pools = {pool};
  control::ServiceConfig service;
  service.name = "shop";
  service.vip = address("198.51.100.1");
  service.endpoints = {Endpoint{service.vip, 80, Protocol::tcp},
                       Endpoint{service.vip, 53, Protocol::udp}};
  model.services = {service};
  return model;
}

// With a check through the tunnel, of which the answers come to the kernel of this host.
inline void ask_through_tunnel(control::Model& model) {
  control::CheckConfig check{.question = {.kind = probe::TcpQuestion{}, .port = 80}};
  check.question.vip = address("198.51.100.1");
  model.pools.front().checks = {check};
}

struct World {
  Facts facts{.host = healthy_host(),
              .interfaces = {healthy_interface()},
              .backends = {healthy_backend("10.0.1.11"), healthy_backend("10.0.1.12")}};
  control::Model model = healthy_model();
  bool right = true;  // the file
  std::vector<control::Problem> errors, warnings;
  std::optional<Running> running;
  std::string file = "/etc/gw.yaml", version = "0.1.0", socket;

  [[nodiscard]] InterfaceFacts& eth0() { return facts.interfaces.front(); }
  [[nodiscard]] control::Interface& config() { return model.interfaces.front(); }
  [[nodiscard]] RouteFact route(std::size_t backend = 0) const {
    return *facts.backends[backend].route;
  }

  Error unreached{"guidewayd is not running", "systemctl start guideway"};

  [[nodiscard]] Findings findings() const {
    return judge({.facts = facts,
                  .file = file,
                  .model = right ? &model : nullptr,
                  .errors = errors,
                  .warnings = warnings,
                  .running = running ? &*running : nullptr,
                  .unreached = unreached,
                  .version = version,
                  .socket = socket});
  }
};

// A daemon that has been started on it.
inline Running healthy_running(const World& world) {
  Running running;
  running.version = world.version;
  running.config_file = world.file;
  running.pid = 4711;
  running.ready = true;
  running.generation = 7;
  const auto digest = world.model.fleet_digest();
  char text[24];
  std::snprintf(text, sizeof text, "%012llx", static_cast<unsigned long long>(digest));
  running.config_digest = text;
  running.counters = {{"received", 1'000'000}};
  running.interfaces = {{.name = "eth0",
                         .attachment = "native",
                         .steering = {{"redirected", 1'000'000}},
                         .queues = {}}};
  for (const std::uint32_t queue : {0U, 1U})
    running.interfaces[0].queues.push_back(
        {.queue = queue, .mode = "zero-copy", .cpu = queue, .generation = 7, .socket = {}});
  running.pools = {{.name = "web", .on_empty = "drop", .healthy_backends = 2}};
  for (const char* backend : {"10.0.1.11", "10.0.1.12"})
    running.backends.push_back(
        {.pool = "web", .address = backend, .health = "up", .why = "", .next_hop = "resolved"});
  return running;
}

inline World with_daemon() {
  World world;
  world.running = healthy_running(world);
  world.eth0().xdp_program = std::optional(XdpProgram{.mode = XdpProgram::Mode::native,
                                                      .id = 9,
                                                      .name = std::string("guideway_steer"),
                                                      .behind = {},
                                                      .ours = true,
                                                      .shares = false});
  world.eth0().served_by =
      std::optional(Server{.pid = 4711, .program = "guidewayd", .locked_memory_limit_bytes = {}});
  return world;
}

// Those of a check that are worse than `ok`.
inline Findings amiss(const Findings& findings, const std::string& check = {}) {
  Findings out;
  std::ranges::copy_if(findings, std::back_inserter(out), [&](const Finding& one) {
    return one.severity != Severity::ok && (check.empty() || one.check == check);
  });
  return out;
}

}  // namespace guideway::doctor
