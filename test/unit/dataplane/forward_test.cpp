// What leaves the pipeline, and what is counted: frames byte for byte, batches of every size, and
// the sums that must add up.
#include <map>
#include <numeric>
#include <random>

#include "support/catch.h"
#include "unit/dataplane/pipeline_box.h"
#include "unit/net/goldens.h"

namespace guideway {
namespace {

using test::Bytes;
using test::FrameSpec;
using test::Outcome;
using test::PipelineBox;
using test::small_world;
using test::web;

TEST_CASE("what leaves is what scapy makes, byte for byte, whatever came in") {
  auto world = small_world();
  world.pools[0] = {{.slot = 0x0203}};  // 10.1.2.3
  REQUIRE(test::backend_address(0x0203).text() == test::kGoldenBackend);
  const Snapshot snapshot = build_snapshot(world);
  std::vector<Bytes> frames;
  for (const test::Golden& golden : test::kGoldens)
    frames.push_back(test::from_hex(golden.ingress));
  REQUIRE(frames.size() <= dataplane::kBatch);
  PipelineBox box;
  const std::vector<Outcome> outcomes = box.run(snapshot, frames);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    INFO(test::kGoldens[i].name);
    CHECK(outcomes[i].reason() == "none");
    CHECK(test::to_hex(outcomes[i].frame) == test::kGoldens[i].egress);
  }
}

TEST_CASE("services and backends count packets and the bytes of the inner packets") {
  const Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box;
  const std::uint32_t to =
      box.run_one(snapshot, {.payload = 100, .padding = 7}).backend().value();      // 128 bytes
  box.run_one(snapshot, {.tags = {{0x8100, 3}}, .option_bytes = 8, .payload = 0});  // 36
  CHECK(box.counters->services[11].packets.get() == 2);
  CHECK(box.counters->services[11].bytes.get() == 164);
  CHECK(box.counters->services[10].packets.get() == 0);
  CHECK(box.counters->backends[to].packets.get() == 2);
  CHECK(box.counters->backends[to].bytes.get() == 164);
  CHECK(box.counters->backend_flows[to].get() == 1);
}

TEST_CASE("received and transmitted are left to the worker") {
  PipelineBox box;
  box.run_one(build_snapshot(small_world()), {});
  const WorkerTotals totals = read(*box.counters);
  CHECK(totals.received == 0);
  CHECK(totals.transmitted == 0);
  CHECK(totals.dropped() == 0);
}

TEST_CASE("an empty batch does nothing") {
  PipelineBox box;
  CHECK(box.run(build_snapshot(small_world()), {}).empty());
}

TEST_CASE("new flows spread over the backends by weight") {
  auto world = small_world();
  world.pools[0] = {{.slot = 1, .weight = 1}, {.slot = 2, .weight = 2}, {.slot = 3, .weight = 5}};
  const Snapshot snapshot = build_snapshot(world);
  PipelineBox box(100'000);
  std::map<std::uint32_t, int> flows;
  for (std::uint16_t i = 0; i < 8000; ++i) ++flows[box.run_one(snapshot, web(i)).backend().value()];
  // Five standard deviations of the binomial distribution.
  CHECK(std::abs(flows[1] - 1000) < 148);
  CHECK(std::abs(flows[2] - 2000) < 194);
  CHECK(std::abs(flows[3] - 5000) < 217);
}

// A frame of every kind, good more often than not.
Bytes random_frame(std::mt19937& chance) {
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(chance() % limit);
  };
  FrameSpec spec = web(static_cast<std::uint16_t>(below(200)));
  static constexpr std::uint8_t kFlags[] = {0x02, 0x10, 0x10, 0x10, 0x18, 0x11, 0x04};
  spec.tcp_flags = kFlags[below(7)];
  spec.payload = below(1480);
  if (below(4) == 0) spec.protocol = 17;
  if (below(4) == 0) spec.tags = {{0x8100, 9}};
  if (below(4) == 0) spec.padding = below(30);
  switch (below(16)) {
    case 0: spec.destination_port = 81; break;
    case 1: spec.fragment = 0x2000; break;
    case 2: spec.ip_checksum = 7; break;
    case 3: spec.protocol = 1; break;
    case 4: spec.ether_type = 0x86dd; break;
    default: break;
  }
  Bytes frame = test::build_frame(spec);
  if (below(16) == 0) frame.resize(below(static_cast<std::uint32_t>(frame.size())));
  return frame;
}

TEST_CASE(
    "every frame is forwarded or dropped and counted once, over any traffic and any changes") {
  std::mt19937 chance(2);
  PipelineBox box(600);  // small enough to be full at times
  std::uint64_t received = 0;
  std::uint64_t forwarded = 0;
  std::uint64_t forwarded_bytes = 0;
  for (int round = 0; round < 600; ++round) {
    auto world = small_world();
    for (auto& backend : world.pools[0]) {
      backend.usable = chance() % 4 != 0;
      backend.weight = static_cast<std::uint32_t>(chance() % 3);
      backend.device = chance() % 8 != 0 ? test::kEgressDevice : 0;
      backend.mtu = chance() % 8 != 0 ? 9000 : 576;
    }
    world.table_size = 251;
    std::vector<Bytes> frames(1 + chance() % dataplane::kBatch);
    for (Bytes& frame : frames) frame = random_frame(chance);
    received += frames.size();
    for (const Outcome& outcome : box.run(build_snapshot(world), frames, chance() % 100)) {
      if (outcome.drop != DropReason::none) continue;
      ++forwarded;
      forwarded_bytes += outcome.frame.size() - 38;
    }
    box.now = static_cast<flow::Tick>(box.now + chance() % 7);
  }
  const WorkerTotals totals = read(*box.counters);
  CHECK(received == forwarded + totals.dropped());
  CHECK(totals.drops[0] == 0);

  const auto sum = [](const std::vector<Forwarded>& of, auto member) {
    return std::accumulate(
        of.begin(), of.end(), std::uint64_t{0},
        [&](std::uint64_t total, auto& one) { return total + (one.*member).get(); });
  };
  CHECK(sum(box.counters->services, &Forwarded::packets) == forwarded);
  CHECK(sum(box.counters->backends, &Forwarded::packets) == forwarded);
  CHECK(sum(box.counters->services, &Forwarded::bytes) == forwarded_bytes);
  CHECK(sum(box.counters->backends, &Forwarded::bytes) == forwarded_bytes);

  // Whatever was given a backend was found, put into the table, moved, or found no room there; and
  // after that it was forwarded or dropped on the way out.
  const std::uint64_t selected =
      totals.flow_hits + totals.flow_inserted + totals.flow_moved + totals.flow_table_full;
  const auto drops = [&](DropReason reason) { return box.drops(reason); };
  CHECK(selected == forwarded + drops(DropReason::no_next_hop) + drops(DropReason::too_big) +
                        drops(DropReason::tx_ring_full));
  std::uint64_t given = 0;
  for (const Counter& flows : box.counters->backend_flows) given += flows.get();
  CHECK(given == totals.flow_inserted + totals.flow_moved);

  // The traffic was varied enough to say something.
  for (const DropReason reason :
       {DropReason::not_ipv4, DropReason::malformed_truncated, DropReason::malformed_total_length,
        DropReason::malformed_checksum, DropReason::fragment_refused, DropReason::icmp_dropped,
        DropReason::no_service, DropReason::no_backend, DropReason::no_next_hop,
        DropReason::too_big, DropReason::tx_ring_full}) {
    INFO(kDropReasonNames[static_cast<std::size_t>(reason)]);
    CHECK(drops(reason) > 50);
  }
  CHECK(totals.flow_moved > 50);
  CHECK(forwarded > 3000);
}

TEST_CASE("a batch of any size does to each frame, in its place, what a batch of one does") {
  std::mt19937 chance(3);
  const Snapshot snapshot = build_snapshot(small_world());
  for (std::size_t size = 1; size <= dataplane::kBatch; ++size) {
    std::vector<Bytes> frames(size);
    for (Bytes& frame : frames) frame = random_frame(chance);
    PipelineBox together;
    PipelineBox alone;
    const std::vector<Outcome> outcomes = together.run(snapshot, frames);
    REQUIRE(outcomes.size() == size);
    for (std::size_t i = 0; i < size; ++i) {
      const Outcome single = alone.run(snapshot, {frames[i]}).front();
      REQUIRE(outcomes[i].reason() == single.reason());
      REQUIRE(outcomes[i].frame == single.frame);
    }
    const WorkerTotals a = read(*together.counters);
    const WorkerTotals b = read(*alone.counters);
    REQUIRE(a.drops == b.drops);
    REQUIRE(a.flow_hits == b.flow_hits);
    REQUIRE(a.flow_inserted == b.flow_inserted);
  }
}

}  // namespace
}  // namespace guideway
