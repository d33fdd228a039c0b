// From what the operator wants (Model) and what the world is like (next hops) to what packets are
// decided by (Snapshot).
//
// The compiler keeps what has to outlive a generation: which slot stands for which backend of which
// pool and for which service, so that flow tables and counters stay true, and the Maglev tables of
// pools that did not change, so that a neighbour's new MAC address costs no table build.
//
// Invariants:
// 1. A slot stands for one backend of one pool, or one service. That of one that left is kept for
//    its return; only when no slot is left that was never used, and the quarantine is over, another
//    gets it, the longest gone first. The quarantine outlasts every entry of a flow table that
//    names the slot.
// 2. A Maglev table depends on the pool's table size and on the (address, weight) of those with a
//    weight above 0 by their standing, and on nothing else. The identity of a backend in it is the
//    four bytes of its address in network byte order.
// 3. A compilation that fails changes nothing.
//
// Threads: one at a time; it need not be the control thread, as tables take their time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/health.h"
#include "control/model.h"
#include "control/routes.h"
#include "core/result.h"
#include "state/snapshot.h"

namespace guideway::control {

// Which slot stands for whom, also for those that have left and may come back. Immutable.
struct Slots {
  std::map<std::pair<std::string, Ipv4Address>, BackendSlot> backends;
  std::map<Endpoint, ServiceSlot> services;

  [[nodiscard]] std::optional<BackendSlot> backend(const std::string& pool,
                                                   Ipv4Address address) const;
  [[nodiscard]] std::optional<ServiceSlot> service(const Endpoint& endpoint) const;
};

// A Maglev table and what there is to say about it.
struct PoolTable {
  using Members = std::vector<std::pair<Ipv4Address, std::uint32_t>>;  // weights above 0, sorted
  Members members;
  std::uint32_t size = 0;
  std::shared_ptr<const maglev::Table> table;
  std::vector<std::uint32_t> entries;  // of each member
  // 48 bits over size, members' addresses and entries: equal on two load balancers whose tables
  // are. A number of that size is exact in a double, which is all that Prometheus knows.
  std::uint64_t digest = 0;

  // How many entries a backend has.
  [[nodiscard]] std::uint32_t entries_of(Ipv4Address backend) const;
};

// The Maglev table that a pool has by these standings (invariant 2): `other`, if it is the same.
[[nodiscard]] std::shared_ptr<const PoolTable> build_pool_table(
    const PoolConfig& pool, const PoolStanding& standing,
    std::shared_ptr<const PoolTable> other = nullptr);

struct Compiled {
  std::unique_ptr<const Snapshot> snapshot;
  std::shared_ptr<const Slots> slots;
  std::vector<std::shared_ptr<const PoolTable>> tables;  // by pool of the model
  // Slots that another had before: what was counted for them is that one's.
  std::vector<BackendSlot> reused_backends;
  std::vector<ServiceSlot> reused_services;
};

class Compiler {
 public:
  using FindNextHop = std::function<const NextHop*(Ipv4Address)>;
  using Time = std::chrono::steady_clock::time_point;

  // `quarantine`: longer than a flow table remembers a flow.
  explicit Compiler(std::chrono::seconds quarantine) : quarantine_(quarantine) {}

  // A whole snapshot with `generation`. `standings` has one for each pool. `next_hop` answers
  // nullptr for "not known". Fails when the slots are used up (kMaxBackendSlots, kMaxServiceSlots).
  //
  // A backend of weight 0 is in no table, but keeps the flows that it has if it is usable. One
  // whose next hop is not resolved stays in the table, with egress device 0: its packets are
  // dropped and counted until then, and its flows do not wander off to others and back.
  [[nodiscard]] Result<Compiled> compile(const Model& model,
                                         std::span<const PoolStanding> standings,
                                         const FindNextHop& next_hop, std::uint64_t generation,
                                         Time now);

 private:
  template <class Key>
  using Left = std::map<Key, Time>;  // who has a slot and is not in the model, and since when
  using Tables = std::map<std::string, std::shared_ptr<const PoolTable>>;  // by pool

  [[nodiscard]] Result<> reserve_slots(const Model& model, Time now, Compiled& compiled);
  [[nodiscard]] std::shared_ptr<const PoolTable> table_of(const PoolConfig& pool,
                                                          const PoolStanding& standing) const;

  std::chrono::seconds quarantine_;
  std::shared_ptr<const Slots> slots_ = std::make_shared<const Slots>();
  Left<std::pair<std::string, Ipv4Address>> left_backends_;
  Left<Endpoint> left_services_;
  Tables tables_;  // of the last compilation
};

}  // namespace guideway::control
