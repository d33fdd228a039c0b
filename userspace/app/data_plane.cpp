#include "app/data_plane.h"

#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "app/last_resort.h"
#include "app/privileges.h"
#include "app/thread_facts.h"

namespace guideway::app {
namespace {

constexpr std::size_t kMaxWorkers = 4096;

// A worker ends within 100 ms; one that has not after this time hangs.
constexpr std::chrono::seconds kEndPatience{5};

constexpr auto kZeroCopyOnly =
    std::to_array<xdp::Rung>({{xdp::AttachMode::native, xdp::BindMode::zero_copy}});
constexpr auto kCopyOnly =
    std::to_array<xdp::Rung>({{xdp::AttachMode::native, xdp::BindMode::copy}});
constexpr auto kGenericOnly =
    std::to_array<xdp::Rung>({{xdp::AttachMode::generic, xdp::BindMode::copy}});

std::span<const xdp::Rung> ladder_of(control::Mode mode) {
  switch (mode) {
    case control::Mode::zero_copy: return kZeroCopyOnly;
    case control::Mode::copy: return kCopyOnly;
    case control::Mode::generic: return kGenericOnly;
    case control::Mode::automatic: break;
  }
  return xdp::kAutomaticLadder;
}

// control/ and flow/ do not know each other.
static_assert(control::kMaxFlowTimeout == std::chrono::seconds(flow::kMaxTimeout));

flow::Timeouts timeouts_of(const control::FlowTableConfig& config) {
  const auto ticks = [](std::chrono::seconds time) {
    return static_cast<flow::Tick>(time.count());
  };
  return {.opening = ticks(config.opening),
          .established = ticks(config.established),
          .closing = ticks(config.closing),
          .udp = ticks(config.udp)};
}

std::vector<std::uint32_t> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::uint32_t> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

std::string hanging(const Unit& unit, const dataplane::Worker& worker) {
  return unit.config.name + ": worker " + worker.name() + " (CPU " + std::to_string(worker.cpu()) +
         ", thread " + std::to_string(worker.thread_id()) + ") does not end within " +
         std::to_string(kEndPatience.count()) + " s: " + describe_thread(worker.thread_id()) +
         "; guidewayd ends without it, and leaves the XDP program attached, which drops packets "
         "of VIPs until the next start";
}

void say_opened(const control::Interface& config, const xdp::Port& port) {
  spdlog::info(
      "{}: driver {}, MTU {}, {} queue(s), attached in {} mode {}, sockets in {} mode, {} frames "
      "of {} bytes a queue",
      config.name, port.nic().driver, port.nic().mtu, port.sockets().size(),
      xdp::name(port.steering().mode()),
      port.steering().dispatcher() ? "through libxdp's dispatcher" : "without libxdp's dispatcher",
      xdp::name(port.sockets().front()->mode()), config.frames, port.frame_bytes());
}

}  // namespace

DataPlane::DataPlane(control::FlowTableConfig flow_table)
    : flow_table_(flow_table),
      services_before_(kMaxServiceSlots),
      backends_before_(kMaxBackendSlots) {}

void DataPlane::shut() {
  if (std::exchange(shut_, true)) return;
  if (auto done = steer({}); !done) spdlog::warn("{}", done.error().text());
  for (const auto& unit : units_) stop(*unit);
}

Result<std::unique_ptr<xdp::Port>> DataPlane::open_port(const control::Interface& config) {
  auto port = xdp::Port::open({.interface = config.name,
                               .ladder = ladder_of(config.mode),
                               .queues = config.queues,
                               .frame_bytes = static_cast<std::uint32_t>(config.frame_bytes),
                               .socket = {.frames = config.frames,
                                          .frame_bytes = 0,
                                          .ring = config.ring,
                                          .busy_poll = config.busy_poll}});
  if (port) say_opened(config, **port);
  return port;
}

void DataPlane::begin(std::unique_ptr<const Snapshot> first) {
  publication_ = std::make_unique<Publication>(0, std::move(first), kMaxWorkers);
}

Result<> DataPlane::start_lane(Unit& unit, xdp::Socket& socket, std::uint32_t cpu) {
  const auto reader = publication_->add_reader();
  if (!reader)
    return fail("interface " + unit.config.name + ": more than " + std::to_string(kMaxWorkers) +
                " workers");
  const dataplane::WorkerOptions options{
      .name = "gw-" + std::to_string(socket.queue()) + "-" + unit.config.name,
      .cpu = cpu,
      .interface = unit.port->nic().index,
      .reader = *reader,
      .flow_entries = flow_table_.entries,
      .timeouts = timeouts_of(flow_table_),
      .busy_poll = unit.config.busy_poll};
  Lane lane{.socket = &socket, .counters = std::make_unique<WorkerCounters>(), .worker = nullptr};
  try {
    lane.worker =
        std::make_unique<dataplane::Worker>(options, socket, *lane.counters, *publication_);
  } catch (const std::bad_alloc&) {
    publication_->remove_reader(*reader);
    return fail("allocating a flow table of " + std::to_string(options.flow_entries) +
                    " entries for worker " + options.name + ": not enough memory",
                "set flow_table.entries lower; each worker has a table of its own");
  }
  unit.lanes.push_back(std::move(lane));
  Result<> started;
  run_without_capabilities([&] { started = unit.lanes.back().worker->start(); });
  return started;
}

Result<std::uint32_t> DataPlane::next_cpu(const Unit& unit) {
  const auto& wanted = unit.config.cpus;
  if (!wanted.empty()) return wanted[unit.lanes.size() % wanted.size()];
  const std::vector<std::uint32_t> everywhere = allowed_cpus();
  if (everywhere.empty())
    return fail_errno("asking which CPUs this process may use", errno,
                      "set cpus: of each interface");
  return everywhere[cpus_given_++ % everywhere.size()];
}

Result<> DataPlane::add(const control::Interface& config, std::unique_ptr<xdp::Port> port) {
  auto unit = std::make_unique<Unit>();
  unit->config = config;
  unit->port = std::move(port);
  for (const auto& socket : unit->port->sockets()) {
    const auto cpu = next_cpu(*unit);
    auto started = cpu ? start_lane(*unit, *socket, *cpu) : std::unexpected(cpu.error());
    if (started) continue;
    stop(*unit);
    return started;
  }
  units_.push_back(std::move(unit));
  return {};
}

void DataPlane::stop(Unit& unit) {
  // All at once: 100 ms each, one after the other, would be long for an interface of many queues.
  for (const Lane& lane : unit.lanes) lane.worker->begin_stop();
  for (Lane& lane : unit.lanes) {
    {
      const LastResort guard(kEndPatience, [&] { return hanging(unit, *lane.worker); });
      lane.worker->stop();
    }
    publication_->remove_reader(lane.worker->reader());
  }
}

void DataPlane::retire(const WorkerCounters& counters) {
  WorkerTotals totals = read(counters);
  totals.flows_opening = totals.flows_established = totals.flows_closing = totals.flows_udp = 0;
  totals.flow_table_capacity = 0;
  // What the kernel had not sent goes with the socket.
  totals.completed = totals.transmitted;
  retired_ += totals;
  for (std::size_t i = 0; i < kMaxServiceSlots; ++i)
    services_before_[i] += {.packets = counters.services[i].packets.get(),
                            .bytes = counters.services[i].bytes.get(),
                            .flows = 0};
  for (std::size_t i = 0; i < kMaxBackendSlots; ++i)
    backends_before_[i] += {.packets = counters.backends[i].packets.get(),
                            .bytes = counters.backends[i].bytes.get(),
                            .flows = counters.backend_flows[i].get()};
}

void DataPlane::remove(const std::string& interface) {
  const auto found = std::ranges::find_if(
      units_, [&](const auto& unit) { return unit->config.name == interface; });
  if (found == units_.end()) return;
  Unit& unit = **found;
  if (auto done = unit.port->steering().set_vips({}); !done)
    spdlog::warn("{}: {}", interface, done.error().text());
  stop(unit);
  for (const Lane& lane : unit.lanes) retire(*lane.counters);
  units_.erase(found);
}

Result<> DataPlane::steer(const std::vector<Endpoint>& services) {
  Result<> first;
  for (const auto& unit : units_) {
    auto done = unit->port->steering().set_vips(services);
    if (!done && first)
      first = std::unexpected(std::move(done.error()).within("interface " + unit->config.name));
  }
  return first;
}

void DataPlane::publish(std::unique_ptr<const Snapshot> snapshot) {
  publication_->publish(std::move(snapshot));
}

void DataPlane::check() {
  for (const auto& unit : units_) {
    const xdp::Port::Health before = std::exchange(unit->health, unit->port->check());
    const std::string& interface = unit->config.name;
    if (before.attached && !unit->health.attached)
      spdlog::error(
          "{}: the steering program is no longer attached: the interface was deleted, or somebody "
          "took it off; nothing is forwarded from here until it is attached again: guideway reload",
          interface);
    if (before.mtu_fits && !unit->health.mtu_fits)
      spdlog::error(
          "{}: its MTU was raised to {}, and frames of {} bytes are too small for that: larger "
          "packets are lost (rx_dropped) until guidewayd is started anew",
          interface, unit->port->nic().mtu, unit->port->frame_bytes());
  }
}

bool DataPlane::has(const std::string& interface) const {
  return std::ranges::any_of(units_,
                             [&](const auto& unit) { return unit->config.name == interface; });
}

std::vector<std::string> DataPlane::lost() const {
  std::vector<std::string> names;
  for (const auto& unit : units_)
    if (!unit->health.attached) names.push_back(unit->config.name);
  return names;
}

bool DataPlane::all_attached() const {
  return !units_.empty() &&
         std::ranges::all_of(units_, [](const auto& unit) { return unit->health.attached; });
}

Sent DataPlane::counted_for(ServiceSlot service) const {
  Sent sent;
  for (const auto& unit : units_) {
    for (const Lane& lane : unit->lanes) {
      sent.packets += lane.counters->services[service.index()].packets.get();
      sent.bytes += lane.counters->services[service.index()].bytes.get();
    }
  }
  return sent;
}

Sent DataPlane::counted_for(BackendSlot backend) const {
  Sent sent;
  for (const auto& unit : units_) {
    for (const Lane& lane : unit->lanes) {
      sent.packets += lane.counters->backends[backend.index()].packets.get();
      sent.bytes += lane.counters->backends[backend.index()].bytes.get();
      sent.flows += lane.counters->backend_flows[backend.index()].get();
    }
  }
  return sent;
}

Sent DataPlane::sent_to(ServiceSlot service) const {
  return counted_for(service) + services_before_[service.index()];
}

Sent DataPlane::sent_to(BackendSlot backend) const {
  return counted_for(backend) + backends_before_[backend.index()];
}

void DataPlane::begin_anew(const std::vector<BackendSlot>& backends,
                           const std::vector<ServiceSlot>& services) {
  for (const BackendSlot slot : backends) {
    former_backends_ += sent_to(slot);
    backends_before_[slot.index()] -= sent_to(slot);
  }
  for (const ServiceSlot slot : services) {
    former_services_ += sent_to(slot);
    services_before_[slot.index()] -= sent_to(slot);
  }
}

}  // namespace guideway::app
