// Each row of the decision table that ends in a drop, as the pipeline gives it: frame, reason,
// counter.
#include "support/catch.h"
#include "unit/dataplane/pipeline_box.h"

namespace guideway {
namespace {

using test::Bytes;
using test::FrameSpec;
using test::Outcome;
using test::PipelineBox;
using test::small_world;

// The reason is as told, counted once, and nothing else is counted.
void check_dropped(PipelineBox& box, const Outcome& outcome, std::string_view reason) {
  CHECK(outcome.reason() == reason);
  for (std::size_t i = 0; i < kDropReasons; ++i)
    CHECK(box.counters->drops[i].get() == (kDropReasonNames[i] == reason ? 1 : 0));
  for (const Forwarded& sent : box.counters->services) REQUIRE(sent.packets.get() == 0);
  for (const Forwarded& sent : box.counters->backends) REQUIRE(sent.bytes.get() == 0);
}

TEST_CASE("a frame that cannot be read is dropped by its reason and leaves no flow") {
  const std::pair<std::string_view, FrameSpec> rows[] = {
      {"not_ipv4", {.ether_type = 0x86dd}},
      {"not_ipv4", {.tags = {{0x8100, 1}, {0x8100, 2}, {0x8100, 3}}}},
      {"malformed_version", {.version = 6}},
      {"malformed_header_length", {.header_words = 4}},
      {"malformed_total_length", {.total_length = 1000}},
      {"malformed_checksum", {.ip_checksum = 1}},
      {"malformed_source", {.source = "127.0.0.1"}},
      {"malformed_source", {.source = "198.51.100.1"}},
      {"malformed_tcp_offset", {.protocol = 6, .tcp_header_words = 4}},
      {"malformed_truncated", {.total_length = 24}},
      {"fragment_refused", {.fragment = 0x2000}},
      {"icmp_dropped", {.protocol = 1}},
      {"no_service", {.protocol = 47}},
  };
  const Snapshot snapshot = build_snapshot(small_world());
  for (const auto& [reason, spec] : rows) {
    INFO(reason);
    PipelineBox box;
    check_dropped(box, box.run_one(snapshot, spec), reason);
    CHECK(box.counters->flow_inserted.get() == 0);
  }
}

TEST_CASE("an empty frame is dropped as truncated") {
  PipelineBox box;
  check_dropped(box, box.run(build_snapshot(small_world()), {Bytes{}}).front(),
                "malformed_truncated");
}

TEST_CASE("what no service has the address, port or protocol of is dropped") {
  const FrameSpec rows[] = {
      {.destination_port = 81},
      {.protocol = 6, .destination_port = 443},
      {.destination = "198.51.100.2"},
  };
  const Snapshot snapshot = build_snapshot(small_world());
  for (const FrameSpec& spec : rows) {
    PipelineBox box;
    check_dropped(box, box.run_one(snapshot, spec), "no_service");
    CHECK(box.counters->flow_inserted.get() == 0);
  }
  PipelineBox box;
  check_dropped(box, box.run_one(Snapshot{}, {}), "no_service");
}

TEST_CASE("a service without a usable backend drops, and forwards once there is one") {
  auto world = small_world();
  for (auto& backend : world.pools[0]) backend.usable = false;
  PipelineBox box;
  check_dropped(box, box.run_one(build_snapshot(world), {}), "no_backend");
  CHECK(box.counters->flow_inserted.get() == 0);
  CHECK(box.run_one(build_snapshot(small_world()), {}).reason() == "none");
}

TEST_CASE("a flow whose backend went when there is no other is dropped") {
  PipelineBox box;
  REQUIRE(box.run_one(build_snapshot(small_world()), {}).reason() == "none");
  auto world = small_world();
  for (auto& backend : world.pools[0]) backend.usable = false;
  CHECK(box.run_one(build_snapshot(world), {}).reason() == "no_backend");
  CHECK(box.counters->flow_moved.get() == 0);
  CHECK(box.drops(DropReason::no_backend) == 1);
}

TEST_CASE("a backend whose next hop is unknown or behind another device is not sent to") {
  for (const std::uint32_t device : {0U, test::kEgressDevice + 1}) {
    auto world = small_world();
    for (auto& backend : world.pools[0]) backend.device = device;
    PipelineBox box;
    check_dropped(box, box.run_one(build_snapshot(world), {}), "no_next_hop");

    // Once it is known, the flow goes to the backend that it was given at first.
    const Snapshot resolved = build_snapshot(small_world());
    const auto expected = resolved.pools[0].choose(test::hash_of(resolved, {}));
    CHECK(box.run_one(resolved, {}).backend() == expected->value);
    CHECK(box.counters->flow_hits.get() == 1);
  }
}

TEST_CASE("a packet of exactly the egress MTU once encapsulated is sent, a byte more is not") {
  for (const std::uint16_t mtu : {std::uint16_t{1500}, std::uint16_t{576}}) {
    auto world = small_world();
    for (auto& backend : world.pools[0]) backend.mtu = mtu;
    const Snapshot snapshot = build_snapshot(world);
    const std::size_t fits = mtu - 24U - 28U;
    PipelineBox box;
    CHECK(box.run_one(snapshot, {.payload = fits}).frame.size() == mtu + 14U);
    // Padding is cut, and does not count.
    CHECK(box.run_one(snapshot, {.payload = fits, .padding = 100}).reason() == "none");
    CHECK(box.drops(DropReason::too_big) == 0);
    CHECK(box.run_one(snapshot, {.payload = fits + 1}).reason() == "too_big");
    CHECK(box.drops(DropReason::too_big) == 1);
  }
}

TEST_CASE("the longest packet that there can be does not overflow the outer length") {
  auto world = small_world();
  for (auto& backend : world.pools[0]) backend.mtu = 65535;
  const Snapshot snapshot = build_snapshot(world);
  PipelineBox box;
  CHECK(box.run_one(snapshot, {.payload = 65535 - 24 - 28}).frame.size() == 14 + 65535);
  CHECK(box.run_one(snapshot, {.payload = 65535 - 24 - 28 + 1}).reason() == "too_big");
  CHECK(box.run_one(snapshot, {.payload = 65535 - 28}).reason() == "too_big");
}

TEST_CASE("a frame without room for the outer header before it is dropped") {
  const std::pair<std::vector<std::pair<std::uint16_t, std::uint16_t>>, std::uint32_t> rows[] = {
      {{}, 24}, {{{0x8100, 1}}, 20}, {{{0x88a8, 1}, {0x8100, 1}}, 16}};
  const Snapshot snapshot = build_snapshot(small_world());
  for (const auto& [tags, needed] : rows) {
    const Bytes frame = test::build_frame({.tags = tags});
    PipelineBox box;
    CHECK(box.run(snapshot, {frame}, 64, needed).front().reason() == "none");
    CHECK(box.run(snapshot, {frame}, 64, needed - 1).front().reason() == "no_headroom");
    CHECK(box.run(snapshot, {frame}, 64, 0).front().reason() == "no_headroom");
    CHECK(box.drops(DropReason::no_headroom) == 2);
  }
}

TEST_CASE("what the TX ring has no room for is dropped, and what is dropped before takes no room") {
  const Snapshot snapshot = build_snapshot(small_world());
  std::vector<Bytes> frames;
  for (std::uint16_t i = 0; i < 10; ++i)
    frames.push_back(test::build_frame(i == 1 ? FrameSpec{.destination_port = 9} : test::web(i)));
  PipelineBox box;
  const auto outcomes = box.run(snapshot, frames, 4);
  const std::string_view expected[] = {
      "none",         "no_service",   "none",         "none",         "none",
      "tx_ring_full", "tx_ring_full", "tx_ring_full", "tx_ring_full", "tx_ring_full"};
  for (std::size_t i = 0; i < 10; ++i) CHECK(outcomes[i].reason() == expected[i]);
  CHECK(box.drops(DropReason::tx_ring_full) == 5);

  PipelineBox none;
  for (const Outcome& outcome : none.run(snapshot, {frames.begin() + 2, frames.end()}, 0))
    CHECK(outcome.reason() == "tx_ring_full");
}

}  // namespace
}  // namespace guideway
