// Which services can be served, by the tables and next hops in force: what decides whether their
// VIPs are announced (bgp/announcements.h).
//
// Pure. Threads: any.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "bgp/announcements.h"
#include "control/health.h"
#include "control/model.h"
#include "control/routes.h"

namespace guideway::control {

// nullptr: not known.
using FindNextHop = std::function<const NextHop*(Ipv4Address)>;

// Which backends packets get to. A neighbour that was there and is asked for anew, as after a flush
// of the table, has kPatience to answer, which it does within milliseconds: no reason to withdraw a
// route, and to damp it.
class Reachability {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kPatience{1};

  // Takes the next hops of all backends of the model as they are now.
  void look(const Model& model, const FindNextHop& next_hop, Time now);
  // Whether the next hop of a backend is resolved, or was a moment ago.
  [[nodiscard]] bool reaches(Ipv4Address backend) const;

 private:
  struct Hash {
    std::size_t operator()(Ipv4Address address) const {
      return std::hash<std::uint32_t>()(address.host());
    }
  };
  // Of each that is reached, the time until which it is without being resolved; none: it is.
  std::unordered_map<Ipv4Address, std::optional<Time>, Hash> reached_;
};

// One for each service of the model, in its order. A service is well if its pool has at least
// `min_healthy` backends that take new flows for their own sake (not as `on_empty: all` has it) and
// are reached. REQUIRES: `standings` are of the model's pools, in their order.
[[nodiscard]] std::vector<bgp::ServiceCondition> service_conditions(
    const Model& model, std::span<const PoolStanding> standings, const Reachability& reachability);

// Whether the neighbour of a backend that would take flows was asked for and has not answered yet:
// what is not known yet is no reason to withdraw a route.
[[nodiscard]] bool any_resolving(const Model& model, std::span<const PoolStanding> standings,
                                 const FindNextHop& next_hop);

}  // namespace guideway::control
