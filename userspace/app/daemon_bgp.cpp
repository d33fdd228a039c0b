// What routers are told of the VIPs: Daemon's side of app/announcing.h.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>

#include "app/daemon.h"

namespace guideway::app {
namespace {

namespace asio = boost::asio;

// A neighbour that is there answers within milliseconds.
constexpr std::chrono::seconds kNextHopPatience{1};

}  // namespace

// Why this load balancer must get no traffic; empty: it may.
std::string Daemon::trouble() const {
  if (!steering_) return "guidewayd is starting";
  for (const auto& interface : in_force_.model->interfaces)
    if (!plane_.has(interface.name)) return "interface " + interface.name + " is not in service";
  if (const auto lost = plane_.lost(); !lost.empty())
    return "interface " + lost.front() + " has lost its program";
  for (const auto& unit : plane_.units())
    for (const Lane& lane : unit->lanes)
      if (progress_.stalled_for(lane.worker->name()).count() > 0)
        return "worker " + lane.worker->name() + " is stalled";
  return {};
}

// What is not known yet is no reason to take back what a former guidewayd has announced.
bool Daemon::knows_what_to_announce() const {
  if (!steering_) return false;
  const auto find = [this](Ipv4Address address) { return routes_->find(address); };
  return std::chrono::steady_clock::now() > steering_since_ + kNextHopPatience ||
         !control::any_resolving(*in_force_.model, in_force_.standings, find);
}

Announcing::Situation Daemon::announcing_situation() const {
  return {.model = *in_force_.model,
          .standings = in_force_.standings,
          .next_hop = [this](Ipv4Address address) { return routes_->find(address); },
          .trouble = trouble(),
          .stopping = stopping_,
          .known = knows_what_to_announce()};
}

// Not in the middle of a reload, whose services are not all steered yet: it calls this in the end.
void Daemon::announce() {
  if (routes_ && (!reloading_ || stopping_)) announcing_.look(announcing_situation());
}

observe::RoleOutcome Daemon::set_role(const std::string& role) {
  const auto outcome = announcing_.set_role(*in_force_.model, role);
  if (outcome.changed) announce();
  return outcome;
}

// Make before break: what a reload takes out is withdrawn, and the drain time waited, while it is
// still forwarded.
asio::awaitable<void> Daemon::withdraw_what_leaves(ModelPointer wanted) {
  const Announcing::Situation now = announcing_situation();
  const auto leaving = co_await announcing_.withdraw_what_leaves(now, *wanted);
  const auto drain = in_force_.model->shutdown.drain;
  if (leaving == Announcing::Leaving::nothing || drain.count() == 0) co_return;
  spdlog::info("reload: {}; forwarding for {} s more",
               leaving == Announcing::Leaving::withdrawn ? "withdrawn" : "not withdrawn yet",
               drain.count());
  const auto end = std::chrono::steady_clock::now() + drain;
  // If the daemon is stopped meanwhile nothing is taken out any more (switch_to).
  while (!stopping_ && std::chrono::steady_clock::now() < end)
    co_await pause(std::chrono::milliseconds(50));
}

// Whether it succeeded is seen by the model that is in force.
void Daemon::announce_after_reload(const control::Model& before, const control::Model& wanted,
                                   std::vector<std::string>& warnings) {
  if (in_force_.model.get() != &wanted)
    announcing_.taken_back();
  else if (auto warning = announcing_.taken_over(before, wanted); !warning.empty())
    warnings.push_back(std::move(warning));
  announce();
}

// Routers hear of it first; then the drain time begins.
asio::awaitable<void> Daemon::withdraw_and_drain() {
  announce();
  co_await announcing_.settled();
  const auto drain = in_force_.model->shutdown.drain;
  if (drain.count() == 0) {
    io_.stop();
    co_return;
  }
  drain_timer_.expires_after(drain);
  drain_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    spdlog::info("drained: stopping");
    manager_.status("drained, stopping");
    io_.stop();
  });
}

// A signal that came while guidewayd started, a second one, no drain time, a speaker that was slow:
// routes are not left to lead packets to nobody. Packets are still forwarded.
void Daemon::withdraw_the_rest() {
  if (const auto done = announcing_.withdraw_the_rest(*in_force_.model); !done)
    spdlog::error(
        "bgp: {}; routes may be left, and lead to nobody: when it answers, guidewayd --withdraw {}",
        done.error().text(), config_file_);
}

}  // namespace guideway::app
