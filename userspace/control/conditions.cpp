#include "control/conditions.h"

#include <cstddef>
#include <string>
#include <utility>

namespace guideway::control {
namespace {

// With `on_empty: all` an empty pool's backends have their weight all the same.
bool takes_flows(const PoolStanding& standing, std::size_t backend) {
  return !standing.empty && standing.backends[backend].weight > 0;
}

struct Usable {
  std::size_t all = 0;
  std::size_t without_next_hop = 0;  // that would take flows
};

Usable usable_of(const PoolConfig& pool, const PoolStanding& standing,
                 const Reachability& reachability) {
  Usable usable;
  for (std::size_t i = 0; i < pool.backends.size(); ++i)
    if (takes_flows(standing, i))
      ++(reachability.reaches(pool.backends[i].address) ? usable.all : usable.without_next_hop);
  return usable;
}

std::string why_not(const PoolConfig& pool, const Usable& usable) {
  std::string why = "pool " + pool.name + ": " + std::to_string(usable.all) + " of " +
                    std::to_string(pool.backends.size()) + " backends usable, " +
                    std::to_string(pool.min_healthy) + " needed";
  if (usable.without_next_hop > 0)
    why += " (" + std::to_string(usable.without_next_hop) + " without a next hop)";
  return why;
}

}  // namespace

void Reachability::look(const Model& model, const FindNextHop& next_hop, Time now) {
  const auto before = std::exchange(reached_, {});
  for (const PoolConfig& pool : model.pools)
    for (const BackendConfig& backend : pool.backends) {
      const NextHop* hop = next_hop(backend.address);
      if (hop == nullptr) continue;
      if (hop->state == NextHop::State::resolved) {
        reached_[backend.address] = std::nullopt;
        continue;
      }
      const auto was = before.find(backend.address);
      if (hop->state != NextHop::State::resolving || was == before.end()) continue;
      const Time until = was->second.value_or(now + kPatience);
      if (now < until) reached_[backend.address] = until;
    }
}

bool Reachability::reaches(Ipv4Address backend) const { return reached_.contains(backend); }

std::vector<bgp::ServiceCondition> service_conditions(const Model& model,
                                                      std::span<const PoolStanding> standings,
                                                      const Reachability& reachability) {
  std::vector<std::string> troubles;  // by pool; empty: none
  troubles.reserve(model.pools.size());
  for (std::size_t i = 0; i < model.pools.size(); ++i) {
    const Usable usable = usable_of(model.pools[i], standings[i], reachability);
    troubles.push_back(usable.all >= model.pools[i].min_healthy ? std::string()
                                                                : why_not(model.pools[i], usable));
  }
  std::vector<bgp::ServiceCondition> conditions;
  conditions.reserve(model.services.size());
  for (const ServiceConfig& service : model.services)
    conditions.push_back({.service = service.name,
                          .vip = boost::asio::ip::address_v4(service.vip.host()),
                          .good = troubles[service.pool].empty(),
                          .why = troubles[service.pool]});
  return conditions;
}

bool any_resolving(const Model& model, std::span<const PoolStanding> standings,
                   const FindNextHop& next_hop) {
  for (std::size_t pool = 0; pool < model.pools.size(); ++pool)
    for (std::size_t i = 0; i < model.pools[pool].backends.size(); ++i) {
      if (!takes_flows(standings[pool], i)) continue;
      const NextHop* hop = next_hop(model.pools[pool].backends[i].address);
      if (hop != nullptr && hop->state == NextHop::State::resolving) return true;
    }
  return false;
}

}  // namespace guideway::control
