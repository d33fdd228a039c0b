// From what changed (health, next hops, drains, the model) to the snapshot in force.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "app/beside.h"
#include "app/daemon.h"

namespace guideway::app {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// A retired snapshot waits for the workers: an idle one looks every 100 ms.
constexpr auto kReclaimPause = std::chrono::milliseconds(100);

// Clients on an Ethernet send packets of up to this size unless told otherwise.
constexpr std::uint16_t kUsualMtu = 1500;

struct HashAddress {
  std::size_t operator()(Ipv4Address address) const {
    return std::hash<std::uint32_t>()(address.host());
  }
};
using NextHops = std::unordered_map<Ipv4Address, control::NextHop, HashAddress>;

}  // namespace

std::vector<control::PoolStanding> Daemon::standings(const control::Model& model,
                                                     const control::Health& health) {
  std::vector<control::PoolStanding> all;
  all.reserve(model.pools.size());
  standings_of_ = Clock::now();
  for (const auto& pool : model.pools) all.push_back(health.standing(pool, standings_of_));
  return all;
}

// What the other thread works on are copies, or its own.
asio::awaitable<Result<control::Compiled>> Daemon::build(
    ModelPointer model, std::vector<control::PoolStanding> standings) {
  auto hops = std::make_shared<NextHops>();
  for (const auto& pool : model->pools)
    for (const auto& backend : pool.backends)
      if (const auto* hop = routes_->find(backend.address))
        hops->try_emplace(backend.address, *hop);
  const std::uint64_t generation = ++generation_;
  auto compile = [this, model, hops, generation, wanted = std::move(standings)] {
    const auto find = [&](Ipv4Address address) -> const control::NextHop* {
      const auto found = hops->find(address);
      return found == hops->end() ? nullptr : &found->second;
    };
    return compiler_.compile(*model, wanted, find, generation, Clock::now());
  };
  co_return co_await beside(side_, std::move(compile));
}

void Daemon::request_build() {
  build_wanted_ = true;
  if (building_ || reloading_ || !plane_.begun()) return;
  building_ = true;
  asio::co_spawn(io_, build_wanted(), asio::detached);
}

asio::awaitable<void> Daemon::build_wanted() {
  try {
    co_await build_while_wanted();
  } catch (const std::exception& failure) {  // no memory, most likely: the next change tries again
    spdlog::error("keeping generation {}: {}", plane_.publication().current().generation,
                  failure.what());
  }
  building_ = false;
}

asio::awaitable<void> Daemon::build_while_wanted() {
  while (build_wanted_ && !reloading_) {
    build_wanted_ = false;
    const ModelPointer model = in_force_.model;
    auto wanted = standings(*model, health_->health());
    auto compiled = co_await build(model, wanted);
    if (compiled)
      put_in_force(model, std::move(wanted), std::move(*compiled));
    else
      spdlog::error("keeping generation {}: {}", plane_.publication().current().generation,
                    compiled.error().text());
  }
}

void Daemon::put_in_force(ModelPointer model, std::vector<control::PoolStanding> standings,
                          control::Compiled compiled) {
  const std::uint64_t digest = model == in_force_.model ? in_force_.digest : model->fleet_digest();
  const InForce before = std::exchange(in_force_, {.model = std::move(model),
                                                   .standings = std::move(standings),
                                                   .slots = std::move(compiled.slots),
                                                   .tables = std::move(compiled.tables),
                                                   .digest = digest,
                                                   .removed_backends = {},
                                                   .removed_services = {}});
  if (before.model != in_force_.model) {
    note_removed();
  } else {
    in_force_.removed_backends = before.removed_backends;
    in_force_.removed_services = before.removed_services;
  }
  plane_.begin_anew(compiled.reused_backends, compiled.reused_services);
  plane_.publish(std::move(compiled.snapshot));
  spdlog::debug("published generation {}", plane_.publication().current().generation);
  if (steering_) tell_pools(before);
  if (steering_) announce();
  warn_of_egress();
  reclaim_later();
  await_slow_start();
}

void Daemon::note_removed() {
  const control::Model& model = *in_force_.model;
  std::set<BackendSlot> backends;
  for (const auto& pool : model.pools)
    for (const auto& backend : pool.backends)
      if (const auto slot = in_force_.slots->backend(pool.name, backend.address))
        backends.insert(*slot);
  for (const auto& [key, slot] : in_force_.slots->backends)
    if (!backends.contains(slot)) in_force_.removed_backends.push_back(slot);
  std::set<ServiceSlot> services;
  for (const Endpoint& endpoint : model.endpoints())
    if (const auto slot = in_force_.slots->service(endpoint)) services.insert(*slot);
  for (const auto& [endpoint, slot] : in_force_.slots->services)
    if (!services.contains(slot)) in_force_.removed_services.push_back(slot);
}

// What has become of each pool. One that was not there before is told of as if it had been healthy.
void Daemon::tell_pools(const InForce& before) const {
  std::map<std::string_view, const control::PoolStanding*> standings;
  for (std::size_t i = 0; before.model && i < before.model->pools.size(); ++i)
    standings.emplace(before.model->pools[i].name, &before.standings[i]);
  for (std::size_t i = 0; i < in_force_.model->pools.size(); ++i) {
    const auto& pool = in_force_.model->pools[i];
    const control::PoolStanding healthy{
        .backends = {}, .healthy = pool.min_healthy, .empty = false};
    const auto known = standings.find(pool.name);
    health_->tell_pool(pool, known == standings.end() ? healthy : *known->second,
                       in_force_.standings[i]);
  }
}

void Daemon::reclaim_later() {
  if (plane_.reclaim() == 0) return;
  reclaim_timer_.expires_after(kReclaimPause);
  reclaim_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) reclaim_later();
  });
}

void Daemon::await_slow_start() {
  // Of the time of what is in force: a step that came while it was compiled is due at once.
  const auto next = health_->health().next_step(*in_force_.model, standings_of_);
  if (!next) {
    slow_start_timer_.cancel();
    return;
  }
  slow_start_timer_.expires_at(*next);
  slow_start_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) request_build();
  });
}

// Says once for each device what makes packets towards backends be dropped.
void Daemon::warn_of_egress() {
  for (const Backend& backend : plane_.publication().current().backends) {
    if (backend.egress_device == 0) continue;
    const auto leaves_here = [&](const auto& unit) {
      return unit->port->nic().index == backend.egress_device;
    };
    if (!std::ranges::all_of(plane_.units(), leaves_here) &&
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

}  // namespace guideway::app
