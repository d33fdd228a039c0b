// The connection table: what it keeps, for how long, and what it gives up first.
#include "flow/table.h"

#include <array>
#include <bit>
#include <thread>
#include <vector>

#include "support/catch.h"

namespace guideway::flow {
namespace {

constexpr std::size_t kBucketEntries = 6;
constexpr Timeouts kTimeouts{.opening = 10, .established = 900, .closing = 30, .udp = 120};

// The `n`th flow of `bucket`, of a table of 2^16 buckets at most.
std::uint64_t hash_of(std::uint64_t bucket, std::uint64_t n) { return (n + 1) << 32 | bucket; }

std::uint64_t live(const Table& table, Class state) {
  return table.live()[static_cast<std::size_t>(state)];
}

TEST_CASE("a table has room for what was asked for, in a power of two of buckets") {
  for (const std::size_t entries : {std::size_t{1}, std::size_t{6}, std::size_t{7}, std::size_t{48},
                                    std::size_t{49}, std::size_t{100'000}}) {
    const Table table(entries, kTimeouts);
    CHECK(table.capacity() >= entries);
    CHECK(std::has_single_bit(table.buckets()));
    CHECK(table.capacity() == table.buckets() * kBucketEntries);
    CHECK((table.buckets() == 1 || table.capacity() / 2 < entries));
  }
}

TEST_CASE("a flow that was inserted is found, with its backend and class, and no other is") {
  Table table(1000, kTimeouts);
  CHECK_FALSE(table.find(hash_of(3, 1), 0));
  CHECK(table.insert(hash_of(3, 1), 77, Class::established, 5) == Table::Insertion::inserted);
  const Table::Entry entry = table.find(hash_of(3, 1), 9);
  REQUIRE(entry);
  CHECK(entry.backend() == 77);
  CHECK(entry.state() == Class::established);
  CHECK(entry.age(9) == 4);
  CHECK_FALSE(table.find(hash_of(3, 2), 9));  // the same bucket
  CHECK_FALSE(table.find(hash_of(4, 1), 9));  // the same tag
}

TEST_CASE("the hash 0 and the largest backend are like any other") {
  Table table(1, kTimeouts);
  CHECK_FALSE(table.find(0, 0));
  CHECK(table.insert(0, 0, Class::opening, 0) == Table::Insertion::inserted);
  REQUIRE(table.find(0, 0));
  CHECK(table.find(0, 0).backend() == 0);
  table.reassign(table.find(0, 0), Table::kMaxBackend, Class::closing, 0);
  CHECK(table.find(0, 0).backend() == Table::kMaxBackend);
  CHECK(table.find(0, 0).state() == Class::closing);
}

TEST_CASE("each class of flow is forgotten after its own time without a packet") {
  const std::pair<Class, Tick> rows[] = {{Class::opening, Tick{10}},
                                         {Class::established, Tick{900}},
                                         {Class::closing, Tick{30}},
                                         {Class::udp, Tick{120}}};
  for (const Tick start : {Tick{0}, Tick{1000}, Tick{65'530}}) {
    Table table(1000, kTimeouts);
    for (const auto& [state, timeout] : rows) {
      const std::uint64_t hash = hash_of(1, static_cast<std::uint64_t>(state));
      table.insert(hash, 1, state, start);
      CHECK(table.find(hash, static_cast<Tick>(start + timeout)));
      CHECK_FALSE(table.find(hash, static_cast<Tick>(start + timeout + 1)));
    }
  }
}

TEST_CASE("the longest time-out that may be set is kept over a wrap of the clock") {
  Table table(6, {.opening = kMaxTimeout,
                  .established = kMaxTimeout,
                  .closing = kMaxTimeout,
                  .udp = kMaxTimeout});
  const Tick start = 50'000;
  table.insert(1, 1, Class::established, start);
  CHECK(table.find(1, static_cast<Tick>(start + kMaxTimeout)));
  CHECK_FALSE(table.find(1, static_cast<Tick>(start + kMaxTimeout + 1)));
}

TEST_CASE("a packet keeps its flow for another time-out and may change its class") {
  Table table(1000, kTimeouts);
  table.insert(42, 9, Class::opening, 100);
  table.refresh(table.find(42, 105), Class::established, 105);
  CHECK(live(table, Class::opening) == 0);
  CHECK(live(table, Class::established) == 1);
  for (Tick now = 105; now < 10'000; now = static_cast<Tick>(now + 900)) {
    REQUIRE(table.find(42, now));
    CHECK(table.find(42, now).backend() == 9);
    table.refresh(table.find(42, now), Class::established, now);
    CHECK(table.find(42, now).age(now) == 0);
  }
  // Within one tick, a change of class alone shows too.
  const Tick now = 10'005;
  table.refresh(table.find(42, now), Class::established, now);
  table.refresh(table.find(42, now), Class::closing, now);
  CHECK(table.find(42, now).state() == Class::closing);
}

TEST_CASE("a flow that is reassigned keeps its one entry") {
  Table table(6, kTimeouts);
  table.insert(5, 1, Class::established, 0);
  table.reassign(table.find(5, 3), 2, Class::established, 3);
  CHECK(table.find(5, 3).backend() == 2);
  CHECK(table.find(5, 3).age(3) == 0);
  CHECK(live(table, Class::established) == 1);
}

TEST_CASE("a bucket full of flows that live takes no other, and keeps its own") {
  for (const Class state : {Class::established, Class::closing, Class::udp}) {
    Table table(1000, kTimeouts);
    for (std::uint32_t n = 0; n < kBucketEntries; ++n)
      REQUIRE(table.insert(hash_of(7, n), n, state, 0) == Table::Insertion::inserted);
    CHECK(table.insert(hash_of(7, 100), 100, state, 1) == Table::Insertion::full);
    CHECK(table.insert(hash_of(7, 100), 100, Class::opening, 1) == Table::Insertion::full);
    CHECK_FALSE(table.find(hash_of(7, 100), 1));
    CHECK(table.insert(hash_of(8, 100), 100, state, 1) == Table::Insertion::inserted);
    for (std::uint32_t n = 0; n < kBucketEntries; ++n) {
      REQUIRE(table.find(hash_of(7, n), 1));
      CHECK(table.find(hash_of(7, n), 1).backend() == n);
    }
    CHECK(live(table, state) == kBucketEntries + 1);
  }
}

TEST_CASE("a full bucket has room again once one of its flows has expired") {
  Table table(6, kTimeouts);
  for (std::uint32_t n = 0; n < kBucketEntries; ++n)
    table.insert(hash_of(0, n), n, n == 3 ? Class::closing : Class::established, 0);
  CHECK(table.insert(hash_of(0, 50), 50, Class::opening, 30) == Table::Insertion::full);
  CHECK(table.insert(hash_of(0, 50), 50, Class::opening, 31) == Table::Insertion::inserted);
  CHECK_FALSE(table.find(hash_of(0, 3), 31));
  CHECK(table.find(hash_of(0, 50), 31).backend() == 50);
}

TEST_CASE("in a full bucket the oldest opening flow makes room, also over a wrap of the clock") {
  for (const Tick start : {Tick{0}, Tick{65'533}}) {
    Table table(6, kTimeouts);
    const auto at = [&](unsigned ticks) { return static_cast<Tick>(start + ticks); };
    table.insert(hash_of(0, 0), 0, Class::established, at(0));
    table.insert(hash_of(0, 3), 3, Class::udp, at(0));
    table.insert(hash_of(0, 5), 5, Class::closing, at(0));
    table.insert(hash_of(0, 2), 2, Class::opening, at(2));
    table.insert(hash_of(0, 1), 1, Class::opening, at(3));
    table.insert(hash_of(0, 4), 4, Class::opening, at(4));
    table.refresh(table.find(hash_of(0, 1), at(5)), Class::opening, at(5));  // a SYN sent again
    for (const unsigned victim : {2U, 4U, 1U}) {
      CHECK(table.find(hash_of(0, victim), at(6)));
      CHECK(table.insert(hash_of(0, 10 + victim), 9, Class::established, at(6)) ==
            Table::Insertion::evicted_opening);
      CHECK_FALSE(table.find(hash_of(0, victim), at(6)));
    }
    CHECK(table.insert(hash_of(0, 20), 9, Class::opening, at(6)) == Table::Insertion::full);
    CHECK(live(table, Class::opening) == 0);
    CHECK(live(table, Class::established) == 4);
  }
}

TEST_CASE("a flood of opening flows does not push out one that is established") {
  Table table(6 * 256, kTimeouts);
  REQUIRE(table.buckets() == 256);
  const Class kept[] = {Class::established, Class::udp, Class::closing};
  for (std::uint64_t bucket = 0; bucket < 256; ++bucket)
    for (std::uint32_t n = 0; n < 3; ++n) table.insert(hash_of(bucket, n), n, kept[n], 0);

  std::uint64_t hash = 0x9e3779b97f4a7c15;
  for (int i = 0; i < 1'000'000; ++i) {
    hash = hash * 6364136223846793005 + 1442695040888963407;
    const auto now = static_cast<Tick>(i / 40'000);  // 25 ticks: opening ones expire in between
    if (!table.find(hash, now)) table.insert(hash, 99, Class::opening, now);
  }
  for (std::uint64_t bucket = 0; bucket < 256; ++bucket)
    for (std::uint32_t n = 0; n < 3; ++n) {
      const Table::Entry entry = table.find(hash_of(bucket, n), 25);
      REQUIRE(entry);
      CHECK(entry.backend() == n);
    }
  CHECK(live(table, Class::opening) == 3 * 256);
}

TEST_CASE("a sweep frees what has expired, all of it in one round, and nothing else") {
  Table table(6 * 64, kTimeouts);
  for (std::uint64_t bucket = 0; bucket < 64; ++bucket) {
    table.insert(hash_of(bucket, 0), 0, Class::opening, 0);
    table.insert(hash_of(bucket, 1), 1, Class::established, 0);
  }
  table.sweep(10, 64);
  CHECK(live(table, Class::opening) == 64);
  table.sweep(11, 16);
  CHECK(live(table, Class::opening) == 48);
  table.sweep(11, 47);
  CHECK(live(table, Class::opening) == 1);
  table.sweep(11, 1);
  CHECK(live(table, Class::opening) == 0);
  CHECK(live(table, Class::established) == 64);
  table.sweep(11, 1000);  // more buckets than there are
  CHECK(live(table, Class::established) == 64);
  table.sweep(901, 64);
  CHECK(live(table, Class::established) == 0);
}

TEST_CASE("what was swept stays forgotten when the clock comes round") {
  Table table(6, kTimeouts);
  table.insert(1, 1, Class::established, 100);
  table.sweep(2000, 1);
  CHECK_FALSE(table.find(1, 100));
  CHECK_FALSE(table.find(1, 101));
}

TEST_CASE("an expired entry of the same flow does not come back beside its new one") {
  Table table(6, kTimeouts);
  table.insert(hash_of(0, 0), 10, Class::opening, 0);
  table.insert(hash_of(0, 1), 11, Class::opening, 0);
  // Both have expired: the second flow comes again first, into whichever entry the table takes.
  table.insert(hash_of(0, 1), 21, Class::established, 100);
  CHECK(table.find(hash_of(0, 1), 100).backend() == 21);
  table.sweep(100, 1);
  CHECK(table.find(hash_of(0, 1), 100).backend() == 21);
  CHECK(live(table, Class::opening) == 0);
  CHECK(live(table, Class::established) == 1);
}

TEST_CASE("a table that was moved keeps its flows") {
  Table table(100, kTimeouts);
  table.insert(1, 1, Class::udp, 0);
  Table other(std::move(table));
  CHECK(other.find(1, 0).backend() == 1);
  CHECK(live(other, Class::udp) == 1);
}

// Where an entry lies. Its first member is the pointer to its bucket.
std::uintptr_t bucket_address(const Table::Entry& entry) {
  static_assert(sizeof(Table::Entry) == 2 * sizeof(std::uintptr_t));
  return std::bit_cast<std::array<std::uintptr_t, 2>>(entry)[0];
}

TEST_CASE("two tables share no memory, and each bucket is one cache line") {
  Table tables[] = {Table(6 * 1024, kTimeouts), Table(6 * 1024, kTimeouts)};
  std::array<std::pair<std::uintptr_t, std::uintptr_t>, 2> range;
  for (std::size_t t = 0; t < 2; ++t) {
    range.at(t) = {UINTPTR_MAX, 0};
    for (std::uint64_t bucket = 0; bucket < 1024; ++bucket) {
      tables[t].insert(bucket, 1, Class::udp, 0);
      const std::uintptr_t at = bucket_address(tables[t].find(bucket, 0));
      if (at % 64 != 0) FAIL_CHECK(bucket);
      range.at(t).first = std::min(range.at(t).first, at);
      range.at(t).second = std::max(range.at(t).second, at + 64);
    }
    CHECK(range.at(t).second - range.at(t).first == 1024 * 64);
  }
  CHECK((range[0].second <= range[1].first || range[1].second <= range[0].first));
}

TEST_CASE("two threads, each with its own table, do not disturb each other") {
  // The same flows in both, with backends that tell the tables apart. Under the thread sanitizer a
  // single shared byte fails this.
  const auto run = [](std::uint32_t backend, std::uint64_t& wrong) {
    Table table(6 * 512, kTimeouts);
    std::uint64_t hash = 1;
    for (int i = 0; i < 200'000; ++i) {
      hash = hash * 6364136223846793005 + 1442695040888963407;
      const std::uint64_t flow = hash_of(hash >> 33 & 511, hash >> 50 & 7);
      const auto now = static_cast<Tick>(i / 100);
      if (const Table::Entry entry = table.find(flow, now)) {
        wrong += entry.backend() != backend ? 1U : 0U;
        table.refresh(entry, Class::established, now);
      } else {
        table.insert(flow, backend, Class::opening, now);
      }
      if (i % 64 == 0) table.sweep(now, 1);
    }
  };
  std::uint64_t wrong[2] = {};
  std::thread first(run, 1U, std::ref(wrong[0]));
  std::thread second(run, 2U, std::ref(wrong[1]));
  first.join();
  second.join();
  CHECK(wrong[0] == 0);
  CHECK(wrong[1] == 0);
}

}  // namespace
}  // namespace guideway::flow
