// Snapshots for tests and benchmarks, from short descriptions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "state/snapshot.h"

namespace guideway::test {

inline constexpr std::uint32_t kEgressDevice = 4;
inline constexpr MacAddress kDeviceMac{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr MacAddress kNextHopMac{{0x02, 0, 0, 0, 0, 0xaa}};

// The address of the backend in `slot`: 10.1.0.0 and up, so that a packet says where it was sent.
[[nodiscard]] inline Ipv4Address backend_address(std::uint32_t slot) {
  return Ipv4Address(Be32(0x0a010000U + slot));
}

struct BackendSpec {
  std::uint32_t slot = 0;
  std::uint32_t weight = 1;  // 0: in the pool, but not in its table
  bool usable = true;        // false: neither in the table nor may it keep its flows
  std::uint32_t device = kEgressDevice;
  std::uint16_t mtu = 9000;
};

struct ServiceSpec {
  Endpoint at;
  std::uint32_t slot = 0;
  std::uint32_t pool = 0;  // position in `pools`
};

struct SnapshotSpec {
  std::uint64_t generation = 1;
  gw_hash_seed seed{0x0123456789abcdef, 0xfedcba9876543210};
  std::vector<std::vector<BackendSpec>> pools{};
  std::vector<ServiceSpec> services{};
  std::uint32_t table_size = 65537;
};

[[nodiscard]] inline Pool build_pool(const std::vector<BackendSpec>& backends,
                                     std::uint32_t table_size) {
  Pool pool;
  std::vector<std::array<std::byte, 4>> identities(backends.size());
  std::vector<maglev::Member> members;
  for (std::size_t i = 0; i < backends.size(); ++i) {
    const Be32 address = backend_address(backends[i].slot).wire();
    std::memcpy(identities[i].data(), &address, 4);
    members.push_back({identities[i], backends[i].usable ? backends[i].weight : 0});
    pool.members.push_back(BackendSlot{backends[i].slot});
  }
  pool.table = std::make_shared<maglev::Table>(maglev::Table::build(members, table_size));
  return pool;
}

[[nodiscard]] inline Snapshot build_snapshot(const SnapshotSpec& spec) {
  Snapshot snapshot;
  snapshot.generation = spec.generation;
  snapshot.seed = spec.seed;
  snapshot.services = ServiceIndex(spec.services.size());
  for (const ServiceSpec& service : spec.services)
    snapshot.services.insert(service.at, {.slot = {service.slot}, .pool = {service.pool}});
  for (std::uint32_t pool = 0; pool < spec.pools.size(); ++pool) {
    snapshot.pools.push_back(build_pool(spec.pools[pool], spec.table_size));
    for (const BackendSpec& backend : spec.pools[pool]) {
      if (snapshot.backends.size() <= backend.slot) snapshot.backends.resize(backend.slot + 1);
      Backend& slot = snapshot.backends[backend.slot];
      slot.outer = make_outer_template(kDeviceMac, kNextHopMac, Ipv4Address(Be32(0xc0000201)),
                                       backend_address(backend.slot));
      slot.egress_device = backend.device;
      slot.egress_mtu = backend.mtu;
      slot.usable = backend.usable;
      slot.pool = {pool};
    }
  }
  return snapshot;
}

}  // namespace guideway::test
