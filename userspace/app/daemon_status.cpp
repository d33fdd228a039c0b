// What the daemon tells about itself: Daemon's numbers, gathered into observe::Status.
#include <unistd.h>

#include "app/daemon.h"
#include "app/privileges.h"
#include "core/utf8.h"

namespace guideway::app {
namespace {

using Clock = std::chrono::steady_clock;

observe::CheckStatus check_status(const control::Health::Check& check) {
  const auto& question = check.probe.asking->question;
  return {.type = std::string(question.type()),
          .what = question.text(),
          .state = std::string(control::name(check.judge.state())),
          .last = check.last,
          .last_microseconds = static_cast<std::uint64_t>(check.took.count()),
          .passed = check.passed,
          .failed = check.failed};
}

}  // namespace

observe::InterfaceStatus Daemon::interface_status(const Unit& unit) const {
  const xdp::Port& shown = *unit.port;
  observe::InterfaceStatus status;
  status.name = shown.nic().name;
  status.driver = shown.nic().driver;
  status.mtu = shown.nic().mtu;
  status.attachment = unit.health.attached ? xdp::name(shown.steering().mode()) : "lost";
  status.dispatcher = shown.steering().dispatcher();
  if (const auto verdicts = shown.steering().verdicts())
    for (std::size_t i = 0; i < verdicts->size(); ++i)
      status.steering.emplace_back(xdp::kVerdictNames[i], (*verdicts)[i]);
  for (const Lane& lane : unit.lanes) {
    observe::QueueStatus queue;
    queue.queue = lane.socket->queue();
    queue.mode = xdp::name(lane.socket->mode());
    queue.cpu = lane.worker->cpu();
    queue.generation = plane_.publication().adopted_by(lane.worker->reader());
    const auto statistics = lane.socket->statistics();
    for (std::size_t i = 0; i < statistics.size(); ++i)
      queue.socket.emplace_back(xdp::kSocketStatisticNames[i], statistics[i]);
    const auto rings = lane.socket->rings();
    for (std::size_t i = 0; i < rings.size(); ++i)
      queue.rings.push_back({.name = std::string(xdp::kRingNames[i]),
                             .entries = rings[i].entries,
                             .size = rings[i].size});
    queue.worker = read(*lane.counters);
    queue.stalled = stalled_for(lane);
    status.queues.push_back(std::move(queue));
  }
  return status;
}

std::vector<observe::ServiceStatus> Daemon::service_status() const {
  const control::Model& model = *in_force_.model;
  std::vector<observe::ServiceStatus> all;
  for (const auto& service : model.services) {
    const auto& pool = model.pools[service.pool];
    for (const Endpoint& endpoint : service.endpoints) {
      observe::ServiceStatus status;
      status.name = service.name;
      status.vip = endpoint.address.text();
      status.protocol = name(endpoint.protocol);
      status.port = endpoint.port;
      status.pool = pool.name;
      status.healthy = in_force_.standings[service.pool].healthy >= pool.min_healthy;
      if (const auto slot = in_force_.slots->service(endpoint)) {
        const Sent sent = plane_.sent_to(*slot);
        status.packets = sent.packets;
        status.bytes = sent.bytes;
      }
      all.push_back(std::move(status));
    }
  }
  return all;
}

observe::BackendStatus Daemon::backend_status(std::size_t pool, std::size_t backend) const {
  const control::PoolConfig& in = in_force_.model->pools[pool];
  const control::BackendConfig& config = in.backends[backend];
  observe::BackendStatus shown;
  shown.address = config.address.text();
  shown.weight = config.weight;
  shown.usable = in_force_.standings[pool].backends[backend].usable;
  if (config.drain) shown.drain = "file";
  if (const auto* health = health_->health().find({in.name, config.address})) {
    shown.weight_percent = control::Health::weight_percent(in, *health, Clock::now());
    shown.health = control::name(health->state);
    shown.health_for =
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - health->since);
    if (health->drained) shown.drain = "operator";
    shown.went_up = health->went_up;
    shown.went_down = health->went_down;
    for (const auto& check : health->checks) shown.checks.push_back(check_status(check));
  }
  if (const auto* hop = routes_->find(config.address); hop != nullptr) {
    shown.next_hop = control::name(hop->state);
    shown.device = hop->device_name;
    if (hop->device != 0) shown.via = hop->via.text();
    if (hop->state == control::NextHop::State::resolved) shown.mac = hop->mac.text();
  }
  shown.table_entries = in_force_.tables[pool]->entries_of(config.address);
  if (const auto slot = in_force_.slots->backend(in.name, config.address)) {
    const Sent sent = plane_.sent_to(*slot);
    shown.flows = sent.flows;
    shown.packets = sent.packets;
    shown.bytes = sent.bytes;
  }
  return shown;
}

observe::PoolStatus Daemon::pool_status(std::size_t pool) const {
  const control::PoolConfig& config = in_force_.model->pools[pool];
  const control::PoolStanding& standing = in_force_.standings[pool];
  observe::PoolStatus status;
  status.name = config.name;
  status.table_size = config.table_size;
  status.on_empty = config.on_empty == control::OnEmpty::all ? "all" : "drop";
  status.empty = standing.empty;
  status.healthy_backends = standing.healthy;
  status.min_healthy = config.min_healthy;
  status.healthy = standing.healthy >= config.min_healthy;
  status.table_digest = in_force_.tables[pool]->digest;
  for (std::size_t i = 0; i < config.backends.size(); ++i)
    status.backends.push_back(backend_status(pool, i));
  return status;
}

observe::RemovedStatus Daemon::removed_status() const {
  Sent services = plane_.former_services(), backends = plane_.former_backends();
  for (const ServiceSlot slot : in_force_.removed_services) services += plane_.sent_to(slot);
  for (const BackendSlot slot : in_force_.removed_backends) backends += plane_.sent_to(slot);
  return {.service_packets = services.packets,
          .service_bytes = services.bytes,
          .backend_packets = backends.packets,
          .backend_bytes = backends.bytes,
          .backend_flows = backends.flows};
}

observe::Status Daemon::status() const {
  observe::Status status;
  const control::Model& model = *in_force_.model;
  status.node = model.node.name;
  status.bgp = announcing_.status(model);
  status.version = GUIDEWAY_VERSION;
  status.config_file = valid_utf8(config_file_);
  status.pid = ::getpid();
  status.uptime = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started_);
  status.ready = ready();
  status.user = valid_utf8(user_name());
  status.capabilities = capability_names(capabilities_in_force());
  status.log_level = control::kLogLevelNames.at(static_cast<std::size_t>(log_level_));
  status.config_digest = in_force_.digest;
  status.reloads = reloads_;
  status.retired = plane_.retired();
  // Until there is a snapshot there is nothing more to tell.
  if (!plane_.begun()) return status;
  status.generation = plane_.publication().current().generation;
  status.suppressed_log_lines = health_->suppressed_log_lines();
  for (const auto& unit : plane_.units()) status.interfaces.push_back(interface_status(*unit));
  status.services = service_status();
  for (std::size_t i = 0; i < model.pools.size(); ++i) status.pools.push_back(pool_status(i));
  status.removed = removed_status();
  return status;
}

}  // namespace guideway::app
