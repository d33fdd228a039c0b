// The daemon: what guidewayd is made of, wired together, the order in which it starts and stops,
// and how it changes while it runs (docs/life-of-a-reload.md).
//
// Start, each step undone if a later one fails: API, interfaces (attach, bind), next hops, health,
// first snapshot, workers, metrics, the first answers of the probes, and last the VIP map: only
// then packets are taken from the kernel, and then routers are told of the VIPs. Stop: "not ready",
// the routes withdrawn, the drain time, then the VIP map, workers, sockets, attachment.
//
// Everything that changes what packets do becomes a new snapshot: request_build(). One build at a
// time, beside the control thread; what changes meanwhile is in the next one.
//
// Threads: one, the control thread, which runs the io_context; workers have their own, and `side_`
// has two for what takes time: reading a file or attaching to an interface, and building tables.
// `foretelling_` has one, for tables that are built to answer a question: however many ask, no
// snapshot waits behind them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/announcing.h"
#include "app/data_plane.h"
#include "app/inquiries.h"
#include "app/progress.h"
#include "app/service_manager.h"
#include "control/compiler.h"
#include "control/config.h"
#include "control/health_watch.h"
#include "control/model.h"
#include "control/routes.h"
#include "core/result.h"
#include "observe/http_server.h"
#include "observe/operations.h"
#include "observe/status.h"

namespace guideway::app {

class Daemon {
 public:
  // Brings everything up. Forwarding has begun when it succeeds; nothing is left when it fails.
  // `manager` hears of it, and of all that follows; it must outlive the daemon.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> start(control::Model model,
                                                             std::string config_file,
                                                             ServiceManager& manager);
  ~Daemon();

  // Runs until SIGTERM or SIGINT, and the drain time behind it.
  void run();

 private:
  // A model in force, and what was made of it.
  struct InForce {
    std::shared_ptr<const control::Model> model;
    std::vector<control::PoolStanding> standings;  // by pool
    std::shared_ptr<const control::Slots> slots;
    std::vector<std::shared_ptr<const control::PoolTable>> tables;  // by pool
    std::uint64_t digest = 0;  // Model::fleet_digest(), which takes its time
    // Slots of those that the model has no longer.
    std::vector<BackendSlot> removed_backends;
    std::vector<ServiceSlot> removed_services;
  };
  using ModelPointer = std::shared_ptr<const control::Model>;
  using Ports = std::vector<std::pair<control::Interface, std::unique_ptr<xdp::Port>>>;

  Daemon(control::Model model, std::string config_file, ServiceManager& manager);

  // Start (daemon.cpp).
  [[nodiscard]] Result<> listen();
  [[nodiscard]] Result<> open_ports();
  [[nodiscard]] Result<> watch_next_hops();
  [[nodiscard]] Result<> publish_first();
  [[nodiscard]] Result<> start_workers();
  [[nodiscard]] Result<> listen_for_metrics();
  [[nodiscard]] Result<std::unique_ptr<observe::HttpServer>> metrics_server(
      const control::Metrics& wanted);
  [[nodiscard]] Result<> await_first_answers();
  [[nodiscard]] Result<> steer();
  [[nodiscard]] observe::Operations operations();
  void wait_for_signal();
  void on_signal(int number);
  void begin_shutdown(const char* signal);
  void look_after_ports();
  [[nodiscard]] bool ready() const;

  // Whether it goes on, and who hears of it (supervision.cpp).
  [[nodiscard]] static Progress progress_for(const ServiceManager& manager);
  void supervise();
  void look_at_workers();
  [[nodiscard]] std::chrono::seconds stalled_for(const Lane& lane) const;
  [[nodiscard]] boost::asio::awaitable<Result<>> await_turns(std::vector<std::string> interfaces);
  [[nodiscard]] Situation situation() const;

  // Snapshots (builds.cpp).
  [[nodiscard]] std::vector<control::PoolStanding> standings(const control::Model& model,
                                                             const control::Health& health);
  [[nodiscard]] boost::asio::awaitable<Result<control::Compiled>> build(
      ModelPointer model, std::vector<control::PoolStanding> standings);
  void request_build();
  [[nodiscard]] boost::asio::awaitable<void> build_wanted();
  [[nodiscard]] boost::asio::awaitable<void> build_while_wanted();
  void put_in_force(ModelPointer model, std::vector<control::PoolStanding> standings,
                    control::Compiled compiled);
  void reclaim_later();
  void await_slow_start();
  void warn_of_egress();
  void tell_pools(const InForce& before) const;
  void note_removed();

  // Reload (reload.cpp).
  [[nodiscard]] boost::asio::awaitable<observe::ReloadOutcome> reload();
  [[nodiscard]] boost::asio::awaitable<observe::ReloadOutcome> read_and_apply();
  [[nodiscard]] boost::asio::awaitable<Result<>> apply(ModelPointer wanted,
                                                       std::vector<std::string>& warnings);
  [[nodiscard]] std::vector<std::string> leaving(const control::Model& wanted) const;
  [[nodiscard]] boost::asio::awaitable<Result<Ports>> open_new_ports(ModelPointer wanted,
                                                                     std::vector<std::string> lost);
  [[nodiscard]] boost::asio::awaitable<Result<>> switch_to(ModelPointer wanted, Ports ports);
  [[nodiscard]] boost::asio::awaitable<void> prepare_backends(ModelPointer wanted);
  [[nodiscard]] boost::asio::awaitable<void> change_over(
      ModelPointer wanted, std::vector<control::PoolStanding> standings,
      control::Compiled compiled);
  [[nodiscard]] Result<> add_all(Ports ports);
  [[nodiscard]] Result<> watch_next_hops_of(const control::Model& one, const control::Model& other);
  [[nodiscard]] boost::asio::awaitable<void> await_adoption();
  [[nodiscard]] Result<> move_metrics(const control::Metrics& before,
                                      const control::Metrics& wanted);
  [[nodiscard]] boost::asio::awaitable<void> pause(std::chrono::milliseconds time);
  void tell(const observe::ReloadOutcome& outcome) const;
  [[nodiscard]] observe::DrainOutcome set_drain(const std::string& backend, const std::string& pool,
                                                bool drain);
  [[nodiscard]] bool set_log_level(const std::string& level);

  // What would become of a packet (daemon_explain.cpp).
  [[nodiscard]] boost::asio::awaitable<Result<observe::PacketAnswer>> explain(
      observe::PacketQuestion question);
  [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> backend_if_down(
      dataplane::Explanation told);
  [[nodiscard]] boost::asio::awaitable<std::vector<Reply>> ask_reachable(
      std::vector<std::string> interfaces, std::vector<std::byte> frame);
  void name_choice(const Reply& reply, observe::PacketAnswer& answer) const;
  void name_entries(const std::vector<Reply>& replies, observe::PacketAnswer& answer) const;
  [[nodiscard]] observe::PacketAnswer::Entry entry_of(
      const dataplane::Explanation::Entry& entry) const;
  [[nodiscard]] std::optional<std::pair<std::string, Ipv4Address>> owner_of(BackendSlot slot) const;
  [[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> place_of(BackendSlot slot) const;

  // Flows (daemon_flows.cpp).
  [[nodiscard]] boost::asio::awaitable<Result<observe::FlowsPage>> flows(
      observe::FlowsWanted wanted);

  // BGP (daemon_bgp.cpp).
  void announce();
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] bool knows_what_to_announce() const;
  [[nodiscard]] Announcing::Situation announcing_situation() const;
  [[nodiscard]] observe::RoleOutcome set_role(const std::string& role);
  [[nodiscard]] boost::asio::awaitable<void> withdraw_what_leaves(ModelPointer wanted);
  void announce_after_reload(const control::Model& before, const control::Model& wanted,
                             std::vector<std::string>& warnings);
  [[nodiscard]] boost::asio::awaitable<void> withdraw_and_drain();
  void withdraw_the_rest();

  // Status (daemon_status.cpp).
  [[nodiscard]] observe::Status status() const;
  [[nodiscard]] observe::InterfaceStatus interface_status(const Unit& unit) const;
  [[nodiscard]] std::vector<observe::ServiceStatus> service_status() const;
  [[nodiscard]] observe::RemovedStatus removed_status() const;
  [[nodiscard]] observe::PoolStatus pool_status(std::size_t pool) const;
  [[nodiscard]] observe::BackendStatus backend_status(std::size_t pool, std::size_t backend) const;

  std::string config_file_;
  ServiceManager& manager_;
  Progress progress_;
  std::chrono::steady_clock::time_point fed_{}, told_{};  // the watchdog; the status
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  boost::asio::io_context io_{1};  // goes last: it holds coroutines that hold the rest
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer reclaim_timer_{io_}, port_timer_{io_}, slow_start_timer_{io_},
      drain_timer_{io_}, supervision_timer_{io_};
  InForce in_force_;
  DataPlane plane_;
  std::unique_ptr<control::Routes> routes_;
  control::Compiler compiler_;  // on side_ alone, once workers run
  std::uint64_t generation_ = 0;
  std::chrono::steady_clock::time_point standings_of_{};  // when standings() was called last
  std::unique_ptr<control::HealthWatch> health_;
  Announcing announcing_;
  std::unique_ptr<observe::HttpServer> api_, metrics_;
  observe::ReloadStatus reloads_;
  control::LogLevel log_level_ = control::LogLevel::info;
  Ports first_ports_;  // from open_ports() to start_workers()
  bool signals_waited_for_ = false;
  // reload_running_: from reading the file on; reloading_: while it changes what is in force, and
  // nothing else may.
  bool build_wanted_ = false, building_ = false, reload_running_ = false, reloading_ = false;
  struct WaitingReload {
    std::optional<observe::ReloadOutcome> outcome;
  };
  std::shared_ptr<WaitingReload> next_reload_;  // that waits its turn, for all who come meanwhile
  bool steering_ = false, stopping_ = false;
  std::chrono::steady_clock::time_point steering_since_{};
  std::set<std::uint32_t> small_mtu_told_, wrong_device_told_;  // interface indices
  // The last that was foretold, on foretelling_ alone: most questions are about the same backend.
  std::shared_ptr<const control::PoolTable> foretold_;
  boost::asio::thread_pool foretelling_{1}, side_{2};  // end first
};

}  // namespace guideway::app
