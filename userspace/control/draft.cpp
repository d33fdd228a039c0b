#include "control/draft.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <climits>
#include <initializer_list>

#include "control/bgp_reader.h"
#include "control/config_values.h"
#include "control/pool_reader.h"

namespace guideway::control {
namespace {

using Word = std::string_view;

constexpr std::uint64_t kMaxCpu = 1023;  // CPU_SETSIZE - 1

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unnamed";
  return is_name(name.data()) ? name.data() : "unnamed";
}

void read_node(const Mapping& file, Draft& draft) {
  static constexpr auto kKeys = std::to_array<Word>({"name", "fleet_seed"});
  static constexpr Word kSeedRule = "a text that is the same on all load balancers of the fleet";
  Node& node = draft.model.node;
  node.name = host_name();
  const auto at = file.require("node", "a mapping with the key fleet_seed");
  if (!at) return;
  const Mapping section(*at, kKeys);
  if (const auto name = section.find("name")) node.name = read_name(*name).value_or("");
  if (const auto seed = section.require("fleet_seed", kSeedRule)) {
    node.fleet_seed = seed->text(kSeedRule).value_or("");
    if (seed->is_scalar() && node.fleet_seed.empty()) seed->mismatch(kSeedRule);
  }
}

// `queues` and `cpus`: numbers up to `max`; `places`, where wanted, gets one for each.
std::vector<std::uint32_t> read_numbers(const Cursor& at, Word what, std::uint64_t max,
                                        std::vector<Place>* places) {
  std::vector<std::uint32_t> result;
  const auto items = at.list(what);
  if (!items) return result;
  for (const Cursor& item : *items) {
    const auto number = item.number(0, max);
    if (!number) continue;
    result.push_back(static_cast<std::uint32_t>(*number));
    if (places != nullptr) places->push_back(item.place());
  }
  return result;
}

void read_queues(const Cursor& at, Interface& interface, InterfacePlaces& places) {
  if (at.is_scalar() && at.node().text == "all") return;
  places.queue_list = at.place();
  interface.queues = read_numbers(at, "all or a list of queue numbers such as [0, 1]",
                                  GW_MAX_QUEUES - 1, &places.queues);
}

void read_ring(const Mapping& section, Interface& interface) {
  constexpr std::uint32_t kMinFrames = 512, kMaxFrames = 65536, kMinRing = 64;
  if (const auto at = section.find("frames"))
    interface.frames =
        static_cast<std::uint32_t>(at->power_of_two(kMinFrames, kMaxFrames).value_or(kMaxFrames));
  const std::uint32_t most = interface.frames / 2;
  const auto at = section.find("ring");
  if (!at) {
    interface.ring = std::min(interface.ring, most);
    return;
  }
  const auto ring = at->power_of_two(kMinRing, kMaxFrames / 2);
  if (ring && *ring > most)
    at->mismatch("at most half of frames, " + std::to_string(most));
  else if (ring)
    interface.ring = static_cast<std::uint32_t>(*ring);
}

void read_interface(const Cursor& at, Interface& interface, InterfacePlaces& places) {
  static constexpr auto kKeys = std::to_array<Word>(
      {"name", "mode", "queues", "cpus", "frame_size", "frames", "ring", "busy_poll"});
  static constexpr auto kModes = std::to_array<Word>({"auto", "zero-copy", "copy", "generic"});
  static constexpr auto kFrameSizes = std::to_array<Word>({"auto", "2048", "4096"});
  static constexpr auto kFrameBytes =
      std::to_array({FrameBytes::automatic, FrameBytes::small, FrameBytes::large});
  const Mapping section(at, kKeys);
  if (const auto name = section.require("name", kInterfaceNameRule)) {
    if (auto text = read_interface_name(*name)) {
      interface.name = std::move(*text);
      places.name = name->place();
    }
  }
  if (const auto mode = section.find("mode"))
    interface.mode = static_cast<Mode>(mode->choice(kModes).value_or(0));
  if (const auto queues = section.find("queues")) read_queues(*queues, interface, places);
  if (const auto cpus = section.find("cpus"))
    interface.cpus = read_numbers(*cpus, "a list of CPU numbers such as [0, 1]", kMaxCpu, nullptr);
  if (const auto size = section.find("frame_size"))
    interface.frame_bytes = kFrameBytes.at(size->choice(kFrameSizes).value_or(0));
  read_ring(section, interface);
  if (const auto busy_poll = section.find("busy_poll"))
    interface.busy_poll = busy_poll->boolean().value_or(false);
}

void read_interfaces(const Mapping& file, Draft& draft) {
  static constexpr Word kRule = "a list with at least one interface";
  const auto at = file.require("interfaces", kRule);
  const auto items = at ? at->list(kRule) : std::nullopt;
  if (!items) return;
  draft.model.interfaces.resize(items->size());
  draft.interfaces.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i)
    read_interface((*items)[i], draft.model.interfaces[i], draft.interfaces[i]);
}

void read_encapsulation(const Mapping& file, Draft& draft) {
  static constexpr auto kKeys = std::to_array<Word>({"type", "source"});
  static constexpr auto kTypes = std::to_array<Word>({"gre"});
  const auto at = file.require("encapsulation", "a mapping with the key source");
  if (!at) return;
  const Mapping section(*at, kKeys);
  if (const auto type = section.find("type")) static_cast<void>(type->choice(kTypes));
  if (const auto source = section.require("source", "an IPv4 address of this host")) {
    if (const auto address = read_address(*source, "10.0.0.10")) {
      draft.model.encapsulation.source = *address;
      draft.source = source->place();
    }
  }
}

// "198.51.100.1 tcp/80, tcp/443", and where there are many, how many more.
std::string default_name(const ServiceConfig& service) {
  constexpr std::size_t kShown = 4;
  std::string result = service.vip.text();
  for (std::size_t i = 0; i < std::min(service.endpoints.size(), kShown); ++i) {
    const Endpoint& endpoint = service.endpoints[i];
    result += i == 0 ? " " : ", ";
    result += std::string(name(endpoint.protocol)) + "/" + std::to_string(endpoint.port);
  }
  if (service.endpoints.size() > kShown)
    result += " and " + std::to_string(service.endpoints.size() - kShown) + " more";
  return result;
}

void read_ports(const Cursor& at, Word what, ServiceConfig& service, ServicePlaces& places) {
  const auto items = at.list(what);
  if (!items) return;
  for (const Cursor& item : *items) {
    const auto endpoint = read_port(item, service.vip);
    if (!endpoint) continue;
    service.endpoints.push_back(*endpoint);
    places.ports.push_back(item.place());
  }
}

void read_service(const Cursor& at, ServiceConfig& service, ServicePlaces& places) {
  static constexpr auto kKeys = std::to_array<Word>({"name", "vip", "ports", "pool"});
  static constexpr Word kPortsRule = "a list of ports such as [tcp/80, udp/53]";
  const Mapping section(at, kKeys);
  if (const auto vip = section.require("vip", "an IPv4 address such as 198.51.100.1")) {
    if (const auto address = read_address(*vip, "198.51.100.1")) {
      service.vip = *address;
      places.vip = vip->place();
    }
  }
  if (const auto ports = section.require("ports", kPortsRule))
    read_ports(*ports, kPortsRule, service, places);
  if (const auto pool = section.require("pool", "the name of a pool")) {
    if (auto text = read_name(*pool)) {
      places.pool_name = std::move(*text);
      places.pool = pool->place();
    }
  }
  service.name = default_name(service);
  if (const auto name = section.find("name")) {
    if (auto text = read_name(*name)) {
      service.name = std::move(*text);
      places.name = name->place();
    }
  }
}

void read_services(const Mapping& file, Draft& draft) {
  static constexpr Word kRule = "a list with at least one service";
  const auto at = file.require("services", kRule);
  const auto items = at ? at->list(kRule) : std::nullopt;
  if (!items) return;
  draft.service_list = at->place();
  draft.model.services.resize(items->size());
  draft.services.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i)
    read_service((*items)[i], draft.model.services[i], draft.services[i]);
}

void read_flow_table(const Mapping& file, FlowTableConfig& table) {
  static constexpr auto kKeys = std::to_array<Word>({"entries", "timeouts"});
  static constexpr auto kTimeouts =
      std::to_array<Word>({"opening", "established", "closing", "udp"});
  const auto at = file.find("flow_table");
  if (!at) return;
  const Mapping section(*at, kKeys);
  if (const auto entries = section.find("entries"))
    table.entries = entries->number(kMinFlowEntries, kMaxFlowEntries).value_or(table.entries);
  const auto timeouts = section.find("timeouts");
  if (!timeouts) return;
  const Mapping map(*timeouts, kTimeouts);
  const std::array targets{&table.opening, &table.established, &table.closing, &table.udp};
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (const auto value = map.find(kTimeouts.at(i)))
      *targets.at(i) =
          read_seconds(*value, std::chrono::seconds(1), kMaxFlowTimeout).value_or(*targets.at(i));
}

void read_log(const Mapping& file, LogConfig& log) {
  static constexpr auto kKeys = std::to_array<Word>({"level"});
  const auto at = file.find("log");
  if (!at) return;
  const Mapping section(*at, kKeys);
  if (const auto level = section.find("level"))
    if (const auto found = level->choice(kLogLevelNames)) log.level = static_cast<LogLevel>(*found);
}

void read_admin(const Mapping& file, Admin& admin) {
  static constexpr auto kKeys = std::to_array<Word>({"socket"});
  const auto at = file.find("admin");
  if (!at) return;
  const Mapping section(*at, kKeys);
  if (const auto socket = section.find("socket"))
    admin.socket = read_socket_path(*socket).value_or(admin.socket);
}

void read_metrics(const Mapping& file, Draft& draft) {
  static constexpr auto kKeys = std::to_array<Word>({"listen"});
  const auto at = file.find("metrics");
  if (!at) return;
  const auto listen = Mapping(*at, kKeys).find("listen");
  if (!listen) return;
  if (const auto metrics = read_listen(*listen)) {
    draft.model.metrics = *metrics;
    draft.metrics_listen = listen->place();
  }
}

void read_shutdown(const Mapping& file, Draft& draft) {
  static constexpr auto kKeys = std::to_array<Word>({"drain"});
  Shutdown& shutdown = draft.model.shutdown;
  if (draft.model.bgp) shutdown.drain = kBgpDrain;
  const auto at = file.find("shutdown");
  if (!at) return;
  const auto drain = Mapping(*at, kKeys).find("drain");
  if (!drain) return;
  shutdown.drain =
      read_seconds(*drain, std::chrono::seconds(0), std::chrono::hours(1)).value_or(shutdown.drain);
  draft.shutdown_drain = drain->place();
}

}  // namespace

Draft read_draft(const Cursor& root) {
  static constexpr auto kSections =
      std::to_array<Word>({"node", "interfaces", "encapsulation", "pools", "services", "flow_table",
                           "log", "admin", "metrics", "bgp", "shutdown"});
  Draft draft;
  const Mapping file(root, kSections);
  read_node(file, draft);
  read_interfaces(file, draft);
  read_encapsulation(file, draft);
  read_pools(file, draft);
  read_services(file, draft);
  read_flow_table(file, draft.model.flow_table);
  read_log(file, draft.model.log);
  read_admin(file, draft.model.admin);
  read_metrics(file, draft);
  read_bgp(file, draft);
  read_shutdown(file, draft);
  return draft;
}

}  // namespace guideway::control
