// From a Model to a Snapshot, of all pools and of few that changed, beside the building of the same
// Maglev tables and nothing else.
#include <benchmark/benchmark.h>

#include <array>
#include <bit>
#include <memory>
#include <span>

#include "maglev/table.h"
#include "site.h"

namespace guideway::bench {
namespace {

// A site as the daemon holds it when it compiles.
struct Site {
  explicit Site(std::uint32_t changed) : model(site_model(changed)) {
    standings = site_standings(site_health(model), model);
  }
  control::Model model;
  std::vector<control::PoolStanding> standings;
};

class Compilation {
 public:
  // One snapshot of `site`; ends the benchmark when it cannot be had.
  bool run(benchmark::State& state, control::Compiler& compiler, const Site& site) {
    auto compiled = compiler.compile(
        site.model, site.standings, [this](Ipv4Address) { return &hop_; }, ++generation_, kNow);
    if (!compiled) state.SkipWithError(compiled.error().text().c_str());
    benchmark::DoNotOptimize(compiled);
    return compiled.has_value();
  }

 private:
  const control::NextHop hop_ = site_next_hop();
  std::uint64_t generation_ = 0;
};

// All is new: slots and tables.
void compile_first(benchmark::State& state) {
  const Site site(0);
  Compilation compilation;
  for (auto _ : state) {
    control::Compiler compiler(kQuarantine);
    if (!compilation.run(state, compiler, site)) break;
  }
}

// As after a reload: so many pools have one backend with another weight than at the compilation
// before. 0: only next hops may differ, as when a neighbour has a new MAC address.
void compile_again(benchmark::State& state) {
  const std::array<Site, 2> sites{Site(0), Site(static_cast<std::uint32_t>(state.range(0)))};
  control::Compiler compiler(kQuarantine);
  Compilation compilation;
  if (!compilation.run(state, compiler, sites[0])) return;
  std::size_t turn = 0;
  for (auto _ : state) {
    turn = 1 - turn;
    if (!compilation.run(state, compiler, sites[turn])) break;
  }
}

// The floor of both: the tables of so many pools.
void floor_tables(benchmark::State& state) {
  const auto pools = static_cast<std::size_t>(state.range(0));
  const control::Model model = site_model();
  std::vector<std::vector<std::array<std::byte, 4>>> identities(pools);
  std::vector<std::vector<maglev::Member>> members(pools);
  for (std::size_t i = 0; i < pools; ++i) {
    for (const auto& backend : model.pools[i].backends)
      identities[i].push_back(std::bit_cast<std::array<std::byte, 4>>(backend.address.wire()));
    for (const auto& identity : identities[i]) members[i].push_back({.identity = identity});
  }
  for (auto _ : state)
    for (std::size_t i = 0; i < pools; ++i)
      benchmark::DoNotOptimize(maglev::Table::build(members[i], model.pools[i].table_size));
}

BENCHMARK(compile_first)->Unit(benchmark::kMillisecond);
BENCHMARK(compile_again)
    ->ArgName("changed")
    ->Arg(0)
    ->Arg(1)
    ->Arg(kPools)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(floor_tables)->ArgName("tables")->Arg(1)->Arg(kPools)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace guideway::bench
