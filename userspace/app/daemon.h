// The daemon: what guidewayd is made of, wired together, and the order in which it starts and
// stops.
//
// Start, each step undone if a later one fails: admin socket, interfaces (attach, bind), next hops,
// first snapshot, workers, and last the VIP map: only then packets are taken from the kernel.
// Stop: the VIP map first, then workers, sockets, attachment.
//
// Threads: one, the control thread, which runs the io_context; workers have their own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/compiler.h"
#include "control/model.h"
#include "control/routes.h"
#include "core/result.h"
#include "dataplane/worker.h"
#include "observe/admin_server.h"
#include "observe/status.h"
#include "state/counters.h"
#include "state/publication.h"
#include "xdp/port.h"

namespace guideway::app {

class Daemon {
 public:
  // Brings everything up. Forwarding has begun when it succeeds; nothing is left when it fails.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> start(control::Model model,
                                                             std::string config_file);
  ~Daemon();

  // Runs until SIGTERM or SIGINT.
  void run();

 private:
  // One queue in service. `counters` outlive the worker; addresses are stable.
  struct Lane {
    std::size_t port;  // position in ports_
    xdp::Socket* socket;
    std::unique_ptr<WorkerCounters> counters;
    std::unique_ptr<dataplane::Worker> worker;
  };

  Daemon(control::Model model, std::string config_file);
  [[nodiscard]] Result<> open_ports();
  [[nodiscard]] Result<> watch_next_hops();
  [[nodiscard]] Result<> publish_first();
  [[nodiscard]] Result<> start_workers();
  [[nodiscard]] Result<std::unique_ptr<dataplane::Worker>> make_worker(const Lane& lane,
                                                                       std::size_t reader,
                                                                       std::uint32_t cpu);
  [[nodiscard]] Result<> steer();
  void stop();

  [[nodiscard]] Result<std::unique_ptr<const Snapshot>> compile();
  void publish_next();
  void reclaim_later();
  void warn_of_egress();
  void look_after_ports();
  void check_port(std::size_t port);
  void wait_for_signal();

  [[nodiscard]] observe::Status status() const;
  [[nodiscard]] observe::InterfaceStatus interface_status(std::size_t port) const;
  [[nodiscard]] std::vector<observe::ServiceStatus> service_status() const;
  [[nodiscard]] std::vector<observe::PoolStatus> pool_status() const;

  control::Model model_;
  std::string config_file_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer reclaim_timer_{io_};
  boost::asio::steady_timer port_timer_{io_};
  std::unique_ptr<observe::AdminServer> admin_;
  std::vector<std::unique_ptr<xdp::Port>> ports_;
  std::vector<xdp::Port::Health> health_;  // of each port, as last seen
  std::unique_ptr<control::Routes> routes_;
  control::Compiler compiler_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<Publication> publication_;
  std::vector<Lane> lanes_;                 // go before publication and ports
  std::set<std::uint32_t> small_mtu_told_;  // interface indices
  std::set<std::uint32_t> wrong_device_told_;
};

}  // namespace guideway::app
