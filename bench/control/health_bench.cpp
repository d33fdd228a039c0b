// What the health of 10,000 backends with a check each costs at a reload and at each answer.
#include <benchmark/benchmark.h>

#include "site.h"

namespace guideway::bench {
namespace {

// Of a daemon that starts.
void health_first(benchmark::State& state) {
  const control::Model model = site_model();
  for (auto _ : state) {
    control::Health health;
    health.configure(model, kNow);
    benchmark::DoNotOptimize(health);
  }
}

// Of one that knows all backends already.
void health_again(benchmark::State& state) {
  const control::Model model = site_model();
  control::Health health = site_health(model);
  for (auto _ : state) {
    health.configure(model, kNow);
    benchmark::DoNotOptimize(health);
  }
}

void health_standings(benchmark::State& state) {
  const control::Model model = site_model();
  const control::Health health = site_health(model);
  std::uint32_t healthy = 0;
  for (auto _ : state) {
    const auto standings = site_standings(health, model);
    healthy = 0;
    for (const auto& standing : standings) healthy += standing.healthy;
    benchmark::DoNotOptimize(healthy);
  }
  if (healthy != kPools * kBackendsOfPool) state.SkipWithError("not every backend is up");
}

// One answer to each of all probes: a round of them, as every interval has one.
void health_answers(benchmark::State& state) {
  const control::Model model = site_model();
  control::Health health = site_health(model);
  const auto probes = health.probes();
  const probe::Answer answer{.passed = true, .why = "status 200", .took = {}};
  for (auto _ : state)
    for (const control::ProbeId& probe : probes)
      benchmark::DoNotOptimize(health.observe(probe, answer, kNow));
}

BENCHMARK(health_first)->Unit(benchmark::kMillisecond);
BENCHMARK(health_again)->Unit(benchmark::kMillisecond);
BENCHMARK(health_standings)->Unit(benchmark::kMillisecond);
BENCHMARK(health_answers)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace guideway::bench
