// Publication: workers always have a whole snapshot, and what they let go of is freed.
#include "state/publication.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "support/catch.h"

namespace guideway {
namespace {

// Counts the snapshots of one test that live, and knows which: each holds a table whose deleter
// crosses its generation off.
class Register {
 public:
  explicit Register(std::size_t generations) : alive_(generations + 1) {}

  std::unique_ptr<const Snapshot> make(std::uint64_t generation) {
    auto snapshot = std::make_unique<Snapshot>();
    snapshot->generation = generation;
    snapshot->seed = {generation, ~generation};
    snapshot->backends.resize(8);
    for (Backend& backend : snapshot->backends)
      backend.egress_device = static_cast<std::uint32_t>(generation);
    alive_.at(generation).store(true);
    snapshot->pools.push_back(
        {std::shared_ptr<const maglev::Table>(new maglev::Table,
                                              [this, generation](const maglev::Table* table) {
                                                alive_.at(generation).store(false);
                                                delete table;
                                              }),
         {}});
    return snapshot;
  }

  [[nodiscard]] bool alive(std::uint64_t generation) const { return alive_.at(generation).load(); }
  [[nodiscard]] std::ptrdiff_t count() const {
    return std::ranges::count_if(alive_, [](const auto& alive) { return alive.load(); });
  }

 private:
  std::vector<std::atomic<bool>> alive_;
};

// Every part of the snapshot is of one generation.
bool is_whole(const Snapshot& snapshot) {
  return snapshot.seed.first == snapshot.generation &&
         snapshot.seed.second == ~snapshot.generation && snapshot.pools.size() == 1 &&
         snapshot.backends.size() == 8 &&
         std::ranges::all_of(snapshot.backends, [&](const Backend& backend) {
           return backend.egress_device == snapshot.generation;
         });
}

TEST_CASE("a worker adopts the newest snapshot, and says which") {
  Register all(3);
  Publication publication(2, all.make(1));
  CHECK(publication.adopted_by(0) == 0);
  CHECK(publication.adopt(0).generation == 1);
  CHECK(publication.adopted_by(0) == 1);
  CHECK(publication.adopted_by(1) == 0);
  publication.publish(all.make(2));
  publication.publish(all.make(3));
  CHECK(publication.current().generation == 3);
  CHECK(publication.adopted_by(0) == 1);  // until its next batch
  CHECK(publication.adopt(0).generation == 3);
  CHECK(publication.adopt(1).generation == 3);
}

TEST_CASE("what a worker may hold is kept, what all have let go of is freed") {
  Register all(4);
  Publication publication(2, all.make(1));
  publication.adopt(0);
  publication.adopt(1);
  publication.publish(all.make(2));
  CHECK(publication.reclaim() == 1);
  CHECK(all.alive(1));

  publication.adopt(0);
  CHECK(publication.reclaim() == 1);  // worker 1 still works by generation 1
  publication.publish(all.make(3));
  publication.adopt(0);
  CHECK(publication.reclaim() == 2);
  publication.adopt(1);
  CHECK(publication.reclaim() == 0);
  CHECK_FALSE(all.alive(1));
  CHECK_FALSE(all.alive(2));
  CHECK(all.alive(3));
  CHECK(publication.reclaim() == 0);  // the current one is never freed
  CHECK(publication.current().generation == 3);
}

TEST_CASE("what lies between two held snapshots is kept too, what lies before them is not") {
  Register all(5);
  Publication publication(2, all.make(1));
  publication.adopt(0);
  publication.publish(all.make(2));
  publication.adopt(1);
  publication.publish(all.make(3));
  publication.publish(all.make(4));
  publication.adopt(0);
  CHECK(publication.reclaim() == 2);
  CHECK_FALSE(all.alive(1));
  CHECK(all.alive(2));
  CHECK(all.alive(4));
}

TEST_CASE("a worker that has not started keeps everything") {
  Register all(10);
  Publication publication(2, all.make(1));
  publication.adopt(0);
  for (std::uint64_t generation = 2; generation <= 10; ++generation) {
    publication.publish(all.make(generation));
    publication.adopt(0);
    CHECK(publication.reclaim() == generation - 1);
  }
  CHECK(all.count() == 10);
  publication.adopt(1);
  CHECK(publication.reclaim() == 0);
  CHECK(all.count() == 1);
}

TEST_CASE("without workers only the current snapshot is kept") {
  Register all(2);
  Publication publication(0, all.make(1));
  publication.publish(all.make(2));
  CHECK(publication.reclaim() == 0);
  CHECK(all.count() == 1);
}

TEST_CASE("nothing outlives the publication") {
  Register all(3);
  {
    Publication publication(1, all.make(1));
    publication.adopt(0);
    publication.publish(all.make(2));
    publication.publish(all.make(3));
    CHECK(all.count() == 3);
  }
  CHECK(all.count() == 0);
}

TEST_CASE("a reader that comes later has said nothing yet, and keeps everything until it does") {
  Register all(3);
  Publication publication(1, all.make(1), 2);
  publication.adopt(0);
  const auto reader = publication.add_reader();
  REQUIRE(reader == 1);
  CHECK(publication.adopted_by(*reader) == 0);
  publication.publish(all.make(2));
  publication.adopt(0);
  CHECK(publication.reclaim() == 1);
  CHECK(all.alive(1));
  CHECK(publication.adopt(*reader).generation == 2);
  CHECK(publication.reclaim() == 0);
  CHECK_FALSE(all.alive(1));
}

TEST_CASE("a reader that has gone holds nothing") {
  Register all(3);
  Publication publication(2, all.make(1));
  publication.adopt(0);
  publication.adopt(1);
  publication.publish(all.make(2));
  publication.adopt(0);
  CHECK(publication.reclaim() == 1);
  publication.remove_reader(1);
  CHECK(publication.reclaim() == 0);
  CHECK_FALSE(all.alive(1));
  publication.remove_reader(0);
  publication.publish(all.make(3));
  CHECK(publication.reclaim() == 0);
  CHECK(all.count() == 1);
}

TEST_CASE(
    "there are as many readers as there is room for, and a place that is left is given again") {
  Register all(2);
  Publication publication(1, all.make(1), 3);
  CHECK(publication.add_reader() == 1);
  CHECK(publication.add_reader() == 2);
  CHECK_FALSE(publication.add_reader().has_value());
  publication.adopt(0);
  publication.adopt(1);
  publication.adopt(2);
  publication.remove_reader(1);
  CHECK(publication.add_reader() == 1);
  CHECK(publication.adopted_by(1) == 0);  // not what the one before it has said
  CHECK_FALSE(publication.add_reader().has_value());
  publication.publish(all.make(2));
  publication.adopt(0);
  publication.adopt(2);
  CHECK(publication.reclaim() == 1);
}

TEST_CASE("without room of its own a publication has that of its first readers") {
  Register all(1);
  const std::size_t capacity = GENERATE(0U, 1U, 2U);
  Publication publication(2, all.make(1), capacity);
  CHECK_FALSE(publication.add_reader().has_value());
  publication.remove_reader(0);
  CHECK(publication.add_reader() == 0);
}

TEST_CASE("a generation is adopted by all when every reader works by it or by a later one") {
  Register all(3);
  Publication publication(2, all.make(1), 3);
  CHECK_FALSE(publication.all_adopted(1));
  publication.adopt(0);
  CHECK_FALSE(publication.all_adopted(1));
  publication.adopt(1);
  CHECK(publication.all_adopted(1));
  CHECK_FALSE(publication.all_adopted(2));

  publication.publish(all.make(2));
  publication.adopt(0);
  publication.publish(all.make(3));
  publication.adopt(1);
  CHECK(publication.all_adopted(2));  // by one of them, and by one later
  CHECK_FALSE(publication.all_adopted(3));

  SECTION("who comes has yet to adopt it, who goes need not") {
    const auto reader = publication.add_reader();
    REQUIRE(reader.has_value());
    CHECK_FALSE(publication.all_adopted(2));
    publication.remove_reader(*reader);
    CHECK(publication.all_adopted(2));
    publication.remove_reader(0);
    CHECK(publication.all_adopted(3));
  }
  SECTION("without readers there is nobody to wait for") {
    publication.remove_reader(0);
    publication.remove_reader(1);
    CHECK(publication.all_adopted(3));
  }
}

TEST_CASE("readers come and go while others read, and no snapshot is freed under any of them") {
  constexpr std::uint64_t kGenerations = 3000;
  Register all(kGenerations);
  Publication publication(1, all.make(1), 3);
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> broken{0};
  const auto read_once = [&](std::size_t reader) {
    const Snapshot& snapshot = publication.adopt(reader);
    if (!is_whole(snapshot) || !all.alive(snapshot.generation)) ++broken;
  };
  std::thread always([&] {
    while (!over) read_once(0);
  });
  struct Visitor {
    std::size_t reader;
    std::thread thread;
  };
  std::vector<Visitor> visitors;
  std::uint64_t visits = 0;
  for (std::uint64_t generation = 2; generation <= kGenerations; ++generation) {
    publication.publish(all.make(generation));
    if (generation % 3 == 0) {
      if (const auto reader = publication.add_reader()) {
        ++visits;
        visitors.push_back({*reader, std::thread([&, reader] {
                              for (int batch = 0; batch < 20; ++batch) read_once(*reader);
                            })});
      } else {
        visitors.front().thread.join();
        publication.remove_reader(visitors.front().reader);
        visitors.erase(visitors.begin());
      }
    }
    publication.reclaim();
  }
  over = true;
  always.join();
  for (Visitor& visitor : visitors) {
    visitor.thread.join();
    publication.remove_reader(visitor.reader);
  }
  CHECK(broken == 0);
  CHECK(visits > 100);
  publication.adopt(0);
  CHECK(publication.reclaim() == 0);
  CHECK(all.count() == 1);
}

TEST_CASE("no snapshot is freed while a worker reads it") {
  constexpr std::size_t kReaders = 3;
  constexpr std::uint64_t kGenerations = 5000;
  Register all(kGenerations);
  Publication publication(kReaders, all.make(1));
  std::atomic<std::uint64_t> broken{0};
  std::atomic<std::uint64_t> went_back{0};
  std::vector<std::thread> readers;
  for (std::size_t reader = 0; reader < kReaders; ++reader)
    readers.emplace_back([&, reader] {
      for (std::uint64_t last = 0; last < kGenerations;) {
        const Snapshot& snapshot = publication.adopt(reader);
        if (snapshot.generation < last) ++went_back;
        last = snapshot.generation;
        // A batch of some length, at the end of which it must still be whole and alive.
        for (int i = 0; i < 5; ++i)
          if (!is_whole(snapshot) || !all.alive(last)) ++broken;
      }
    });

  // The publisher never runs far ahead of the readers, so that memory is given back while they run.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto wait_for = [&](std::size_t waiting) {
    while (publication.reclaim() > waiting && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
  };
  std::size_t most_alive = 0;
  for (std::uint64_t generation = 2; generation <= kGenerations; ++generation) {
    publication.publish(all.make(generation));
    wait_for(50);
    if (generation % 64 == 0)
      most_alive = std::max(most_alive, static_cast<std::size_t>(all.count()));
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(broken == 0);
  CHECK(went_back == 0);
  CHECK(most_alive <= 51);
  CHECK(publication.reclaim() == 0);
  CHECK(all.count() == 1);
}

}  // namespace
}  // namespace guideway
