#include "app/daemon.h"

#include <sched.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace guideway::app {
namespace {

using std::chrono::milliseconds;

// A retired snapshot waits for the workers: an idle one looks every 100 ms.
constexpr auto kReclaimPause = milliseconds(100);

// How often it is looked whether the interfaces are as they were at the start.
constexpr auto kPortPause = std::chrono::seconds(1);

// Clients on an Ethernet send packets of up to this size unless told otherwise.
constexpr std::uint16_t kUsualMtu = 1500;

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

// Frames are locked memory. Older kernels also charge BPF maps.
void lift_memory_lock_limit() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0)
    spdlog::debug("raising the limit of locked memory: {}", std::strerror(errno));
}

}  // namespace

Daemon::Daemon(control::Model model, std::string config_file)
    : model_(std::move(model)), config_file_(std::move(config_file)) {}

Daemon::~Daemon() { stop(); }

Result<std::unique_ptr<Daemon>> Daemon::start(control::Model model, std::string config_file) {
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(model), std::move(config_file)));
  lift_memory_lock_limit();
  // Before anything else, so that a signal during the start is not lost: it is served by run().
  daemon->wait_for_signal();
  auto admin = observe::AdminServer::listen(
      daemon->io_, daemon->model_.admin.socket,
      [raw = daemon.get()] { return observe::to_json(raw->status()); });
  if (!admin) return std::unexpected(std::move(admin).error());
  daemon->admin_ = std::move(*admin);
  for (const auto step : {&Daemon::open_ports, &Daemon::watch_next_hops, &Daemon::publish_first,
                          &Daemon::start_workers, &Daemon::steer})
    if (auto done = (daemon.get()->*step)(); !done) return std::unexpected(std::move(done).error());
  return daemon;
}

Result<> Daemon::open_ports() {
  for (const control::Interface& wanted : model_.interfaces) {
    auto port = xdp::Port::open({.interface = wanted.name,
                                 .ladder = ladder_of(wanted.mode),
                                 .queues = wanted.queues,
                                 .frame_bytes = static_cast<std::uint32_t>(wanted.frame_bytes),
                                 .socket = {.frames = wanted.frames,
                                            .frame_bytes = 0,
                                            .ring = wanted.ring,
                                            .busy_poll = wanted.busy_poll}});
    if (!port) return std::unexpected(std::move(port).error());
    const auto& opened = **port;
    spdlog::info(
        "{}: driver {}, MTU {}, {} queue(s), attached in {} mode {}, sockets in {} mode, {} frames "
        "of {} "
        "bytes a queue",
        wanted.name, opened.nic().driver, opened.nic().mtu, opened.sockets().size(),
        xdp::name(opened.steering().mode()),
        opened.steering().dispatcher() ? "through libxdp's dispatcher"
                                       : "without libxdp's dispatcher",
        xdp::name(opened.sockets().front()->mode()), wanted.frames, opened.frame_bytes());
    for (const auto& socket : opened.sockets())
      lanes_.push_back({.port = ports_.size(),
                        .socket = socket.get(),
                        .counters = std::make_unique<WorkerCounters>(),
                        .worker = nullptr});
    ports_.push_back(std::move(*port));
    health_.push_back({.attached = true, .mtu_fits = true});
  }
  return {};
}

Result<> Daemon::watch_next_hops() {
  auto routes = control::Routes::open(io_, [this] { publish_next(); });
  if (!routes) return std::unexpected(std::move(routes).error());
  routes_ = std::move(*routes);
  std::vector<Ipv4Address> addresses;
  for (const auto& pool : model_.pools)
    for (const auto& backend : pool.backends) addresses.push_back(backend.address);
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
  return routes_->watch(addresses, model_.encapsulation.source);
}

Result<std::unique_ptr<const Snapshot>> Daemon::compile() {
  return compiler_.compile(
      model_, [this](Ipv4Address address) { return routes_->find(address); }, ++generation_);
}

Result<> Daemon::publish_first() {
  auto snapshot = compile();
  if (!snapshot) return std::unexpected(std::move(snapshot).error());
  publication_ = std::make_unique<Publication>(lanes_.size(), std::move(*snapshot));
  warn_of_egress();
  return {};
}

Result<std::unique_ptr<dataplane::Worker>> Daemon::make_worker(const Lane& lane, std::size_t reader,
                                                               std::uint32_t cpu) {
  const control::Interface& wanted = model_.interfaces[lane.port];
  const dataplane::WorkerOptions options{
      .name = "gw-" + std::to_string(lane.socket->queue()) + "-" + wanted.name,
      .cpu = cpu,
      .interface = ports_[lane.port]->nic().index,
      .reader = reader,
      .flow_entries = model_.flow_table.entries,
      .timeouts = timeouts_of(model_.flow_table),
      .busy_poll = wanted.busy_poll};
  try {
    return std::make_unique<dataplane::Worker>(options, *lane.socket, *lane.counters,
                                               *publication_);
  } catch (const std::bad_alloc&) {
    return fail("allocating a flow table of " + std::to_string(options.flow_entries) +
                    " entries for worker " + options.name + ": not enough memory",
                "set flow_table.entries lower; each worker has a table of its own");
  }
}

Result<> Daemon::start_workers() {
  const std::vector<std::uint32_t> everywhere = allowed_cpus();
  if (everywhere.empty())
    return fail_errno("asking which CPUs this process may use", errno,
                      "set cpus: of each interface");
  std::size_t in_turn = 0;
  std::vector<std::size_t> of_port(ports_.size(), 0);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    const control::Interface& wanted = model_.interfaces[lane.port];
    const std::uint32_t cpu = wanted.cpus.empty()
                                  ? everywhere[in_turn++ % everywhere.size()]
                                  : wanted.cpus[of_port[lane.port]++ % wanted.cpus.size()];
    auto worker = make_worker(lane, i, cpu);
    if (!worker) return std::unexpected(std::move(worker).error());
    lane.worker = std::move(*worker);
    if (auto started = lane.worker->start(); !started) return started;
  }
  return {};
}

Result<> Daemon::steer() {
  std::vector<Endpoint> endpoints;
  for (const auto& service : model_.services)
    endpoints.insert(endpoints.end(), service.endpoints.begin(), service.endpoints.end());
  for (const auto& port : ports_)
    if (auto done = port->steering().set_vips(endpoints); !done) return done;
  return {};
}

void Daemon::publish_next() {
  auto snapshot = compile();
  if (!snapshot) {
    spdlog::error("keeping generation {}: {}", publication_->current().generation,
                  snapshot.error().text());
    return;
  }
  publication_->publish(std::move(*snapshot));
  spdlog::debug("published generation {}", publication_->current().generation);
  warn_of_egress();
  reclaim_later();
}

void Daemon::reclaim_later() {
  if (publication_->reclaim() == 0) return;
  reclaim_timer_.expires_after(kReclaimPause);
  reclaim_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) reclaim_later();
  });
}

// Says once for each device what makes packets towards backends be dropped.
void Daemon::warn_of_egress() {
  for (const Backend& backend : publication_->current().backends) {
    if (backend.egress_device == 0) continue;
    const auto leaves_here = [&](const auto& port) {
      return port->nic().index == backend.egress_device;
    };
    if (!std::ranges::all_of(ports_, leaves_here) &&
        wrong_device_told_.insert(backend.egress_device).second)
      spdlog::warn(
          "backend {} is reached through interface {}: packets leave by the interface that they "
          "came in by, so those for it that come in by another are dropped (no_next_hop)",
          Ipv4Address(backend.outer.header.ip.destination).text(), backend.egress_device);
    if (backend.egress_mtu < kUsualMtu + kOuterIpBytes &&
        small_mtu_told_.insert(backend.egress_device).second)
      spdlog::warn(
          "packets of {} bytes do not fit an egress MTU of {} with {} bytes of encapsulation, and "
          "are dropped (too_big): raise the MTU towards the backends to {}, or lower the MSS of "
          "the services to {}",
          kUsualMtu, backend.egress_mtu, kOuterIpBytes, kUsualMtu + kOuterIpBytes,
          backend.egress_mtu - kOuterIpBytes - 40);
  }
}

void Daemon::look_after_ports() {
  port_timer_.expires_after(kPortPause);
  port_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (std::size_t port = 0; port < ports_.size(); ++port) check_port(port);
    look_after_ports();
  });
}

void Daemon::check_port(std::size_t port) {
  xdp::Port& checked = *ports_[port];
  const xdp::Port::Health before = health_[port];
  health_[port] = checked.check();
  const std::string& interface = checked.nic().name;
  if (before.attached && !health_[port].attached)
    spdlog::error(
        "{}: the steering program is no longer attached: the interface was deleted, or somebody "
        "took it off; nothing is forwarded from here until guidewayd is started anew",
        interface);
  if (before.mtu_fits && !health_[port].mtu_fits)
    spdlog::error(
        "{}: its MTU was raised to {}, and frames of {} bytes are too small for that: larger "
        "packets are lost (rx_dropped) until guidewayd is started anew",
        interface, checked.nic().mtu, checked.frame_bytes());
}

void Daemon::wait_for_signal() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    if (number == SIGHUP) {
      spdlog::warn("SIGHUP: a changed file takes effect at the next start");
      wait_for_signal();
      return;
    }
    spdlog::info("{}: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
    io_.stop();
  });
}

void Daemon::run() {
  look_after_ports();
  io_.run();
}

void Daemon::stop() {
  for (const auto& port : ports_)
    if (auto done = port->steering().set_vips({}); !done) spdlog::warn("{}", done.error().text());
  for (const Lane& lane : lanes_)
    if (lane.worker) lane.worker->stop();
}

}  // namespace guideway::app
