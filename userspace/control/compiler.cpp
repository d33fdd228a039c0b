#include "control/compiler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

namespace guideway::control {
namespace {

Result<> check_room(std::string_view what, std::size_t given_out, std::size_t needed,
                    std::size_t limit) {
  if (given_out + needed <= limit) return {};
  return fail("compiling a snapshot: " + std::to_string(needed) + " new " + std::string(what) +
                  " on top of " + std::to_string(given_out) +
                  " that this process has had are more than its " + std::to_string(limit) +
                  " slots",
              "slots of " + std::string(what) + " that left are free again after a restart");
}

// How a packet gets to `address`, as far as it is known.
Backend make_backend(Ipv4Address source, Ipv4Address address, const NextHop* hop, PoolIndex pool) {
  Backend backend;
  backend.usable = true;
  backend.pool = pool;
  if (hop == nullptr || hop->state != NextHop::State::resolved) return backend;
  backend.outer = make_outer_template(hop->device_mac, hop->mac, source, address);
  backend.egress_device = hop->device;
  backend.egress_mtu = hop->mtu;
  return backend;
}

}  // namespace

// Gives a slot to whom has none yet, in the order of the model; to all or, failing, to none.
Result<> Compiler::reserve_slots(const Model& model) {
  std::vector<std::pair<std::string, Ipv4Address>> new_backends;
  for (const PoolConfig& pool : model.pools)
    for (const BackendConfig& backend : pool.backends)
      if (!backend_slot(pool.name, backend.address))
        new_backends.emplace_back(pool.name, backend.address);
  std::vector<Endpoint> new_services;
  for (const ServiceConfig& service : model.services)
    for (const Endpoint& endpoint : service.endpoints)
      if (!service_slot(endpoint)) new_services.push_back(endpoint);

  auto room = check_room("backends", backend_slots_.size(), new_backends.size(), kMaxBackendSlots);
  if (room)
    room = check_room("services", service_slots_.size(), new_services.size(), kMaxServiceSlots);
  if (!room) return room;

  // No slot is ever taken back, so the next one is as many as there are.
  for (auto& key : new_backends)
    backend_slots_.try_emplace(std::move(key), static_cast<std::uint32_t>(backend_slots_.size()));
  for (const Endpoint& endpoint : new_services)
    service_slots_.try_emplace(endpoint, static_cast<std::uint32_t>(service_slots_.size()));
  return {};
}

// The table of `pool`: the one of the last compilation, if that would come out the same.
Compiler::CachedTable Compiler::table_of(const PoolConfig& pool) const {
  Members members;
  for (const BackendConfig& backend : pool.backends)
    if (backend.weight > 0) members.emplace_back(backend.address, backend.weight);
  std::ranges::sort(members);
  if (const auto cached = tables_.find(pool.name); cached != tables_.end() &&
                                                   cached->second.size == pool.table_size &&
                                                   cached->second.members == members)
    return cached->second;

  std::vector<std::array<std::byte, sizeof(Be32)>> identities;
  std::vector<maglev::Member> table_members;
  identities.reserve(members.size());
  for (const auto& [address, weight] : members) {
    identities.push_back(std::bit_cast<std::array<std::byte, sizeof(Be32)>>(address.wire()));
    table_members.push_back({.identity = identities.back(), .weight = weight});
  }
  auto table =
      std::make_shared<const maglev::Table>(maglev::Table::build(table_members, pool.table_size));
  return {.members = std::move(members), .size = pool.table_size, .table = std::move(table)};
}

Result<std::unique_ptr<const Snapshot>> Compiler::compile(const Model& model,
                                                          const FindNextHop& next_hop,
                                                          std::uint64_t generation) {
  for (const PoolConfig& pool : model.pools)
    if (pool.backends.size() > maglev::kMaxMembers)
      return fail("compiling a snapshot: pool " + pool.name + " has " +
                      std::to_string(pool.backends.size()) + " backends, a Maglev table holds " +
                      std::to_string(maglev::kMaxMembers),
                  "divide it into several pools");
  if (auto reserved = reserve_slots(model); !reserved)
    return std::unexpected(std::move(reserved).error());

  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = generation;
  snapshot->seed = model.hash_seed();
  // Slots of backends that are not in the model stay default: not usable.
  snapshot->backends.resize(backend_slots_.size());

  Tables tables;
  for (const PoolConfig& config : model.pools) {
    const PoolIndex index{static_cast<std::uint32_t>(snapshot->pools.size())};
    for (const BackendConfig& backend : config.backends)
      snapshot->backends[backend_slots_.at({config.name, backend.address}).index()] = make_backend(
          model.encapsulation.source, backend.address, next_hop(backend.address), index);
    const CachedTable& cached = tables.try_emplace(config.name, table_of(config)).first->second;
    Pool pool{.table = cached.table, .members = {}};
    for (const auto& [address, weight] : cached.members)
      pool.members.push_back(backend_slots_.at({config.name, address}));
    snapshot->pools.push_back(std::move(pool));
  }
  tables_ = std::move(tables);

  std::size_t endpoints = 0;
  for (const ServiceConfig& service : model.services) endpoints += service.endpoints.size();
  snapshot->services = ServiceIndex(endpoints);
  for (const ServiceConfig& service : model.services)
    for (const Endpoint& endpoint : service.endpoints)
      snapshot->services.insert(endpoint, {.slot = service_slots_.at(endpoint),
                                           .pool = {static_cast<std::uint32_t>(service.pool)}});
  return snapshot;
}

std::optional<BackendSlot> Compiler::backend_slot(const std::string& pool,
                                                  Ipv4Address address) const {
  const auto found = backend_slots_.find({pool, address});
  return found == backend_slots_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ServiceSlot> Compiler::service_slot(const Endpoint& endpoint) const {
  const auto found = service_slots_.find(endpoint);
  return found == service_slots_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace guideway::control
