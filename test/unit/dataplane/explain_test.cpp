// What the pipeline tells of a packet before it comes. That it is what then becomes of it is
// checked by PipelineBox, in every test of the pipeline.
#include "support/catch.h"
#include "unit/dataplane/pipeline_box.h"

namespace guideway {
namespace {

using dataplane::Choice;
using dataplane::Explanation;
using test::build_frame;
using test::FrameSpec;
using test::PipelineBox;
using test::small_world;
using test::web;

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kFinAck = 0x11;

Explanation told(const PipelineBox& box, const Snapshot& snapshot, const FrameSpec& spec) {
  return box.explain(snapshot, build_frame(spec));
}

TEST_CASE("of a new flow it is told by which hash, slot and table it gets its backend") {
  auto world = small_world();
  world.generation = 7;
  const Snapshot snapshot = build_snapshot(world);
  const PipelineBox box;
  const Explanation it = told(box, snapshot, web(3));
  CHECK(it.generation == 7);
  CHECK(it.drop == DropReason::none);
  REQUIRE(it.service);
  CHECK(it.service->slot.value == 10);
  CHECK(it.packet.flow.source_port == Be16(1027).wire());
  CHECK(it.hash == hash_of(snapshot, web(3)));
  CHECK(it.table_size == 65537);
  CHECK(it.table_slot == gw_table_slot(it.hash, 65537));
  CHECK(it.table_backend == snapshot.pools[0].choose(it.hash));
  CHECK_FALSE(it.entry);
  CHECK(it.choice == Choice::chosen);
  CHECK(it.backend == it.table_backend);
  CHECK(it.outer_ip_bytes == it.packet.ip_bytes + 24U);
  CHECK(it.egress_mtu == 9000);
}

TEST_CASE("of a flow that is remembered its entry is told, and the table's backend beside it") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  PipelineBox box;
  const auto backend = box.run_one(before, web(3)).backend();
  world.pools[0][backend.value() - 1].weight = 0;  // takes no new flow, keeps those that it has
  const Snapshot after = build_snapshot(world);
  box.now = 4;
  const Explanation it = told(box, after, web(3));
  REQUIRE(it.entry);
  CHECK(it.entry->backend.value == backend);
  CHECK(it.entry->state == flow::Class::opening);
  CHECK(it.entry->age == 4);
  CHECK(it.entry->keeps);
  CHECK(it.choice == Choice::kept);
  CHECK(it.backend == it.entry->backend);
  REQUIRE(it.table_backend);
  CHECK(it.table_backend != it.backend);
}

TEST_CASE("of a flow whose backend may not keep it the new one is told, and the old one") {
  auto world = small_world();
  const Snapshot before = build_snapshot(world);
  PipelineBox box;
  const auto backend = box.run_one(before, web(3)).backend();
  world.pools[0][backend.value() - 1].usable = false;
  const Snapshot after = build_snapshot(world);
  const Explanation it = told(box, after, web(3));
  REQUIRE(it.entry);
  CHECK(it.entry->backend.value == backend);
  CHECK_FALSE(it.entry->keeps);
  CHECK(it.choice == Choice::moved);
  CHECK(it.backend == it.table_backend);
  CHECK(it.backend->value != backend);
  CHECK(it.backend->value == box.run_one(after, web(3)).backend());
}

TEST_CASE("a SYN over a closing flow is told to be a new connection, an ACK not") {
  const Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box;
  (void)box.run_one(snapshot, web(3, kSyn));
  (void)box.run_one(snapshot, web(3, kFinAck));
  CHECK(told(box, snapshot, web(3, kSyn)).choice == Choice::reopened);
  CHECK(told(box, snapshot, web(3)).choice == Choice::kept);
}

TEST_CASE("an entry whose time is over is told to be none") {
  const Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box;
  (void)box.run_one(snapshot, web(3));
  box.now = PipelineBox::kTimeouts.opening;
  CHECK(told(box, snapshot, web(3)).entry);
  ++box.now;
  CHECK_FALSE(told(box, snapshot, web(3)).entry);
}

TEST_CASE("where a packet is dropped, all that was decided before is told") {
  PipelineBox box;
  auto world = small_world();

  SECTION("no service") {
    FrameSpec spec = web(3);
    spec.destination_port = 81;
    const Explanation it = told(box, build_snapshot(world), spec);
    CHECK(it.drop == DropReason::no_service);
    CHECK(it.packet.flow.destination_port == Be16(81).wire());
    CHECK_FALSE(it.service);
    CHECK(it.choice == Choice::none);
  }
  SECTION("no backend, with an entry of one that is down") {
    (void)box.run_one(build_snapshot(world), web(3));
    for (auto& backend : world.pools[0]) backend.usable = false;
    const Explanation it = told(box, build_snapshot(world), web(3));
    CHECK(it.drop == DropReason::no_backend);
    CHECK(it.service);
    CHECK(it.table_size == 0);
    CHECK_FALSE(it.table_backend);
    CHECK(it.entry);
    CHECK(it.choice == Choice::none);
    CHECK_FALSE(it.backend);
  }
  SECTION("no next hop") {
    for (auto& backend : world.pools[0]) backend.device = 0;
    const Explanation it = told(box, build_snapshot(world), web(3));
    CHECK(it.drop == DropReason::no_next_hop);
    CHECK(it.backend);
  }
  SECTION("too big, and by how much") {
    for (auto& backend : world.pools[0]) backend.mtu = 1500;
    FrameSpec spec = web(3);
    spec.payload = 1460;
    const Explanation it = told(box, build_snapshot(world), spec);
    CHECK(it.drop == DropReason::too_big);
    CHECK(it.backend);
    CHECK(it.outer_ip_bytes == 1524);
    CHECK(it.egress_mtu == 1500);
  }
  SECTION("what cannot be parsed") {
    const Explanation it = told(box, build_snapshot(world), {.ip_checksum = std::uint16_t{1}});
    CHECK(it.drop == DropReason::malformed_checksum);
    CHECK_FALSE(it.service);
  }
}

}  // namespace
}  // namespace guideway
