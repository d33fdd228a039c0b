// Whether the workers go on, and what the service manager is told (app/service_manager.h).
//
// A worker that stands still is said to the log at once, to the status, to /readyz and to the
// service manager; from then on the daemon does not say that it is alive. It does not ask to be
// killed: a worker that goes on in time is no reason for a restart, and until the watchdog's time
// is over the reason has long been in the journal.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "app/daemon.h"
#include "app/thread_facts.h"

namespace guideway::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A worker goes round its loop every 100 ms at least. On a host that is short of CPU it may have to
// wait for its own: what is shorter than this is not worth a restart.
constexpr milliseconds kPatience{5000};
// How often it is looked, and so how often a STATUS may change.
constexpr milliseconds kStep{1000};
// A worker that does not go round within this time would not end in the time that it is given for
// that either (data_plane.cpp).
constexpr milliseconds kTurnPatience{5000};
// How often it is looked whether it has.
constexpr milliseconds kTurnLook{5};

milliseconds whole(std::chrono::microseconds time) {
  return std::chrono::duration_cast<milliseconds>(time);
}

// For a short watchdog: a stall is to be told before it is punished.
milliseconds patience_within(const ServiceManager& manager) {
  return manager.watchdog() ? std::min(kPatience, whole(*manager.watchdog() / 2)) : kPatience;
}

milliseconds step_within(const ServiceManager& manager) {
  const milliseconds step =
      manager.watchdog() ? std::min(kStep, whole(*manager.watchdog() / 5)) : kStep;
  return std::max(step, milliseconds(10));
}

double in_seconds(Progress::Duration time) { return std::chrono::duration<double>(time).count(); }

void tell_of(const Unit& unit, const Lane& lane, const Progress::Change& change) {
  const dataplane::Worker& worker = *lane.worker;
  if (change.stalled)
    spdlog::error(
        "{}: worker {} of queue {} (CPU {}, thread {}) has not gone round its loop for {:.1f} s: "
        "{}; not ready until it goes on",
        unit.config.name, worker.name(), lane.socket->queue(), worker.cpu(), worker.thread_id(),
        in_seconds(change.still), describe_thread(worker.thread_id()));
  else
    spdlog::warn("{}: worker {} of queue {} goes on, after it had stood still for {:.1f} s",
                 unit.config.name, worker.name(), lane.socket->queue(), in_seconds(change.still));
}

}  // namespace

Progress Daemon::progress_for(const ServiceManager& manager) {
  return {patience_within(manager), step_within(manager)};
}

void Daemon::supervise() {
  look_at_workers();
  announce();
  const auto now = std::chrono::steady_clock::now();
  // So that two looks in a row may come late.
  const bool due = manager_.watchdog() && now - fed_ >= *manager_.watchdog() / 4;
  if (due && !progress_.any_stalled()) {
    manager_.alive();
    fed_ = now;
  }
  if (steering_ && now - told_ >= kStep) {
    manager_.status(status_line(situation()));
    told_ = now;
  }
  supervision_timer_.expires_after(step_within(manager_));
  supervision_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) supervise();
  });
}

void Daemon::look_at_workers() {
  const auto workers = turns_of(plane_.units());
  for (const auto& change : progress_.look(workers, std::chrono::steady_clock::now()))
    for (const auto& unit : plane_.units())
      for (const Lane& lane : unit->lanes)
        if (lane.worker->name() == change.key) tell_of(*unit, lane, change);
}

seconds Daemon::stalled_for(const Lane& lane) const {
  return std::chrono::duration_cast<seconds>(progress_.stalled_for(lane.worker->name()));
}

// To take an interface out is to wait until its workers have ended, and one that hangs ends the
// daemon (last_resort.h). So all of them are to go round their loop once more before. What is known
// to hang is not waited for. Time counts only as far as it was looked, as in progress.h.
boost::asio::awaitable<Result<>> Daemon::await_turns(std::vector<std::string> interfaces) {
  struct Awaited {
    std::string interface, worker;
    const WorkerCounters* counters;
    std::uint64_t turns;
  };
  std::vector<Awaited> awaited;
  for (const auto& unit : plane_.units())
    for (const Lane& lane : unit->lanes)
      if (std::ranges::find(interfaces, unit->config.name) != interfaces.end())
        awaited.push_back({unit->config.name, lane.worker->name(), lane.counters.get(),
                           lane.counters->turns.get()});
  look_at_workers();
  const auto goes_on = [](const Awaited& one) { return one.counters->turns.get() != one.turns; };
  const auto hangs = [this](const Awaited& one) {
    return progress_.stalled_for(one.worker).count() > 0;
  };
  for (milliseconds left = kTurnPatience;; left -= kTurnLook) {
    std::erase_if(awaited, goes_on);
    if (awaited.empty()) co_return Result<>{};
    auto late = std::ranges::find_if(awaited, hangs);
    if (late == awaited.end() && left.count() <= 0) late = awaited.begin();
    if (late != awaited.end())
      co_return fail("taking interface " + late->interface + " out of service: its worker " +
                         late->worker + " hangs, and cannot be ended",
                     "systemctl restart guideway");
    co_await pause(kTurnLook);
  }
}

Situation Daemon::situation() const {
  Situation told;
  told.phase = stopping_   ? Situation::Phase::draining
               : steering_ ? Situation::Phase::forwarding
                           : Situation::Phase::starting;
  for (const auto& unit : plane_.units()) {
    const auto& steering = unit->port->steering();
    told.interfaces.push_back(
        {.name = unit->config.name,
         .attachment =
             unit->health.attached ? std::string(xdp::name(steering.mode())) : std::string("lost"),
         .mode = unit->lanes.empty() ? std::string()
                                     : std::string(xdp::name(unit->lanes.front().socket->mode()))});
    for (const Lane& lane : unit->lanes)
      if (progress_.stalled_for(lane.worker->name()).count() > 0)
        told.stalled.push_back(lane.worker->name());
  }
  // One that a reload could not attach again is not in the data plane at all.
  for (const auto& wanted : in_force_.model->interfaces)
    if (steering_ && !plane_.has(wanted.name))
      told.interfaces.push_back({.name = wanted.name, .attachment = "lost", .mode = {}});
  for (const auto& pool : in_force_.model->pools)
    for (const auto& backend : pool.backends) {
      const auto* health = health_->health().find({pool.name, backend.address});
      ++told.backends;
      if (health == nullptr || health->state == control::HealthState::up ||
          health->state == control::HealthState::unchecked)
        ++told.backends_up;
    }
  told.generation = plane_.publication().current().generation;
  told.reload_failed = !reloads_.last_succeeded;
  return told;
}

}  // namespace guideway::app
