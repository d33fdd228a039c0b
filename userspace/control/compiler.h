// From what the operator wants (Model) and what the world is like (next hops) to what packets are
// decided by (Snapshot).
//
// The compiler keeps what has to outlive a generation: which slot stands for which backend of which
// pool and for which service, so that flow tables and counters stay true, and the Maglev tables of
// pools that did not change, so that a neighbour's new MAC address costs no table build.
//
// Invariants:
// 1. A slot stands for one backend of one pool, or one service, as long as the process lives: that
// of
//    one that left is kept for its return, and never given to another.
// 2. A Maglev table depends on the pool's table size and on the (address, weight) of its backends
// with
//    a weight above 0, and on nothing else. The identity of a backend in it is the four bytes of
//    its address in network byte order.
// 3. A compilation that fails changes nothing.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/model.h"
#include "control/routes.h"
#include "core/result.h"
#include "state/snapshot.h"

namespace guideway::control {

class Compiler {
 public:
  using FindNextHop = std::function<const NextHop*(Ipv4Address)>;

  // A whole snapshot with `generation`. `next_hop` answers nullptr for "not known". Fails when the
  // slots of this process are used up (kMaxBackendSlots, kMaxServiceSlots).
  //
  // A backend of weight 0 is in no table, but keeps the flows that it has. One whose next hop is
  // not resolved stays in the table, with egress device 0: its packets are dropped and counted
  // until then, and its flows do not wander off to others and back.
  [[nodiscard]] Result<std::unique_ptr<const Snapshot>> compile(const Model& model,
                                                                const FindNextHop& next_hop,
                                                                std::uint64_t generation);

  // The slots given out so far, also to those that have left, for who shows counters.
  [[nodiscard]] std::optional<BackendSlot> backend_slot(const std::string& pool,
                                                        Ipv4Address address) const;
  [[nodiscard]] std::optional<ServiceSlot> service_slot(const Endpoint& endpoint) const;

 private:
  using Members = std::vector<std::pair<Ipv4Address, std::uint32_t>>;  // weights above 0, sorted
  struct CachedTable {
    Members members;
    std::uint32_t size = 0;
    std::shared_ptr<const maglev::Table> table;
  };
  using Tables = std::map<std::string, CachedTable>;  // by pool

  [[nodiscard]] Result<> reserve_slots(const Model& model);
  [[nodiscard]] CachedTable table_of(const PoolConfig& pool) const;

  std::map<std::pair<std::string, Ipv4Address>, BackendSlot> backend_slots_;
  std::map<Endpoint, ServiceSlot> service_slots_;
  Tables tables_;  // of the last compilation
};

}  // namespace guideway::control
