// Which backend a packet gets: what the flow table remembers, and when it is not listened to.
#include <map>

#include "support/catch.h"
#include "unit/dataplane/pipeline_box.h"

namespace guideway {
namespace {

using test::FrameSpec;
using test::PipelineBox;
using test::small_world;
using test::web;

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kFinAck = 0x11;
constexpr std::uint8_t kRst = 0x04;

// A flow that the tables of `before` and `after` give to different backends.
std::uint16_t flow_that_moves(const Snapshot& before, const Snapshot& after) {
  for (std::uint16_t i = 0; i < 10'000; ++i) {
    const std::uint64_t hash = hash_of(before, web(i));
    if (before.pools[0].choose(hash) != after.pools[0].choose(hash)) return i;
  }
  FAIL("no flow moves");
  return 0;
}

std::uint32_t chosen(const Snapshot& snapshot, const FrameSpec& spec, std::size_t pool = 0) {
  return snapshot.pools[pool].choose(hash_of(snapshot, spec)).value().value;
}

TEST_CASE("a new flow goes to the backend that the Maglev table says, and is remembered") {
  const Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box;
  for (std::uint16_t i = 0; i < 300; ++i)
    REQUIRE(box.run_one(snapshot, web(i)).backend() == chosen(snapshot, web(i)));
  CHECK(box.counters->flow_inserted.get() == 300);
  CHECK(box.counters->flow_hits.get() == 0);
  for (std::uint16_t i = 0; i < 300; ++i)
    REQUIRE(box.run_one(snapshot, web(i)).backend() == chosen(snapshot, web(i)));
  CHECK(box.counters->flow_inserted.get() == 300);
  CHECK(box.counters->flow_hits.get() == 300);
}

TEST_CASE("a flow keeps its backend when the table changes") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  world.pools[0].push_back({.slot = 4});
  const Snapshot after = build_snapshot(world);
  const std::uint16_t moves = flow_that_moves(before, after);

  PipelineBox box;
  const auto first = box.run_one(before, web(moves)).backend();
  CHECK(box.run_one(after, web(moves)).backend() == first);
  CHECK(first != chosen(after, web(moves)));
  CHECK(box.counters->flow_hits.get() == 1);
  CHECK(box.counters->flow_moved.get() == 0);

  PipelineBox other;  // a flow that is new goes by the new table
  CHECK(other.run_one(after, web(moves)).backend() == chosen(after, web(moves)));
}

TEST_CASE("a flow whose backend is no longer usable moves, once, and is counted") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  PipelineBox box;
  const std::uint32_t first = box.run_one(before, web(0)).backend().value();
  for (auto& backend : world.pools[0]) backend.usable = backend.slot != first;
  const Snapshot after = build_snapshot(world);
  const std::uint32_t second = box.run_one(after, web(0)).backend().value();
  CHECK(second != first);
  CHECK(second == chosen(after, web(0)));
  CHECK(box.counters->flow_moved.get() == 1);
  CHECK(box.counters->flow_inserted.get() == 1);
  CHECK(box.counters->backend_flows[first].get() == 1);
  CHECK(box.counters->backend_flows[second].get() == 1);

  // Where it went it stays, also when the first comes back.
  CHECK(box.run_one(before, web(0)).backend() == second);
  CHECK(box.counters->flow_moved.get() == 1);
  CHECK(box.counters->flow_hits.get() == 1);
}

TEST_CASE("a backend of weight 0 keeps its flows and gets no new ones") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  PipelineBox box;
  std::map<std::uint16_t, std::uint32_t> owner;
  for (std::uint16_t i = 0; i < 100; ++i) owner[i] = box.run_one(before, web(i)).backend().value();
  world.pools[0][0].weight = 0;
  const std::uint32_t drained = world.pools[0][0].slot;
  const Snapshot after = build_snapshot(world);
  for (std::uint16_t i = 0; i < 100; ++i) REQUIRE(box.run_one(after, web(i)).backend() == owner[i]);
  for (std::uint16_t i = 100; i < 300; ++i)
    REQUIRE(box.run_one(after, web(i)).backend() != drained);
  CHECK(box.counters->flow_moved.get() == 0);

  // Also when all are drained: the pool takes no new flow, and keeps those that it has.
  for (auto& backend : world.pools[0]) backend.weight = 0;
  const Snapshot none = build_snapshot(world);
  CHECK(box.run_one(none, web(0)).backend() == owner[0]);
  CHECK(box.run_one(none, web(999)).reason() == "no_backend");
}

TEST_CASE("an entry that stands for a backend of another pool is not believed") {
  auto world = small_world();
  world.pools.push_back({{.slot = 7}});
  world.services[1].pool = 1;
  const Snapshot snapshot = build_snapshot(world);
  const FrameSpec to_web = web(5);
  for (const std::uint32_t stale : {7U, 6U, 8U, 60'000U, flow::Table::kMaxBackend}) {
    INFO("slot " << stale);  // another pool's; nobody's; beyond all
    PipelineBox box;
    box.flows.insert(hash_of(snapshot, to_web), stale, flow::Class::established, box.now);
    CHECK(box.run_one(snapshot, to_web).backend() == chosen(snapshot, to_web));
    CHECK(box.counters->flow_moved.get() == 1);
    CHECK(box.run_one(snapshot, to_web).backend() == chosen(snapshot, to_web));
    CHECK(box.counters->flow_hits.get() == 1);
  }
}

TEST_CASE("a SYN on a flow that is closing is a new connection and chooses anew") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  world.pools[0].push_back({.slot = 4});
  const Snapshot after = build_snapshot(world);
  const std::uint16_t moves = flow_that_moves(before, after);
  for (const std::uint8_t end : {kFinAck, kRst}) {
    PipelineBox box;
    const auto first = box.run_one(before, web(moves, kSyn)).backend();
    box.run_one(before, web(moves, kAck));
    CHECK(box.run_one(after, web(moves, end)).backend() == first);
    CHECK(box.run_one(after, web(moves, kAck)).backend() == first);  // the last of the old one
    CHECK(box.run_one(after, web(moves, kSyn)).backend() == chosen(after, web(moves)));
    CHECK(box.counters->flow_inserted.get() == 2);
    CHECK(box.counters->flow_moved.get() == 0);
    CHECK(box.counters->flow_hits.get() == 3);
    // It is opening again, and after that established.
    CHECK(box.flows.find(hash_of(after, web(moves)), 0).state() == flow::Class::opening);
    box.run_one(after, web(moves, kAck));
    CHECK(box.flows.find(hash_of(after, web(moves)), 0).state() == flow::Class::established);
  }
}

TEST_CASE("a SYN on a flow that is established does not move it") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  world.pools[0].push_back({.slot = 4});
  const Snapshot after = build_snapshot(world);
  const std::uint16_t moves = flow_that_moves(before, after);
  PipelineBox box;
  const auto first = box.run_one(before, web(moves, kSyn)).backend();
  box.run_one(before, web(moves, kAck));
  CHECK(box.run_one(after, web(moves, kSyn)).backend() == first);
  CHECK(box.run_one(after, web(moves, kAck)).backend() == first);
}

TEST_CASE("a flow that was silent for longer than its time-out is new") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  world.pools[0].push_back({.slot = 4});
  const Snapshot after = build_snapshot(world);
  const std::uint16_t moves = flow_that_moves(before, after);
  PipelineBox box;
  box.run_one(before, web(moves, kSyn));
  const auto first = box.run_one(before, web(moves)).backend();
  box.now = 900;
  CHECK(box.run_one(after, web(moves)).backend() == first);
  box.now = 1800;
  CHECK(box.run_one(after, web(moves)).backend() == first);
  box.now = 2701;
  CHECK(box.run_one(after, web(moves)).backend() == chosen(after, web(moves)));
  CHECK(box.counters->flow_inserted.get() == 2);
}

TEST_CASE("two packets of one new flow in one batch go to one backend, by one entry") {
  const Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box;
  const auto frame = test::build_frame(web(0));
  const auto outcomes = box.run(snapshot, {frame, frame, frame});
  CHECK(outcomes[0].backend() == chosen(snapshot, web(0)));
  CHECK(outcomes[1].backend() == outcomes[0].backend());
  CHECK(box.counters->flow_inserted.get() == 1);
  CHECK(box.counters->flow_hits.get() == 2);
}

TEST_CASE("a full flow table forwards by the Maglev table all the same") {
  const Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box(6);
  for (std::uint16_t i = 0; i < 6; ++i) {
    box.run_one(snapshot, web(i, kSyn));
    box.run_one(snapshot, web(i, kAck));
  }
  for (std::uint16_t i = 6; i < 100; ++i)
    REQUIRE(box.run_one(snapshot, web(i)).backend() == chosen(snapshot, web(i)));
  CHECK(box.counters->flow_table_full.get() == 94);
  CHECK(box.counters->flow_inserted.get() == 6);
  for (std::uint16_t i = 0; i < 6; ++i) box.run_one(snapshot, web(i));
  CHECK(box.counters->flow_hits.get() == 12);
}

TEST_CASE("opening flows make room for newer ones, counted") {
  const Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box(6);
  for (std::uint16_t i = 0; i < 20; ++i)
    REQUIRE(box.run_one(snapshot, web(i, kSyn)).backend() == chosen(snapshot, web(i)));
  CHECK(box.counters->flow_inserted.get() == 20);
  CHECK(box.counters->flow_evicted_opening.get() == 14);
  CHECK(box.counters->flow_table_full.get() == 0);
}

TEST_CASE("TCP and UDP of the same ports are different flows, each with its service's pool") {
  auto world = small_world();
  world.pools.push_back({{.slot = 7}, {.slot = 8}});
  world.services[1].pool = 1;
  const Snapshot snapshot = build_snapshot(world);
  PipelineBox box;
  for (std::uint16_t i = 0; i < 50; ++i) {
    FrameSpec udp = web(i);
    udp.protocol = 17;
    REQUIRE(box.run_one(snapshot, web(i)).backend() == chosen(snapshot, web(i), 0));
    REQUIRE(box.run_one(snapshot, udp).backend() == chosen(snapshot, udp, 1));
  }
  CHECK(box.counters->flow_inserted.get() == 100);
}

TEST_CASE("the seed decides where flows go, and two load balancers with one seed agree") {
  auto world = small_world();
  const Snapshot one = build_snapshot(world);
  const Snapshot same = build_snapshot(world);
  world.seed.first ^= 1;
  const Snapshot other = build_snapshot(world);
  int differ = 0;
  for (std::uint16_t i = 0; i < 300; ++i) {
    REQUIRE(chosen(one, web(i)) == chosen(same, web(i)));
    differ += chosen(one, web(i)) != chosen(other, web(i)) ? 1 : 0;
  }
  CHECK(differ > 150);  // two thirds are expected
}

}  // namespace
}  // namespace guideway
