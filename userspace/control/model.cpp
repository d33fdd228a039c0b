#include "control/model.h"

#include <xxhash.h>

#include <algorithm>

namespace guideway::control {

gw_hash_seed Model::hash_seed() const {
  // The two halves are numbers, the same on every host; part of what a fleet agrees on.
  const XXH128_hash_t hash = XXH3_128bits(node.fleet_seed.data(), node.fleet_seed.size());
  return {hash.low64, hash.high64};
}

std::uint64_t Model::fleet_digest() const {
  constexpr std::uint64_t kDigestMask = (std::uint64_t{1} << 48) - 1;
  // Lines in an order of their own. What is between the quotes of a text is length and text, so
  // that no two models have the same lines.
  std::vector<std::string> lines;
  const auto quoted = [](const std::string& text) {
    return std::to_string(text.size()) + ":" + text;
  };
  lines.push_back("seed " + quoted(node.fleet_seed));
  for (const PoolConfig& pool : pools) {
    const std::string name = "pool " + quoted(pool.name);
    lines.push_back(name + " size " + std::to_string(pool.table_size) + " on_empty " +
                    std::to_string(static_cast<int>(pool.on_empty)) + " slow_start " +
                    std::to_string(pool.slow_start.count()));
    for (const BackendConfig& backend : pool.backends)
      lines.push_back(name + " backend " + backend.address.text() + " weight " +
                      std::to_string(backend.weight) + (backend.drain ? " drain" : ""));
    for (const CheckConfig& check : pool.checks)
      lines.push_back(name + " check " + quoted(check.question.text()) + " rise " +
                      std::to_string(check.rise) + " fall " + std::to_string(check.fall));
  }
  for (const ServiceConfig& service : services)
    for (const Endpoint& endpoint : service.endpoints)
      lines.push_back("service " + endpoint.text() + " pool " + quoted(pools[service.pool].name));
  std::ranges::sort(lines);
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return XXH3_64bits(all.data(), all.size()) & kDigestMask;
}

std::vector<Endpoint> Model::endpoints() const {
  std::vector<Endpoint> all;
  for (const ServiceConfig& service : services)
    all.insert(all.end(), service.endpoints.begin(), service.endpoints.end());
  return all;
}

std::vector<Ipv4Address> Model::backend_addresses() const {
  std::vector<Ipv4Address> all;
  for (const PoolConfig& pool : pools)
    for (const BackendConfig& backend : pool.backends) all.push_back(backend.address);
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

}  // namespace guideway::control
