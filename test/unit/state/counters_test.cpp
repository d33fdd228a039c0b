// The counters of workers and the law that ties them together.
#include "state/counters.h"

#include <memory>
#include <thread>

#include "support/catch.h"

namespace guideway {
namespace {

TEST_CASE("a counter adds up") {
  Counter counter;
  CHECK(counter.get() == 0);
  counter.add(5);
  counter.add(7);
  CHECK(counter.get() == 12);
  counter.set(3);
  CHECK(counter.get() == 3);
}

TEST_CASE("received is what was transmitted, dropped, and is on its way") {
  const auto counters = std::make_unique<WorkerCounters>();
  counters->received.add(100);
  CHECK(read(*counters).in_flight() == 100);
  counters->transmitted.add(60);
  counters->drops[static_cast<std::size_t>(DropReason::no_service)].add(25);
  counters->drops[static_cast<std::size_t>(DropReason::tx_ring_full)].add(5);
  CHECK(read(*counters).dropped() == 30);
  CHECK(read(*counters).in_flight() == 10);
  counters->drops[static_cast<std::size_t>(DropReason::too_big)].add(10);
  CHECK(read(*counters).in_flight() == 0);
  counters->transmitted.add(1);  // more came out than in: a reading between two stores
  CHECK(read(*counters).in_flight() == -1);
}

TEST_CASE("every drop reason counts as dropped") {
  const auto counters = std::make_unique<WorkerCounters>();
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    counters->drops[i].add(1);
    CHECK(read(*counters).dropped() == i + 1);
    CHECK(read(*counters).drops[i] == 1);
  }
}

TEST_CASE("every counter is read into the number of its name") {
  const auto counters = std::make_unique<WorkerCounters>();
  std::uint64_t value = 1000;
#define SET(name) counters->name.set(++value);
  GUIDEWAY_WORKER_COUNTERS(SET)
#undef SET
  const WorkerTotals totals = read(*counters);
  value = 1000;
#define COMPARE(name) CHECK(totals.name == ++value);
  GUIDEWAY_WORKER_COUNTERS(COMPARE)
#undef COMPARE
}

TEST_CASE("totals of several workers add up, number by number, and keep the law") {
  WorkerTotals first;
  first.received = 10;
  first.transmitted = 7;
  first.flows_udp = 2;
  first.drops[2] = 3;
  WorkerTotals second;
  second.received = 5;
  second.transmitted = 4;
  second.flows_udp = 1;
  second.drops[4] = 1;
  first += second;
  CHECK(first.received == 15);
  CHECK(first.transmitted == 11);
  CHECK(first.flows_udp == 3);
  CHECK(first.drops[2] == 3);
  CHECK(first.drops[4] == 1);
  CHECK(first.dropped() == 4);
  CHECK(first.in_flight() == 0);
}

TEST_CASE("workers' counters lie on cache lines of their own and are all zero at first") {
  const auto workers = std::make_unique<WorkerCounters[]>(2);
  CHECK(alignof(WorkerCounters) == 64);
  CHECK(sizeof(WorkerCounters) % 64 == 0);
  CHECK(workers[0].services.size() == kMaxServiceSlots);
  CHECK(workers[0].backends.size() == kMaxBackendSlots);
  CHECK(workers[0].backend_flows.size() == kMaxBackendSlots);
  const WorkerTotals totals = read(workers[1]);
  CHECK(totals.dropped() == 0);
#define ZERO(name) CHECK(totals.name == 0);
  GUIDEWAY_WORKER_COUNTERS(ZERO)
#undef ZERO
}

TEST_CASE("a reader beside the writer sees each counter grow and never shrink") {
  const auto counters = std::make_unique<WorkerCounters>();
  constexpr std::uint64_t kPackets = 200'000;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kPackets; ++i) counters->received.add(1);
  });
  std::uint64_t last = 0;
  std::uint64_t shrank = 0;
  while (last < kPackets) {
    const std::uint64_t now = read(*counters).received;
    if (now < last) ++shrank;
    last = now;
  }
  writer.join();
  CHECK(shrank == 0);
  CHECK(counters->received.get() == kPackets);
}

}  // namespace
}  // namespace guideway
