// The time to build a Maglev table, of equal and of unequal weights.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "maglev/table.h"

namespace guideway::bench {
namespace {

// `heavy`: the weight of one member, beside 1 for the others; 0: weights of 1 to 100 at random.
void maglev_build(benchmark::State& state) {
  const auto size = static_cast<std::uint32_t>(state.range(0));
  const auto count = static_cast<std::size_t>(state.range(1));
  const auto heavy = static_cast<std::uint32_t>(state.range(2));
  std::mt19937 chance(1);
  std::vector<std::array<std::byte, 4>> identities(count);
  std::vector<maglev::Member> members;
  for (std::size_t i = 0; i < count; ++i) {
    const auto address = static_cast<std::uint32_t>(0x0a010000 + i);
    std::memcpy(identities[i].data(), &address, sizeof address);
    const auto random = static_cast<std::uint32_t>(1 + chance() % 100);
    members.push_back({identities[i], heavy == 0 ? random : i == 0 ? heavy : 1});
  }
  for (auto _ : state) benchmark::DoNotOptimize(maglev::Table::build(members, size));
}

BENCHMARK(maglev_build)
    ->ArgNames({"size", "members", "heavy"})
    ->Args({65537, 10, 1})
    ->Args({65537, 100, 1})
    ->Args({65537, 1000, 1})
    ->Args({655373, 1000, 1})
    ->Args({65537, 1000, 0})
    ->Args({65537, 1000, 65535})
    ->Args({655373, 1000, 65535})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace guideway::bench
