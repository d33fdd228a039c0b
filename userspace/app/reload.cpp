// A running daemon takes another model (docs/life-of-a-reload.md), or another order of its
// operator.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <iterator>
#include <utility>

#include "app/beside.h"
#include "app/daemon.h"
#include "app/log_level.h"
#include "control/changes.h"

namespace guideway::app {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often it is looked whether something has come about that nobody tells of.
constexpr milliseconds kLook{5};
// An idle worker adopts a snapshot within 100 ms; one that has not after this time hangs.
constexpr milliseconds kAdoptionPatience{1000};
// A neighbour that is there answers within milliseconds.
constexpr milliseconds kNextHopPatience{1000};

std::expected<control::Config, std::vector<std::string>> read(const std::string& file) {
  const auto own = control::own_addresses();
  if (!own) return std::unexpected(std::vector{own.error().text()});
  auto config = control::load_config(file, *own);
  if (config) return std::move(*config);
  std::vector<std::string> problems;
  for (const auto& problem : config.error()) problems.push_back(problem.text());
  return std::unexpected(std::move(problems));
}

std::vector<Endpoint> in_both(std::vector<Endpoint> one, std::vector<Endpoint> other) {
  std::ranges::sort(one);
  std::ranges::sort(other);
  std::vector<Endpoint> both;
  std::ranges::set_intersection(one, other, std::back_inserter(both));
  return both;
}

}  // namespace

asio::awaitable<void> Daemon::pause(milliseconds time) {
  asio::steady_timer timer(io_, time);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<observe::ReloadOutcome> Daemon::reload() {
  // One that waits reads the file as it is when its turn comes: its answer is everybody's who asks
  // until then.
  if (const auto waiting = next_reload_) {
    while (!waiting->outcome) co_await pause(kLook);
    co_return *waiting->outcome;
  }
  const auto mine = next_reload_ = std::make_shared<WaitingReload>();
  while (reload_running_) co_await pause(kLook);
  next_reload_.reset();
  reload_running_ = true;
  const bool told = steering_ && !stopping_;
  if (told) manager_.reloading();
  observe::ReloadOutcome outcome;
  try {
    outcome = co_await read_and_apply();
  } catch (const std::exception& failure) {
    outcome.problems.emplace_back(failure.what());
    reloading_ = false;
    announcing_.taken_back();
  }
  if (!outcome.succeeded) health_->discard();
  if (build_wanted_) request_build();
  reload_running_ = false;
  outcome.generation = plane_.publication().current().generation;
  ++(outcome.succeeded ? reloads_.succeeded : reloads_.failed);
  reloads_.last_succeeded = outcome.succeeded;
  reloads_.last_unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count();
  tell(outcome);
  if (told && !stopping_) manager_.ready(status_line(situation()));
  mine->outcome = outcome;
  co_return outcome;
}

void Daemon::tell(const observe::ReloadOutcome& outcome) const {
  for (const std::string& line : outcome.warnings) spdlog::warn("reload: {}", line);
  if (!outcome.succeeded) {
    for (const std::string& line : outcome.problems) spdlog::error("reload: {}", line);
    spdlog::error("reload: {}: {} problem(s); nothing of it is in force", config_file_,
                  outcome.problems.size());
    return;
  }
  for (const std::string& line : outcome.changes) spdlog::info("reload: {}", line);
  spdlog::info("reload: {}: {} change(s), generation {}", config_file_, outcome.changes.size(),
               outcome.generation);
}

asio::awaitable<observe::ReloadOutcome> Daemon::read_and_apply() {
  observe::ReloadOutcome outcome;
  if (!steering_ || stopping_) {
    outcome.problems.emplace_back(stopping_ ? "guidewayd is stopping" : "guidewayd is starting");
    co_return outcome;
  }
  auto read_file = [file = config_file_] { return read(file); };
  auto config = co_await beside(side_, std::move(read_file));
  if (!config) {
    outcome.problems = std::move(config).error();
    co_return outcome;
  }
  const ModelPointer before = in_force_.model;
  outcome.warnings = control::keep_fixed(*before, config->model);
  for (const auto& warning : config->warnings) outcome.warnings.push_back(warning.text());
  const auto wanted = std::make_shared<const control::Model>(std::move(config->model));
  auto applied = co_await apply(wanted, outcome.warnings);
  if (!applied) {
    outcome.problems.push_back(applied.error().text());
    co_return outcome;
  }
  outcome.changes = control::describe_changes(*before, *wanted);
  outcome.succeeded = true;
  co_return outcome;
}

// Interfaces in service that the model has no longer.
std::vector<std::string> Daemon::leaving(const control::Model& wanted) const {
  std::vector<std::string> names;
  for (const auto& unit : plane_.units())
    if (std::ranges::find(wanted.interfaces, unit->config.name, &control::Interface::name) ==
        wanted.interfaces.end())
      names.push_back(unit->config.name);
  return names;
}

// Everything that can fail comes before anything is changed.
asio::awaitable<Result<>> Daemon::apply(ModelPointer wanted, std::vector<std::string>& warnings) {
  plane_.check();
  const std::vector<std::string> lost = plane_.lost();
  std::vector<std::string> ending = leaving(*wanted);
  std::ranges::copy(lost, std::back_inserter(ending));
  auto can_end = co_await await_turns(std::move(ending));
  if (!can_end) co_return can_end;
  if (auto provided = health_->provide(*wanted); !provided) co_return provided;
  auto ports = co_await open_new_ports(wanted, lost);
  if (!ports) co_return std::unexpected(std::move(ports).error());
  const ModelPointer before = in_force_.model;
  if (auto moved = move_metrics(before->metrics, wanted->metrics); !moved) co_return moved;

  co_await prepare_backends(wanted);
  co_await withdraw_what_leaves(wanted);
  reloading_ = true;
  while (building_) co_await pause(kLook);
  auto switched = co_await switch_to(wanted, std::move(*ports));
  reloading_ = false;
  announce_after_reload(*before, *wanted, warnings);
  if (build_wanted_) request_build();
  if (switched) co_return switched;
  if (auto back = watch_next_hops_of(*before, *before); !back)
    spdlog::error("reload: going back: {}", back.error().text());
  if (auto back = move_metrics(wanted->metrics, before->metrics); !back)
    spdlog::error("reload: going back: {}", back.error().text());
  co_return switched;
}

// Backends that come have a next hop and have answered, if they ever will, before others go.
asio::awaitable<void> Daemon::prepare_backends(ModelPointer wanted) {
  const ModelPointer before = in_force_.model;
  if (auto watched = watch_next_hops_of(*wanted, *before); !watched)
    spdlog::warn("reload: {}", watched.error().text());  // asked again, as always
  health_->prepare(*wanted);
  const auto old = before->backend_addresses();
  const auto now = wanted->backend_addresses();
  std::vector<Ipv4Address> fresh;
  std::ranges::set_difference(now, old, std::back_inserter(fresh));
  const auto resolving = [this](Ipv4Address address) {
    const auto* hop = routes_->find(address);
    return hop != nullptr && hop->state == control::NextHop::State::resolving;
  };
  const auto begin = Clock::now();
  while (std::ranges::any_of(fresh, resolving) && Clock::now() < begin + kNextHopPatience)
    co_await pause(kLook);
  const auto patience = control::first_answer_patience(*wanted);
  while (health_->prepared().any_unknown() && Clock::now() < begin + patience)
    co_await pause(kLook);
}

// Interfaces that are new, and those that a program was taken off: these begin anew.
asio::awaitable<Result<Daemon::Ports>> Daemon::open_new_ports(ModelPointer wanted,
                                                              std::vector<std::string> lost) {
  for (const std::string& interface : lost) {
    spdlog::info("{}: attaching it again", interface);
    plane_.remove(interface);
  }
  Ports ports;
  for (const control::Interface& interface : wanted->interfaces) {
    if (plane_.has(interface.name)) continue;
    auto open = [interface] { return DataPlane::open_port(interface); };
    auto port = co_await beside(side_, std::move(open));
    if (!port) {
      Error error = std::move(port).error();
      for (const std::string& gone : lost)
        error.what +=
            "; " + gone + " had lost its program, and is out of service until a reload succeeds";
      co_return std::unexpected(std::move(error));
    }
    ports.emplace_back(interface, std::move(*port));
  }
  co_return ports;
}

// A port that both use can only be listened at once.
Result<> Daemon::move_metrics(const control::Metrics& before, const control::Metrics& wanted) {
  if (before == wanted) return {};
  auto old = std::exchange(metrics_, nullptr);
  if (before.port == wanted.port) old.reset();
  auto server = metrics_server(wanted);
  if (server) {
    metrics_ = std::move(*server);
    return {};
  }
  metrics_ = std::move(old);
  if (!metrics_ && before.port != 0)
    if (auto back = metrics_server(before)) metrics_ = std::move(*back);
  return std::unexpected(std::move(server).error());
}

Result<> Daemon::watch_next_hops_of(const control::Model& one, const control::Model& other) {
  std::vector<Ipv4Address> addresses = one.backend_addresses();
  std::ranges::copy(other.backend_addresses(), std::back_inserter(addresses));
  return routes_->watch(addresses, one.encapsulation.source);
}

Result<> Daemon::add_all(Ports ports) {
  std::vector<std::string> added;
  for (auto& [config, port] : ports) {
    auto done = plane_.add(config, std::move(port));
    if (!done) {
      for (const std::string& interface : added) plane_.remove(interface);
      return done;
    }
    added.push_back(config.name);
  }
  return {};
}

asio::awaitable<Result<>> Daemon::switch_to(ModelPointer wanted, Ports ports) {
  const ModelPointer before = in_force_.model;
  auto wanted_standings = standings(*wanted, health_->prepared());
  auto compiled = co_await build(wanted, wanted_standings);
  if (!compiled) co_return std::unexpected(std::move(compiled).error());
  // Again, as seconds may have gone by: from change_over() on there is no way back.
  std::vector<std::string> ending = leaving(*wanted);
  auto ready = co_await await_turns(std::move(ending));
  if (ready && stopping_) ready = fail("guidewayd is stopping");  // what it has it forwards on
  if (ready) ready = add_all(std::move(ports));
  if (!ready) {
    // Slots have been given all the same, and what is in force is to have its own again.
    plane_.begin_anew(compiled->reused_backends, compiled->reused_services);
    build_wanted_ = true;
    co_return ready;
  }
  co_await change_over(wanted, std::move(wanted_standings), std::move(*compiled));
  // What `guideway log` has set stays, unless the file says something new.
  if (wanted->log.level != before->log.level) {
    log_level_ = wanted->log.level;
    app::apply(log_level_);
  }
  if (auto watched = watch_next_hops_of(*wanted, *wanted); !watched)
    spdlog::warn("reload: {}", watched.error().text());
  co_return Result<>{};
}

// Make before break: what goes is unsteered first, what comes is steered last, when every worker
// knows it.
asio::awaitable<void> Daemon::change_over(ModelPointer wanted,
                                          std::vector<control::PoolStanding> standings,
                                          control::Compiled compiled) {
  const auto after = wanted->endpoints();
  const auto steer = [this](const std::vector<Endpoint>& endpoints) {
    if (auto done = plane_.steer(endpoints); !done) spdlog::error("{}", done.error().text());
  };
  steer(in_both(in_force_.model->endpoints(), after));
  put_in_force(wanted, std::move(standings), std::move(compiled));
  health_->adopt(*wanted);
  await_slow_start();
  co_await await_adoption();
  steer(after);

  for (const std::string& interface : leaving(*wanted)) {
    plane_.remove(interface);
    spdlog::info("{}: detached", interface);
  }
}

asio::awaitable<void> Daemon::await_adoption() {
  const std::uint64_t generation = plane_.publication().current().generation;
  const auto deadline = Clock::now() + kAdoptionPatience;
  while (!plane_.publication().all_adopted(generation)) {
    if (Clock::now() > deadline) {
      spdlog::error("generation {} is not adopted by every worker yet: one of them hangs",
                    generation);
      break;
    }
    co_await pause(kLook);
  }
}

observe::DrainOutcome Daemon::set_drain(const std::string& backend, const std::string& pool,
                                        bool drain) {
  using Kind = observe::DrainOutcome::Kind;
  const control::Model& model = *in_force_.model;
  observe::DrainOutcome outcome;
  const auto named = [&](const auto& one) { return pool.empty() || one.name == pool; };
  if (std::ranges::none_of(model.pools, named)) {
    outcome.kind = Kind::no_such_pool;
    return outcome;
  }
  const auto address = Ipv4Address::parse(backend);
  for (const auto& one : model.pools) {
    if (!address || !named(one)) continue;
    const control::Health::Key key{one.name, *address};
    if (health_->health().find(key) == nullptr) continue;
    outcome.pools.push_back(one.name);
    if (!health_->set_drain(key, drain)) continue;
    outcome.changed = true;
    spdlog::info("pool {}: backend {} is {} by an operator", one.name, backend,
                 drain ? "drained" : "no longer drained");
  }
  if (outcome.pools.empty()) outcome.kind = Kind::no_such_backend;
  if (outcome.changed) request_build();
  return outcome;
}

bool Daemon::set_log_level(const std::string& level) {
  const auto found = std::ranges::find(control::kLogLevelNames, level);
  if (found == control::kLogLevelNames.end()) return false;
  log_level_ = static_cast<control::LogLevel>(found - control::kLogLevelNames.begin());
  app::apply(log_level_);
  spdlog::info("log level {} by an operator", level);
  return true;
}

}  // namespace guideway::app
