#include "control/pool_reader.h"

#include <array>
#include <chrono>

#include "control/check_reader.h"
#include "control/config_values.h"

namespace guideway::control {
namespace {

using Word = std::string_view;

constexpr std::uint64_t kMaxWeight = 65535;

void read_backend(const Cursor& at, BackendConfig& backend, Place& place) {
  static constexpr auto kKeys = std::to_array<Word>({"address", "weight", "state"});
  static constexpr auto kStates = std::to_array<Word>({"active", "drain"});
  static constexpr Word kExample = "10.0.1.11";
  std::optional<Cursor> address = at;
  if (!at.is_scalar()) {
    const Mapping section(at, kKeys);
    address = section.require("address", "an IPv4 address such as " + std::string(kExample));
    if (const auto weight = section.find("weight"))
      backend.weight = static_cast<std::uint32_t>(weight->number(0, kMaxWeight).value_or(1));
    if (const auto state = section.find("state"))
      backend.drain = state->choice(kStates).value_or(0) == 1;
  }
  const auto value = address ? read_address(*address, kExample) : std::nullopt;
  if (!value) return;
  backend.address = *value;
  place = address->place();
}

void read_backends(const Mapping& section, PoolConfig& pool, PoolPlaces& places) {
  static constexpr Word kRule = "a list with at least one backend";
  const auto at = section.require("backends", kRule);
  const auto items = at ? at->list(kRule) : std::nullopt;
  if (!items) return;
  places.backends = at->place();
  pool.backends.resize(items->size());
  places.addresses.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i)
    read_backend((*items)[i], pool.backends[i], places.addresses[i]);
}

// What health does to the pool as a whole.
void read_health(const Mapping& section, PoolConfig& pool, PoolPlaces& places) {
  static constexpr auto kOnEmpty = std::to_array<Word>({"drop", "all"});
  if (const auto on_empty = section.find("on_empty"))
    pool.on_empty = static_cast<OnEmpty>(on_empty->choice(kOnEmpty).value_or(0));
  if (const auto at = section.find("min_healthy")) {
    if (const auto value = at->number(0, maglev::kMaxMembers)) {
      pool.min_healthy = static_cast<std::uint32_t>(*value);
      places.min_healthy = at->place();
    }
  }
  if (const auto at = section.find("slow_start"))
    pool.slow_start =
        read_seconds(*at, std::chrono::seconds(0), std::chrono::hours(1)).value_or(pool.slow_start);
}

void read_pool(const Cursor& at, PoolConfig& pool, PoolPlaces& places) {
  static constexpr auto kKeys = std::to_array<Word>(
      {"name", "table_size", "on_empty", "min_healthy", "slow_start", "checks", "backends"});
  const Mapping section(at, kKeys);
  if (const auto name = section.require("name", kNameRule)) {
    if (auto text = read_name(*name)) {
      pool.name = std::move(*text);
      places.name = name->place();
    }
  }
  if (const auto size = section.find("table_size")) {
    if (const auto value = size->number(2, maglev::kMaxTableSize)) {
      pool.table_size = static_cast<std::uint32_t>(*value);
      places.table_size = size->place();
    }
  }
  read_health(section, pool, places);
  if (const auto checks = section.find("checks")) read_checks(*checks, pool, places);
  read_backends(section, pool, places);
}

}  // namespace

void read_pools(const Mapping& file, Draft& draft) {
  static constexpr Word kRule = "a list with at least one pool";
  const auto at = file.require("pools", kRule);
  const auto items = at ? at->list(kRule) : std::nullopt;
  if (!items) return;
  draft.pool_list = at->place();
  draft.model.pools.resize(items->size());
  draft.pools.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i)
    read_pool((*items)[i], draft.model.pools[i], draft.pools[i]);
}

}  // namespace guideway::control
