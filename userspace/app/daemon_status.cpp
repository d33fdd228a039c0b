// What the daemon tells about itself: Daemon's numbers, gathered into observe::Status.
#include <unistd.h>

#include "app/daemon.h"

namespace guideway::app {

observe::InterfaceStatus Daemon::interface_status(std::size_t port) const {
  const xdp::Port& shown = *ports_[port];
  observe::InterfaceStatus status;
  status.name = shown.nic().name;
  status.driver = shown.nic().driver;
  status.mtu = shown.nic().mtu;
  status.attachment = health_[port].attached ? xdp::name(shown.steering().mode()) : "lost";
  status.dispatcher = shown.steering().dispatcher();
  if (const auto verdicts = shown.steering().verdicts())
    for (std::size_t i = 0; i < verdicts->size(); ++i)
      status.steering.emplace_back(xdp::kVerdictNames[i], (*verdicts)[i]);
  for (const Lane& lane : lanes_) {
    if (lane.port != port) continue;
    observe::QueueStatus queue;
    queue.queue = lane.socket->queue();
    queue.mode = xdp::name(lane.socket->mode());
    queue.cpu = lane.worker->cpu();
    queue.generation = publication_->adopted_by(lane.worker->reader());
    const auto statistics = lane.socket->statistics();
    for (std::size_t i = 0; i < statistics.size(); ++i)
      queue.socket.emplace_back(xdp::kSocketStatisticNames[i], statistics[i]);
    queue.worker = read(*lane.counters);
    status.queues.push_back(std::move(queue));
  }
  return status;
}

std::vector<observe::ServiceStatus> Daemon::service_status() const {
  std::vector<observe::ServiceStatus> all;
  for (const auto& service : model_.services) {
    for (const Endpoint& endpoint : service.endpoints) {
      observe::ServiceStatus status;
      status.name = service.name;
      status.vip = endpoint.address.text();
      status.protocol = name(endpoint.protocol);
      status.port = endpoint.port;
      status.pool = model_.pools[service.pool].name;
      if (const auto slot = compiler_.service_slot(endpoint)) {
        for (const Lane& lane : lanes_) {
          status.packets += lane.counters->services[slot->index()].packets.get();
          status.bytes += lane.counters->services[slot->index()].bytes.get();
        }
      }
      all.push_back(std::move(status));
    }
  }
  return all;
}

std::vector<observe::PoolStatus> Daemon::pool_status() const {
  const std::vector<std::uint32_t> table_entries = publication_->current().table_entries();
  std::vector<observe::PoolStatus> all;
  for (const auto& pool : model_.pools) {
    observe::PoolStatus status;
    status.name = pool.name;
    status.table_size = pool.table_size;
    for (const auto& backend : pool.backends) {
      observe::BackendStatus shown;
      shown.address = backend.address.text();
      shown.weight = backend.weight;
      if (const auto* hop = routes_->find(backend.address); hop != nullptr) {
        shown.next_hop = control::name(hop->state);
        shown.device = hop->device_name;
        if (hop->device != 0) shown.via = hop->via.text();
        if (hop->state == control::NextHop::State::resolved) shown.mac = hop->mac.text();
      }
      if (const auto slot = compiler_.backend_slot(pool.name, backend.address)) {
        shown.table_entries = table_entries[slot->index()];
        for (const Lane& lane : lanes_) {
          shown.flows += lane.counters->backend_flows[slot->index()].get();
          shown.packets += lane.counters->backends[slot->index()].packets.get();
          shown.bytes += lane.counters->backends[slot->index()].bytes.get();
        }
      }
      status.backends.push_back(std::move(shown));
    }
    all.push_back(std::move(status));
  }
  return all;
}

observe::Status Daemon::status() const {
  observe::Status status;
  status.node = model_.node.name;
  status.version = GUIDEWAY_VERSION;
  status.config_file = config_file_;
  status.pid = ::getpid();
  status.uptime =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_);
  status.generation = publication_->current().generation;
  for (std::size_t port = 0; port < ports_.size(); ++port)
    status.interfaces.push_back(interface_status(port));
  status.services = service_status();
  status.pools = pool_status();
  return status;
}

}  // namespace guideway::app
