// Questions about a flow table, as a worker works on them: piece by piece, between two batches.
#include "dataplane/inquiry.h"

#include <algorithm>
#include <set>

#include "support/catch.h"
#include "unit/dataplane/pipeline_box.h"

namespace guideway {
namespace {

using dataplane::FlowRecord;
using dataplane::FlowSurvey;
using dataplane::Inquiry;
using test::PipelineBox;
using test::small_world;
using test::web;

constexpr std::size_t kAll = 1'000'000;

// A box in which flows 0 to `flows` - 1 have been seen, and their snapshot.
struct World {
  Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box{24'000};  // 4096 buckets: more than a turn looks at

  explicit World(std::uint16_t flows) {
    for (std::uint16_t i = 0; i < flows; ++i) (void)box.run_one(snapshot, web(i));
  }

  // The answer, and in how many turns it came.
  std::pair<FlowSurvey, std::size_t> ask(FlowSurvey survey) {
    Inquiry inquiry(std::move(survey));
    dataplane::Pipeline pipeline(box.flows, *box.counters, test::kEgressDevice);
    std::size_t turns = 1;
    while (!inquiry.work(pipeline, box.flows, snapshot, box.now)) {
      REQUIRE_FALSE(inquiry.answered());
      ++turns;
    }
    REQUIRE(inquiry.answered());
    return {inquiry.survey(), turns};
  }
};

std::multiset<std::uint16_t> ports(const std::vector<FlowRecord>& records) {
  std::multiset<std::uint16_t> all;
  for (const FlowRecord& record : records)
    all.insert(Be16::from_wire(record.key.source_port).host());
  return all;
}

std::multiset<std::uint16_t> ports_from_to(std::uint16_t begin, std::uint16_t end) {
  std::multiset<std::uint16_t> all;
  for (; begin < end; ++begin) all.insert(begin);
  return all;
}

TEST_CASE("a survey tells each flow once, with its ends, backend, class and age") {
  World world(500);
  world.box.now = 3;
  const auto [survey, turns] = world.ask({.limit = kAll, .most_buckets = kAll});
  CHECK(survey.complete);
  CHECK(ports(survey.found) == ports_from_to(1024, 1524));
  for (const FlowRecord& record : survey.found) {
    const auto i =
        static_cast<std::uint16_t>(Be16::from_wire(record.key.source_port).host() - 1024);
    REQUIRE(record.backend == world.snapshot.pools[0].choose(hash_of(world.snapshot, web(i))));
    REQUIRE(record.state == flow::Class::opening);
    REQUIRE(record.age == 3);
    REQUIRE(record.key.protocol == 6);
    REQUIRE(record.key.source_address == test::ip("203.0.113.7").wire().wire());
    REQUIRE(record.key.destination_port == Be16(80).wire());
  }
}

TEST_CASE("a survey looks at a bounded part of the table in each turn") {
  World world(10);
  const auto [survey, turns] = world.ask({.limit = kAll, .most_buckets = kAll});
  CHECK(survey.complete);
  CHECK(turns == world.box.flows.buckets() / dataplane::kSurveyPerTurn + 1);
}

TEST_CASE("surveys that each go on where the last one ended tell every flow once") {
  World world(500);
  const std::size_t limit = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{100});
  std::vector<FlowRecord> all;
  FlowSurvey wanted{.limit = limit, .most_buckets = kAll};
  for (;;) {
    const FlowSurvey survey = world.ask(wanted).first;
    REQUIRE(survey.found.size() < limit + 6);  // a bucket is not torn apart
    all.insert(all.end(), survey.found.begin(), survey.found.end());
    if (survey.complete) break;
    REQUIRE(survey.next_bucket > wanted.next_bucket);
    wanted.next_bucket = survey.next_bucket;
  }
  CHECK(ports(all) == ports_from_to(1024, 1524));
}

TEST_CASE("a survey ends after the buckets that it may look at") {
  World world(500);
  const auto [survey, turns] = world.ask({.next_bucket = 100, .limit = kAll, .most_buckets = 1000});
  CHECK_FALSE(survey.complete);
  CHECK(survey.next_bucket == 1100);
  const auto [rest, more] =
      world.ask({.next_bucket = world.box.flows.buckets() + 5, .limit = kAll, .most_buckets = 9});
  CHECK(rest.complete);
  CHECK(rest.found.empty());
}

TEST_CASE("a survey tells no flow whose time is over, swept or not") {
  World world(50);
  world.box.now = PipelineBox::kTimeouts.opening + 1;
  (void)world.box.run_one(world.snapshot, web(7));
  const FlowSurvey survey = world.ask({.limit = kAll, .most_buckets = kAll}).first;
  CHECK(ports(survey.found) == ports_from_to(1031, 1032));
}

TEST_CASE("a flow that takes the place of another is told under its own name") {
  Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box(1);  // one bucket of six: opening flows give way to new ones
  for (std::uint16_t i = 0; i < 40; ++i) (void)box.run_one(snapshot, web(i));
  std::vector<std::uint16_t> told;
  box.flows.visit(0, box.now, [&](const gw_flow_key& key, flow::Table::Entry entry) {
    const auto port = Be16::from_wire(key.source_port).host();
    const auto i = static_cast<std::uint16_t>(port - 1024);
    CHECK(snapshot.pools[0].choose(hash_of(snapshot, web(i)))->value == entry.backend());
    told.push_back(port);
  });
  CHECK(told.size() == 6);
  CHECK(std::ranges::find(told, 1024 + 39) != told.end());
}

TEST_CASE("a filter lets those flows through for which all of it is true") {
  const dataplane::FlowFilter any;
  gw_flow_key key{};
  key.source_address = test::ip("203.0.113.7").wire().wire();
  key.destination_address = test::ip("198.51.100.1").wire().wire();
  key.destination_port = Be16(80).wire();
  key.protocol = 6;
  const BackendSlot backend{4};
  CHECK(any.wants(key, backend));

  const auto with_client = [&](const char* address, std::uint8_t bits) {
    return dataplane::FlowFilter{.client = test::ip(address), .client_bits = bits}.wants(key,
                                                                                         backend);
  };
  CHECK(with_client("203.0.113.7", 32));
  CHECK_FALSE(with_client("203.0.113.6", 32));
  CHECK(with_client("203.0.113.6", 31));
  CHECK(with_client("203.0.113.0", 24));
  CHECK_FALSE(with_client("203.0.112.0", 24));
  CHECK(with_client("128.0.0.0", 1));
  CHECK_FALSE(with_client("0.0.0.0", 1));

  CHECK(dataplane::FlowFilter{.backends = {{9}, {4}}}.wants(key, backend));
  CHECK_FALSE(dataplane::FlowFilter{.backends = {{9}}}.wants(key, backend));
  CHECK(dataplane::FlowFilter{.services = {test::kDns, test::kWeb}}.wants(key, backend));
  CHECK_FALSE(dataplane::FlowFilter{.services = {test::kDns}}.wants(key, backend));
  CHECK_FALSE(
      dataplane::FlowFilter{.backends = {{9}}, .services = {test::kWeb}}.wants(key, backend));
}

TEST_CASE("a question about a packet is answered in one turn") {
  World world(1);
  Inquiry inquiry(dataplane::PacketInquiry{.frame = test::build_frame(web(0))});
  CHECK_FALSE(inquiry.answered());
  const dataplane::Pipeline pipeline(world.box.flows, *world.box.counters, test::kEgressDevice);
  CHECK(inquiry.work(pipeline, world.box.flows, world.snapshot, world.box.now));
  CHECK(inquiry.answered());
  CHECK(inquiry.packet().explanation.choice == dataplane::Choice::kept);
}

}  // namespace
}  // namespace guideway
