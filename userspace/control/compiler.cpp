#include "control/compiler.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

namespace guideway::control {
namespace {

// Slots for who is in the model now, out of those that there are.
template <class Key, class Slot>
class Giver {
 public:
  using Time = Compiler::Time;

  Giver(std::string_view what, const std::map<Key, Slot>& slots, std::map<Key, Time> left,
        std::uint32_t limit)
      : what_(what), slots_(slots), left_(std::move(left)), limit_(limit) {}

  // `present`: sorted, each once.
  Result<> give(const std::vector<Key>& present, Time now, std::chrono::seconds quarantine) {
    for (const auto& [key, slot] : slots_)
      if (!std::ranges::binary_search(present, key)) left_.try_emplace(key, now);
    std::size_t missing = 0;
    for (const Key& key : present) {
      left_.erase(key);
      if (!slots_.contains(key)) ++missing;
    }
    if (missing == 0) return {};
    std::vector<std::pair<Time, Key>> free;
    for (const auto& [key, since] : left_)
      if (since + quarantine <= now) free.emplace_back(since, key);
    if (slots_.size() + missing > limit_ + free.size()) return no_room(missing, quarantine);
    std::ranges::sort(free);
    auto next_free = free.begin();
    for (const Key& key : present) {
      if (slots_.contains(key)) continue;
      if (used_ < limit_) {
        slots_.emplace(key, Slot{used_++});
        continue;
      }
      const Slot slot = slots_.at(next_free->second);
      slots_.erase(next_free->second);
      left_.erase(next_free->second);
      ++next_free;
      slots_.emplace(key, slot);
      reused_.push_back(slot);
    }
    return {};
  }

  [[nodiscard]] std::map<Key, Slot>& slots() { return slots_; }
  [[nodiscard]] std::map<Key, Time>& left() { return left_; }
  [[nodiscard]] std::vector<Slot>& reused() { return reused_; }

 private:
  Result<> no_room(std::size_t missing, std::chrono::seconds quarantine) const {
    const std::string what(what_);
    return fail("compiling a snapshot: " + std::to_string(missing) + " new " + what + " beside " +
                    std::to_string(slots_.size()) + ", " + std::to_string(left_.size()) +
                    " of them removed lately, are more than the " + std::to_string(limit_) +
                    " slots that there are",
                "slots of " + what + " that were removed are free again after " +
                    std::to_string(quarantine.count()) + " s, or after a restart");
  }

  std::string_view what_;
  std::map<Key, Slot> slots_;
  std::map<Key, Time> left_;
  std::uint32_t limit_;
  std::uint32_t used_ = static_cast<std::uint32_t>(slots_.size());  // every slot below was given
  std::vector<Slot> reused_;
};

// How a packet gets to `address`, as far as it is known.
Backend make_backend(Ipv4Address source, Ipv4Address address, bool usable, const NextHop* hop,
                     PoolIndex pool) {
  Backend backend;
  backend.usable = usable;
  backend.pool = pool;
  if (hop == nullptr || hop->state != NextHop::State::resolved) return backend;
  backend.outer = make_outer_template(hop->device_mac, hop->mac, source, address);
  backend.egress_device = hop->device;
  backend.egress_mtu = hop->mtu;
  return backend;
}

// Entries and weights have an order of bytes: only for comparison among hosts of one kind.
std::uint64_t digest_of(const PoolTable& pool) {
  constexpr std::uint64_t kDigestMask = (std::uint64_t{1} << 48) - 1;
  std::vector<std::uint32_t> head{pool.size};
  for (const auto& [address, weight] : pool.members) head.push_back(address.wire().wire());
  const XXH64_hash_t seed = XXH3_64bits(head.data(), head.size() * sizeof head[0]);
  const auto entries = pool.table->entries();
  return XXH3_64bits_withSeed(entries.data(), entries.size_bytes(), seed) & kDigestMask;
}

PoolTable::Members members_of(const PoolConfig& pool, const PoolStanding& standing) {
  PoolTable::Members members;
  for (std::size_t i = 0; i < pool.backends.size(); ++i)
    if (standing.backends[i].weight > 0)
      members.emplace_back(pool.backends[i].address, standing.backends[i].weight);
  std::ranges::sort(members);
  return members;
}

std::shared_ptr<const PoolTable> build(PoolTable::Members members, std::uint32_t size) {
  auto built = std::make_shared<PoolTable>();
  built->size = size;
  built->members = std::move(members);
  std::vector<std::array<std::byte, sizeof(Be32)>> identities;
  std::vector<maglev::Member> table_members;
  identities.reserve(built->members.size());
  for (const auto& [address, weight] : built->members) {
    identities.push_back(std::bit_cast<std::array<std::byte, sizeof(Be32)>>(address.wire()));
    table_members.push_back({.identity = identities.back(), .weight = weight});
  }
  built->table = std::make_shared<const maglev::Table>(maglev::Table::build(table_members, size));
  built->entries.resize(built->members.size());
  for (const std::uint16_t member : built->table->entries()) ++built->entries[member];
  built->digest = digest_of(*built);
  return built;
}

}  // namespace

std::shared_ptr<const PoolTable> build_pool_table(const PoolConfig& pool,
                                                  const PoolStanding& standing,
                                                  std::shared_ptr<const PoolTable> other) {
  auto members = members_of(pool, standing);
  if (other != nullptr && other->size == pool.table_size && other->members == members) return other;
  return build(std::move(members), pool.table_size);
}

std::optional<BackendSlot> Slots::backend(const std::string& pool, Ipv4Address address) const {
  const auto found = backends.find({pool, address});
  return found == backends.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ServiceSlot> Slots::service(const Endpoint& endpoint) const {
  const auto found = services.find(endpoint);
  return found == services.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t PoolTable::entries_of(Ipv4Address backend) const {
  const auto found = std::ranges::lower_bound(members, backend, {},
                                              [](const auto& member) { return member.first; });
  if (found == members.end() || found->first != backend) return 0;
  return entries[static_cast<std::size_t>(found - members.begin())];
}

// Gives a slot to whom has none yet; to all or, failing, to none.
Result<> Compiler::reserve_slots(const Model& model, Time now, Compiled& compiled) {
  std::vector<std::pair<std::string, Ipv4Address>> backends;
  for (const PoolConfig& pool : model.pools)
    for (const BackendConfig& backend : pool.backends)
      backends.emplace_back(pool.name, backend.address);
  std::ranges::sort(backends);
  std::vector<Endpoint> services = model.endpoints();
  std::ranges::sort(services);

  Giver for_backends("backends", slots_->backends, left_backends_, kMaxBackendSlots);
  if (auto given = for_backends.give(backends, now, quarantine_); !given) return given;
  Giver for_services("services", slots_->services, left_services_, kMaxServiceSlots);
  if (auto given = for_services.give(services, now, quarantine_); !given) return given;

  left_backends_ = std::move(for_backends.left());
  left_services_ = std::move(for_services.left());
  compiled.reused_backends = std::move(for_backends.reused());
  compiled.reused_services = std::move(for_services.reused());
  if (for_backends.slots() != slots_->backends || for_services.slots() != slots_->services)
    slots_ = std::make_shared<const Slots>(
        Slots{std::move(for_backends.slots()), std::move(for_services.slots())});
  return {};
}

// The table of `pool`: the one of the last compilation, if that would come out the same.
std::shared_ptr<const PoolTable> Compiler::table_of(const PoolConfig& pool,
                                                    const PoolStanding& standing) const {
  const auto cached = tables_.find(pool.name);
  return build_pool_table(pool, standing, cached == tables_.end() ? nullptr : cached->second);
}

Result<Compiled> Compiler::compile(const Model& model, std::span<const PoolStanding> standings,
                                   const FindNextHop& next_hop, std::uint64_t generation,
                                   Time now) {
  assert(standings.size() == model.pools.size());
  for (const PoolConfig& pool : model.pools)
    if (pool.backends.size() > maglev::kMaxMembers)
      return fail("compiling a snapshot: pool " + pool.name + " has " +
                      std::to_string(pool.backends.size()) + " backends, a Maglev table holds " +
                      std::to_string(maglev::kMaxMembers),
                  "divide it into several pools");
  Compiled compiled;
  if (auto reserved = reserve_slots(model, now, compiled); !reserved)
    return std::unexpected(std::move(reserved).error());

  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = generation;
  snapshot->seed = model.hash_seed();
  // Slots of backends that are not in the model stay default: not usable. All slots that were ever
  // given are below the number of those that have one.
  snapshot->backends.resize(slots_->backends.size());

  compiled.slots = slots_;
  Tables tables;
  for (std::size_t i = 0; i < model.pools.size(); ++i) {
    const PoolConfig& config = model.pools[i];
    const PoolIndex index{static_cast<std::uint32_t>(i)};
    const auto slot_of = [&](Ipv4Address address) {
      return slots_->backends.at({config.name, address});
    };
    for (std::size_t j = 0; j < config.backends.size(); ++j) {
      const Ipv4Address address = config.backends[j].address;
      snapshot->backends[slot_of(address).index()] =
          make_backend(model.encapsulation.source, address, standings[i].backends[j].usable,
                       next_hop(address), index);
    }
    auto table = table_of(config, standings[i]);
    Pool pool{.table = table->table, .members = {}};
    for (const auto& [address, weight] : table->members) pool.members.push_back(slot_of(address));
    snapshot->pools.push_back(std::move(pool));
    compiled.tables.push_back(table);
    tables.emplace(config.name, std::move(table));
  }
  tables_ = std::move(tables);

  std::size_t endpoints = 0;
  for (const ServiceConfig& service : model.services) endpoints += service.endpoints.size();
  snapshot->services = ServiceIndex(endpoints);
  for (const ServiceConfig& service : model.services)
    for (const Endpoint& endpoint : service.endpoints)
      snapshot->services.insert(endpoint, {.slot = slots_->services.at(endpoint),
                                           .pool = {static_cast<std::uint32_t>(service.pool)}});
  compiled.snapshot = std::move(snapshot);
  return compiled;
}

}  // namespace guideway::control
