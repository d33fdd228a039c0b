#include "app/daemon.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "app/log_level.h"
#include "gobgp/speaker.h"
#include "observe/api.h"
#include "observe/metrics_api.h"

namespace guideway::app {
namespace {

using std::chrono::milliseconds;

// How often a start looks whether it can go on.
constexpr milliseconds kStartLook{5};

// How often it is looked whether the interfaces are as they were.
constexpr auto kPortPause = std::chrono::seconds(1);

// What the service manager is told that a step may take: to attach to an interface, which may reset
// the NIC; to wait for answers or to drain, besides what that takes by itself; to stop.
constexpr auto kStepTime = std::chrono::seconds(60);

// Longer than any flow is remembered by: a Tick of the flow table is a second, at either end.
std::chrono::seconds quarantine_of(const control::FlowTableConfig& table) {
  return std::max({table.opening, table.established, table.closing, table.udp}) +
         std::chrono::seconds(2);
}

}  // namespace

Daemon::Daemon(control::Model model, std::string config_file, ServiceManager& manager)
    : config_file_(std::move(config_file)),
      manager_(manager),
      progress_(progress_for(manager)),
      plane_(model.flow_table),
      compiler_(quarantine_of(model.flow_table)),
      announcing_(io_, gobgp::make_speaker, [this] { announce(); }),
      log_level_(model.log.level) {
  in_force_.digest = model.fleet_digest();
  in_force_.model = std::make_shared<const control::Model>(std::move(model));
}

Daemon::~Daemon() {
  // First, as what a side thread does may hang (a file on a dead server). From here on another
  // signal ends the process at once.
  plane_.shut();
  boost::system::error_code ignored;
  signals_.clear(ignored);
  side_.stop();
  foretelling_.stop();
  side_.join();
  foretelling_.join();
}

Result<std::unique_ptr<Daemon>> Daemon::start(control::Model model, std::string config_file,
                                              ServiceManager& manager) {
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(model), std::move(config_file), manager));
  // Before anything else, so that a signal during the start is not lost: it is served by run().
  daemon->wait_for_signal();
  for (const auto step :
       {&Daemon::listen, &Daemon::open_ports, &Daemon::watch_next_hops, &Daemon::publish_first,
        &Daemon::start_workers, &Daemon::listen_for_metrics, &Daemon::await_first_answers,
        &Daemon::steer})
    if (auto done = (daemon.get()->*step)(); !done) return std::unexpected(std::move(done).error());
  return daemon;
}

observe::Operations Daemon::operations() {
  return {
      .status = [this] { return status(); },
      .reload = [this] { return reload(); },
      .set_drain = [this](const std::string& backend, const std::string& pool,
                          bool drain) { return set_drain(backend, pool, drain); },
      .set_role = [this](const std::string& role) { return set_role(role); },
      .set_log_level = [this](const std::string& level) { return set_log_level(level); },
      .log_level =
          [this] {
            return std::string(control::kLogLevelNames.at(static_cast<std::size_t>(log_level_)));
          },
      .flows = [this](observe::FlowsWanted wanted) { return flows(std::move(wanted)); },
      .explain = [this](observe::PacketQuestion question) { return explain(std::move(question)); },
      .ready = [this] { return ready(); },
      .metrics_text = {}};
}

Result<> Daemon::listen() {
  auto api = observe::HttpServer::listen_unix(io_, in_force_.model->admin.socket,
                                              observe::api(operations()), observe::kApiLimits);
  if (!api) return std::unexpected(std::move(api).error());
  api_ = std::move(*api);
  return {};
}

Result<> Daemon::open_ports() {
  // Workers come later; until then a port is nobody's but this vector's.
  for (const control::Interface& wanted : in_force_.model->interfaces) {
    manager_.extend_timeout(kStepTime);
    auto port = DataPlane::open_port(wanted);
    if (!port) return std::unexpected(std::move(port).error());
    first_ports_.emplace_back(wanted, std::move(*port));
  }
  return {};
}

Result<> Daemon::watch_next_hops() {
  auto routes = control::Routes::open(io_, [this] { request_build(); });
  if (!routes) return std::unexpected(std::move(routes).error());
  routes_ = std::move(*routes);
  return routes_->watch(in_force_.model->backend_addresses(),
                        in_force_.model->encapsulation.source);
}

Result<> Daemon::publish_first() {
  const control::Model& model = *in_force_.model;
  health_ = std::make_unique<control::HealthWatch>(io_, [this] { request_build(); });
  if (auto provided = health_->provide(model); !provided) return provided;
  health_->prepare(model);
  health_->adopt(model);

  auto first = standings(model, health_->health());
  auto compiled = compiler_.compile(
      model, first, [this](Ipv4Address address) { return routes_->find(address); }, ++generation_,
      std::chrono::steady_clock::now());
  if (!compiled) return std::unexpected(std::move(compiled).error());
  plane_.begin(std::move(compiled->snapshot));
  in_force_.standings = std::move(first);
  in_force_.slots = std::move(compiled->slots);
  in_force_.tables = std::move(compiled->tables);
  return {};
}

Result<> Daemon::start_workers() {
  for (auto& [config, port] : std::exchange(first_ports_, {}))
    if (auto added = plane_.add(config, std::move(port)); !added) return added;
  warn_of_egress();
  return {};
}

Result<std::unique_ptr<observe::HttpServer>> Daemon::metrics_server(
    const control::Metrics& wanted) {
  if (wanted.port == 0) return nullptr;
  return observe::HttpServer::listen_tcp(io_, wanted.address, wanted.port,
                                         observe::metrics_api(operations()),
                                         observe::kMetricsLimits);
}

Result<> Daemon::listen_for_metrics() {
  auto server = metrics_server(in_force_.model->metrics);
  if (!server) return std::unexpected(std::move(server).error());
  metrics_ = std::move(*server);
  return {};
}

// So that the first packet already finds the tables that a load balancer beside this one has.
Result<> Daemon::await_first_answers() {
  const auto waiting = [this] {
    return !stopping_ && (health_->health().any_unknown() || build_wanted_ || building_);
  };
  if (!health_->health().any_unknown()) return {};
  const milliseconds patience = control::first_answer_patience(*in_force_.model);
  spdlog::info("waiting for the first answers of {} probes, for up to {} ms",
               health_->health().probes().size(), patience.count());
  manager_.extend_timeout(patience + kStepTime);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (waiting() && std::chrono::steady_clock::now() < deadline) io_.run_for(kStartLook);
  if (!stopping_ && health_->health().any_unknown())
    spdlog::warn("some backends have not been asked yet: they take flows once they have answered");
  return {};
}

Result<> Daemon::steer() {
  // A signal that came while a step blocked: nothing is taken, and nothing has to be drained, then.
  if (!io_.stopped()) io_.poll();
  if (stopping_) return {};
  if (auto done = plane_.steer(in_force_.model->endpoints()); !done) return done;
  steering_ = true;
  steering_since_ = std::chrono::steady_clock::now();
  tell_pools({});
  spdlog::info("guidewayd is ready");
  manager_.ready(status_line(situation()));
  announce();
  return {};
}

bool Daemon::ready() const { return !stopping_ && trouble().empty(); }

void Daemon::look_after_ports() {
  port_timer_.expires_after(kPortPause);
  port_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    plane_.check();
    health_->look_after();
    look_after_ports();
  });
}

void Daemon::wait_for_signal() {
  if (signals_waited_for_) {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      wait_for_signal();
      on_signal(number);
    });
    return;
  }
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  signals_waited_for_ = true;
  wait_for_signal();
}

void Daemon::on_signal(int number) {
  if (number != SIGHUP) {
    begin_shutdown(number == SIGTERM ? "SIGTERM" : "SIGINT");
    return;
  }
  if (!steering_) {
    spdlog::warn("SIGHUP: not while guidewayd starts; send it again once it is ready");
    return;
  }
  spdlog::info("SIGHUP: reading {} again", config_file_);
  boost::asio::co_spawn(
      io_, [this]() -> boost::asio::awaitable<void> { (void)co_await reload(); },
      boost::asio::detached);
}

void Daemon::begin_shutdown(const char* signal) {
  const auto drain = in_force_.model->shutdown.drain;
  const bool announces = in_force_.model->bgp.has_value();
  if (stopping_ || !steering_ || (drain.count() == 0 && !announces)) {
    spdlog::info("{}: stopping", signal);
    stopping_ = true;
    manager_.stopping("stopping", kStepTime);
    io_.stop();
    return;
  }
  stopping_ = true;
  manager_.stopping(status_line(situation()), drain + kStepTime);
  const std::string first = announces ? "withdrawing routes, " : "";
  if (drain.count() == 0)
    spdlog::info("{}: not ready any more; {}then stopping", signal, first);
  else
    spdlog::info(
        "{}: not ready any more; {}forwarding for {} s, then stopping (the same signal again: at "
        "once)",
        signal, first, drain.count());
  boost::asio::co_spawn(io_, withdraw_and_drain(), [this](const std::exception_ptr& failure) {
    if (failure) io_.stop();  // no memory, most likely
  });
}

void Daemon::run() {
  if (!io_.stopped()) {
    look_after_ports();
    supervise();
    io_.run();
  }
  withdraw_the_rest();
}

}  // namespace guideway::app
