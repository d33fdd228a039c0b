// From the text of a large site's file to a Model, beside what the YAML library alone takes for the
// same text; and to words of what a reload changes.
#include <benchmark/benchmark.h>
#include <yaml-cpp/yaml.h>

#include "control/changes.h"
#include "site.h"

namespace guideway::bench {
namespace {

void per_megabyte(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}

// What stands beside it: nodes in memory, nothing looked at.
void yaml_load(benchmark::State& state) {
  const std::string text = site_text();
  for (auto _ : state) benchmark::DoNotOptimize(YAML::Load(text));
  per_megabyte(state, text);
}

void parse(benchmark::State& state) {
  const std::string text = site_text();
  for (auto _ : state) {
    auto config = control::parse_config(text, "site.yaml");
    if (!config) {
      state.SkipWithError("the site's file is refused");
      break;
    }
    benchmark::DoNotOptimize(config);
  }
  per_megabyte(state, text);
}

// Between the site and one of which so many pools changed.
void describe(benchmark::State& state) {
  const auto changed = static_cast<std::uint32_t>(state.range(0));
  const control::Model before = site_model(0);
  const control::Model after = site_model(changed);
  std::size_t lines = 0;
  for (auto _ : state) {
    const auto changes = control::describe_changes(before, after);
    lines = changes.size();
    benchmark::DoNotOptimize(lines);
  }
  if (lines != changed) state.SkipWithError("not one line for each changed pool");
}

BENCHMARK(yaml_load)->Unit(benchmark::kMillisecond);
BENCHMARK(parse)->Unit(benchmark::kMillisecond);
BENCHMARK(describe)->ArgName("changed")->Arg(1)->Arg(kPools)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace guideway::bench
