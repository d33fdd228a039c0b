// Pools, checks and answers for the tests of Health, and a Health with a clock that stands still
// until a test moves it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "control/health.h"
#include "support/catch.h"

namespace guideway::control::testing {

using namespace std::chrono_literals;

inline Ipv4Address ip(const char* text) { return Ipv4Address::parse(text).value(); }

inline const Ipv4Address kOne = ip("10.0.0.1"), kTwo = ip("10.0.0.2"), kThree = ip("10.0.0.3");

// Checks are told apart by their port.
inline CheckConfig tcp_check(std::uint16_t port, std::uint32_t rise = 2, std::uint32_t fall = 3) {
  CheckConfig check;
  check.question.kind = probe::TcpQuestion{};
  check.question.port = port;
  check.rise = rise;
  check.fall = fall;
  return check;
}

inline PoolConfig pool_of(const std::string& name, const std::vector<Ipv4Address>& backends,
                          std::vector<CheckConfig> checks = {}) {
  PoolConfig pool;
  pool.name = name;
  for (const Ipv4Address address : backends) pool.backends.push_back({.address = address});
  pool.checks = std::move(checks);
  return pool;
}

inline Model model_of(std::vector<PoolConfig> pools) {
  Model model;
  model.pools = std::move(pools);
  return model;
}

inline probe::Answer answer(bool passed) {
  return {.passed = passed, .why = passed ? "connected" : "connection refused", .took = 5us};
}

class Clinic {
 public:
  explicit Clinic(Model first) { configure(std::move(first)); }

  void configure(Model next) {
    model = std::move(next);
    health.configure(model, now);
  }
  // The probe of a check; it has to be there.
  [[nodiscard]] ProbeId probe(Ipv4Address backend, std::uint16_t port) const {
    const auto probes = health.probes();
    const auto found = std::ranges::find_if(probes, [&](const ProbeId& id) {
      return id.backend == backend && id.asking->question.port == port;
    });
    REQUIRE(found != probes.end());
    return *found;
  }
  // The same answer, `times` in a row. Returns what the last one changed.
  std::vector<Health::Transition> say(bool passed, Ipv4Address backend, std::uint16_t port,
                                      int times = 1) {
    std::vector<Health::Transition> last;
    const ProbeId id = probe(backend, port);
    for (int i = 0; i < times; ++i) last = health.observe(id, answer(passed), now);
    return last;
  }
  [[nodiscard]] const Health::Backend& backend(const std::string& pool, Ipv4Address address) const {
    const Health::Backend* found = health.find({pool, address});
    REQUIRE(found != nullptr);
    return *found;
  }
  [[nodiscard]] HealthState state(const std::string& pool, Ipv4Address address) const {
    return backend(pool, address).state;
  }
  [[nodiscard]] PoolStanding standing(std::size_t pool = 0) const {
    return health.standing(model.pools.at(pool), now);
  }
  [[nodiscard]] std::uint32_t percent(Ipv4Address address, std::size_t pool = 0) const {
    const PoolConfig& config = model.pools.at(pool);
    return Health::weight_percent(config, backend(config.name, address), now);
  }

  Model model;
  Health health;
  Health::Time now = Health::Time(1000h);
};

}  // namespace guideway::control::testing
