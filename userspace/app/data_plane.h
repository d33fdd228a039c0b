// What forwards: the interfaces in service, a worker for each of their queues, and the snapshot
// that the workers decide by. Interfaces come and go while the others forward.
//
// What is counted only grows: the counters of a worker that is taken out of service are added to
// `retired`.
//
// Threads: the control thread; open_port() on any, as it may take seconds. Owns: ports, workers,
// counters, snapshots. Destruction takes packets off first, then ends workers, then detaches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/progress.h"
#include "control/model.h"
#include "core/result.h"
#include "dataplane/worker.h"
#include "state/counters.h"
#include "state/publication.h"
#include "xdp/port.h"

namespace guideway::app {

// One queue in service. `counters` outlive the worker; addresses are stable.
struct Lane {
  xdp::Socket* socket = nullptr;
  std::unique_ptr<WorkerCounters> counters;
  std::unique_ptr<dataplane::Worker> worker;
};

// One interface in service.
struct Unit {
  control::Interface config;
  std::unique_ptr<xdp::Port> port;
  xdp::Port::Health health{.attached = true, .mtu_fits = true};  // as last seen
  std::vector<Lane> lanes;                                       // go before the port
};

// How far each worker has come, for progress.h.
[[nodiscard]] inline std::vector<Progress::Worker> turns_of(
    const std::vector<std::unique_ptr<Unit>>& units) {
  std::vector<Progress::Worker> workers;
  for (const auto& unit : units)
    for (const Lane& lane : unit->lanes)
      workers.push_back({.key = lane.worker->name(), .turns = lane.counters->turns.get()});
  return workers;
}

// What one service or backend was sent, over all workers that there were.
struct Sent {
  std::uint64_t packets = 0, bytes = 0, flows = 0;  // flows: of backends only

  Sent& operator+=(const Sent& other) {
    packets += other.packets;
    bytes += other.bytes;
    flows += other.flows;
    return *this;
  }
  Sent& operator-=(const Sent& other) {
    packets -= other.packets;
    bytes -= other.bytes;
    flows -= other.flows;
    return *this;
  }
  friend Sent operator+(Sent one, const Sent& other) { return one += other; }
};

class DataPlane {
 public:
  explicit DataPlane(control::FlowTableConfig flow_table);
  ~DataPlane() { shut(); }

  // Takes packets off and ends all workers, for good. What was attached stays so until destruction.
  void shut();

  // Attaches to an interface and opens its sockets; nothing is steered yet.
  [[nodiscard]] static Result<std::unique_ptr<xdp::Port>> open_port(
      const control::Interface& config);

  // What workers that are added decide by. REQUIRES: before the first add().
  void begin(std::unique_ptr<const Snapshot> first);
  // Starts a worker for each queue of the port. Nothing is left of it if that fails.
  [[nodiscard]] Result<> add(const control::Interface& config, std::unique_ptr<xdp::Port> port);
  // Unsteers, ends the workers, detaches. An interface that is not in service is no error.
  void remove(const std::string& interface);

  // Steers these on all interfaces, and no others. Goes on where one fails; the error is the first.
  [[nodiscard]] Result<> steer(const std::vector<Endpoint>& services);

  void publish(std::unique_ptr<const Snapshot> snapshot);
  // Frees what no worker can hold; how many snapshots still wait.
  std::size_t reclaim() { return publication_->reclaim(); }
  [[nodiscard]] const Publication& publication() const { return *publication_; }

  // Looks whether the interfaces are as they were, and says what is not, once.
  void check();

  [[nodiscard]] const std::vector<std::unique_ptr<Unit>>& units() const { return units_; }
  [[nodiscard]] bool has(const std::string& interface) const;
  // Those in service that their program was taken off, as check() saw it last.
  [[nodiscard]] std::vector<std::string> lost() const;
  // Every interface that is in service, of which there is at least one, is attached.
  [[nodiscard]] bool all_attached() const;
  // Whether begin() was called.
  [[nodiscard]] bool begun() const { return publication_ != nullptr; }

  // These slots count from 0 again: they are another's from now on.
  void begin_anew(const std::vector<BackendSlot>& backends,
                  const std::vector<ServiceSlot>& services);

  [[nodiscard]] const WorkerTotals& retired() const { return retired_; }
  [[nodiscard]] Sent sent_to(ServiceSlot service) const;
  [[nodiscard]] Sent sent_to(BackendSlot backend) const;
  // What was counted for slots before they became another's.
  [[nodiscard]] const Sent& former_services() const { return former_services_; }
  [[nodiscard]] const Sent& former_backends() const { return former_backends_; }

 private:
  [[nodiscard]] Result<> start_lane(Unit& unit, xdp::Socket& socket, std::uint32_t cpu);
  [[nodiscard]] Result<std::uint32_t> next_cpu(const Unit& unit);
  void stop(Unit& unit);
  void retire(const WorkerCounters& counters);
  [[nodiscard]] Sent counted_for(ServiceSlot service) const;
  [[nodiscard]] Sent counted_for(BackendSlot backend) const;

  control::FlowTableConfig flow_table_;
  bool shut_ = false;
  std::unique_ptr<Publication> publication_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::size_t cpus_given_ = 0;
  WorkerTotals retired_;
  // By slot: what workers counted that have gone, less what was counted for earlier owners; modulo
  // 2^64, as the sum with the workers' counters is what counts.
  std::vector<Sent> services_before_, backends_before_;
  Sent former_services_, former_backends_;  // of earlier owners of slots that are another's now
};

}  // namespace guideway::app
