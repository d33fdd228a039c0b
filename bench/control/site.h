// What the control benchmarks run over: the file of a site of 1,000 services over 100 pools with
// 10,000 backends, and what a daemon would know of it.
//
// Owns: nothing. Threads: none. Errors: a site that does not compile is a defect of the benchmark:
// std::runtime_error, which Google Benchmark's program ends with.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "control/compiler.h"
#include "control/config.h"
#include "control/health.h"

namespace guideway::bench {

inline constexpr std::uint32_t kPools = 100;
inline constexpr std::uint32_t kBackendsOfPool = 100;
inline constexpr std::uint32_t kServices = 1000;
inline constexpr std::chrono::seconds kQuarantine{901};

// Time stands still, so that no slot's quarantine ends.
inline constexpr std::chrono::steady_clock::time_point kNow{std::chrono::hours(1)};

// "HIGH.LOW" as the last two bytes of an address: 250 hosts to each third byte.
[[nodiscard]] inline std::string last_bytes(std::uint32_t number) {
  return std::to_string(number / 250) + '.' + std::to_string(number % 250 + 1);
}

// The site's file as an operator writes it: a line for each backend, four for each service. In the
// first `changed` pools one backend weighs 2 instead of 1.
[[nodiscard]] inline std::string site_text(std::uint32_t changed = 0) {
  std::string text =
      "node: {name: bench, fleet_seed: a site of its own}\n"
      "interfaces: [{name: eth0}]\n"
      "encapsulation: {source: 10.0.0.10}\n"
      "pools:\n";
  for (std::uint32_t pool = 0; pool < kPools; ++pool) {
    text += "  - name: pool-" + std::to_string(pool) +
            "\n    checks:\n      - {type: http, port: 80, path: /healthz}\n    backends:\n";
    for (std::uint32_t i = 0; i < kBackendsOfPool; ++i)
      text += "      - {address: 10.99." + last_bytes(pool * kBackendsOfPool + i) +
              ", weight: " + (i == 0 && pool < changed ? "2" : "1") + "}\n";
  }
  text += "services:\n";
  for (std::uint32_t service = 0; service < kServices; ++service)
    text += "  - name: service-" + std::to_string(service) + "\n    vip: 198.18." +
            last_bytes(service) + "\n    ports: [tcp/443]\n    pool: pool-" +
            std::to_string(service % kPools) + "\n";
  return text;
}

[[nodiscard]] inline control::Model site_model(std::uint32_t changed = 0) {
  auto config = control::parse_config(site_text(changed), "site.yaml");
  if (!config) throw std::runtime_error("the site's file: " + config.error().front().text());
  return std::move(config->model);
}

// A health that has every backend up, as one answer for each probe says.
[[nodiscard]] inline control::Health site_health(const control::Model& model) {
  control::Health health;
  health.configure(model, kNow);
  for (const control::ProbeId& probe : health.probes())
    (void)health.observe(probe, {.passed = true, .why = "status 200", .took = {}}, kNow);
  return health;
}

[[nodiscard]] inline std::vector<control::PoolStanding> site_standings(
    const control::Health& health, const control::Model& model) {
  std::vector<control::PoolStanding> standings;
  standings.reserve(model.pools.size());
  for (const control::PoolConfig& pool : model.pools)
    standings.push_back(health.standing(pool, kNow));
  return standings;
}

// A next hop that all backends share, as behind one router.
[[nodiscard]] inline control::NextHop site_next_hop() {
  control::NextHop hop;
  hop.state = control::NextHop::State::resolved;
  hop.device = 2;
  hop.device_name = "eth0";
  hop.mtu = 1600;
  return hop;
}

}  // namespace guideway::bench
