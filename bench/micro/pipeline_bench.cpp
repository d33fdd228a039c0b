// The pipeline without a NIC, beside a floor: what the same frames cost a program that only looks
// at the header of each and at one line of a table. bench/README.md says how to read the figures.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <vector>

#include "world.h"

namespace guideway::bench {
namespace {

using dataplane::kBatch;

// Frames are made anew half a ring before their turn: by then they have left the first-level cache,
// as those have that a kernel wrote.
constexpr std::uint32_t kRestoreAhead = kFrames / 2;

// What a benchmark of one number of flows keeps between its repetitions.
struct World {
  explicit World(std::uint64_t flows)
      : traffic(flows),
        table(kFlowEntries, flow::Timeouts{}),
        counters(std::make_unique<WorkerCounters>()),
        snapshot(make_snapshot()),
        lines(table.buckets() * sizeof(Line)) {
    for (std::uint32_t i = 0; i < kFrames; ++i) traffic.place(umem.frame(i));
    establish();
  }

  // Gives every flow its entry, and a second packet.
  void establish() {
    dataplane::Pipeline pipeline(table, *counters, test::kEgressDevice);
    const Umem scratch;
    Traffic frames(Traffic::kAllNew);
    for (int packet = 0; packet < 2; ++packet)
      for (std::uint64_t flow = 0; flow < traffic.flows(); ++flow) {
        frames.place(scratch.frame(0));
        frames.rewrite(scratch.frame(0), static_cast<std::uint32_t>(flow));
        dataplane::Frame frame{scratch.frame(0), frames.bytes(), kHeadroom, {}};
        pipeline.process({&frame, 1}, snapshot, 0);
      }
  }

  Umem umem;
  Traffic traffic;
  flow::Table table;
  std::unique_ptr<WorkerCounters> counters;
  Snapshot snapshot;
  struct alignas(64) Line {
    std::uint64_t words[8];
  };
  HugeMemory lines;      // the floor's table: as many lines as the flow table has buckets
  std::uint32_t at = 0;  // the next frame
};

World& world_of(std::uint64_t flows) {
  static std::map<std::uint64_t, std::unique_ptr<World>> worlds;
  auto& world = worlds[flows];
  if (!world) world = std::make_unique<World>(flows);
  return *world;
}

// Runs `work` over batch after batch, each of which is made anew in time.
template <class Work>
void run(benchmark::State& state, World& world, Work work) {
  std::array<dataplane::Frame, kBatch> batch;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < kBatch; ++i)
      batch[i] = {world.umem.frame(world.at + i), world.traffic.bytes(), kHeadroom, {}};
    work(batch);
    for (std::uint32_t i = 0; i < kBatch; ++i)
      world.traffic.restore(world.umem.frame(world.at + kRestoreAhead + i));
    world.at += kBatch;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}

void pipeline(benchmark::State& state) {
  World& world = world_of(static_cast<std::uint64_t>(state.range(0)));
  dataplane::Pipeline pipeline(world.table, *world.counters, test::kEgressDevice);
  const WorkerTotals before = read(*world.counters);
  run(state, world, [&](std::span<dataplane::Frame> batch) {
    pipeline.process(batch, world.snapshot, 0);
    benchmark::ClobberMemory();
  });
  const WorkerTotals after = read(*world.counters);
  if (after.dropped() != 0) state.SkipWithError("frames were dropped");
  const auto packets = static_cast<double>(state.iterations()) * kBatch;
  state.counters["hit_percent"] =
      100 * static_cast<double>(after.flow_hits - before.flow_hits) / packets;
}

void floor(benchmark::State& state) {
  World& world = world_of(static_cast<std::uint64_t>(state.range(0)));
  const auto* const table = reinterpret_cast<const World::Line*>(world.lines.get());
  const std::uint64_t mask = world.table.buckets() - 1;
  std::uint64_t seen = 0;
  run(state, world, [&](std::span<dataplane::Frame> batch) {
    std::array<const World::Line*, kBatch> lines;
    for (std::size_t i = 0; i < kBatch; ++i) {
      // Addresses and ports of an IPv4 header without options.
      std::uint64_t addresses;
      std::uint32_t ports;
      std::memcpy(&addresses, batch[i].data + 26, sizeof addresses);
      std::memcpy(&ports, batch[i].data + 34, sizeof ports);
      lines[i] = &table[gw_mix64(addresses ^ ports) & mask];
      __builtin_prefetch(lines[i]);
    }
    for (std::size_t i = 0; i < kBatch; ++i) seen += lines[i]->words[i % 8];
    benchmark::DoNotOptimize(seen);
    benchmark::ClobberMemory();
  });
}

// What making the frames anew costs, which is part of both.
void restore(benchmark::State& state) {
  run(state, world_of(static_cast<std::uint64_t>(state.range(0))),
      [](auto&) { benchmark::ClobberMemory(); });
}

constexpr std::int64_t kFlows[] = {1, 1000, 1'000'000, Traffic::kAllNew};

void over_flows(benchmark::internal::Benchmark* bench) {
  bench->ArgName("flows");
  for (const std::int64_t flows : kFlows) bench->Arg(flows);
}

BENCHMARK(pipeline)->Apply(over_flows);
BENCHMARK(floor)->Apply(over_flows);
BENCHMARK(restore)->Apply(over_flows);

}  // namespace
}  // namespace guideway::bench
