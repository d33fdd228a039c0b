// Everything that the data plane decides by, in one immutable object: what passes from the control
// thread to the workers. Compiled as a whole, published as a whole, never changed.
//
// Plain arrays of fixed-size values wherever a packet looks, so that they could be maps in the
// kernel one day. Slots (backends, services) are numbers that the compiler of snapshots gives out
// and that mean the same in each generation: flow tables and counters are kept by them.
//
// Threads: built by one, then read by all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bpf/abi.h"
#include "core/strong_id.h"
#include "maglev/table.h"
#include "net/address.h"
#include "net/encapsulation.h"

namespace guideway {

using BackendSlot = StrongId<struct BackendSlotTag>;
using ServiceSlot = StrongId<struct ServiceSlotTag>;
using PoolIndex = StrongId<struct PoolIndexTag>;  // of one generation only

// Slots are below these, so that counters can be allocated once.
inline constexpr std::uint32_t kMaxBackendSlots = 65536;
inline constexpr std::uint32_t kMaxServiceSlots = 32768;

// One backend of one pool, as a packet needs it. An address that is in two pools has two slots.
struct alignas(64) Backend {
  OuterTemplate outer{};
  std::uint32_t egress_device = 0;  // interface index; 0: the next hop is not resolved
  std::uint16_t egress_mtu = 0;     // bytes of the outer IP packet at most
  bool usable = false;              // may keep the flows that it has
  PoolIndex pool{};
};
static_assert(sizeof(Backend) == 64, "one cache line a backend");

struct Service {
  ServiceSlot slot{};
  PoolIndex pool{};
};

// One pool: who owns which part of the hash space.
struct Pool {
  std::shared_ptr<const maglev::Table> table;  // shared with other generations; never null
  std::vector<BackendSlot> members;            // what the table's entries are positions in

  // The backend of new flows with this hash, or nullopt where nobody is to be chosen.
  [[nodiscard]] std::optional<BackendSlot> choose(std::uint64_t hash) const {
    if (table->empty()) return std::nullopt;
    return members[table->member_at(gw_table_slot(hash, table->size()))];
  }
};

// Services by what a packet is addressed to: open addressing, at most a quarter full, so that the
// first look is nearly always the last.
class ServiceIndex {
 public:
  ServiceIndex() : ServiceIndex(0) {}
  // For `services` insertions.
  explicit ServiceIndex(std::size_t services);

  // REQUIRES: `at` was not inserted before; no more insertions than announced.
  void insert(const Endpoint& at, Service service);

  // The service that a packet of `flow` is for, or nullptr. Lives as long as the index.
  [[nodiscard]] const Service* find(const gw_flow_key& flow) const {
    const std::uint64_t key = pack(flow.destination_address, flow.destination_port, flow.protocol);
    for (std::size_t i = start(key);; i = (i + 1) & mask_) {
      if (cells_[i].key == kFree) return nullptr;
      if (cells_[i].key == key) return &cells_[i].service;
    }
  }

 private:
  static constexpr std::uint64_t kFree = 0;  // protocol 0 is nobody's
  struct Cell {
    std::uint64_t key = kFree;
    Service service{};
  };
  static_assert(sizeof(Cell) == 16);

  // Where to look first: multiplicative hashing (Knuth, volume 3, section 6.4). Cheap, and enough
  // for keys that the operator chose.
  [[nodiscard]] std::size_t start(std::uint64_t key) const {
    return (key * 0x9e3779b97f4a7c15ULL >> 40) & mask_;
  }
  static std::uint64_t pack(std::uint32_t address, std::uint16_t port, std::uint8_t protocol) {
    return address | std::uint64_t{port} << 32 | std::uint64_t{protocol} << 48;
  }

  std::size_t mask_;
  std::vector<Cell> cells_;
};

struct Snapshot {
  std::uint64_t generation = 0;  // from 1, one more for each publication
  gw_hash_seed seed{};
  ServiceIndex services;
  std::vector<Pool> pools;        // by PoolIndex
  std::vector<Backend> backends;  // by BackendSlot
};

}  // namespace guideway
