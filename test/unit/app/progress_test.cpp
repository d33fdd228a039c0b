// app/progress.h: who goes on, and who does not. Times are made up.
#include "app/progress.h"

#include <vector>

#include "support/catch.h"

using namespace std::chrono_literals;
using guideway::app::Progress;

namespace {

// Looks once a second, and calls a worker stalled after five.
struct Clock {
  Progress progress{5s, 1s};
  Progress::Clock::time_point now{1h};

  std::vector<Progress::Change> look(std::vector<Progress::Worker> workers,
                                     Progress::Duration later = 1s) {
    now += later;
    return progress.look(workers, now);
  }
};

}  // namespace

TEST_CASE("a worker that counts turns is never stalled") {
  Clock clock;
  for (std::uint64_t turns = 0; turns < 100; ++turns) CHECK(clock.look({{"seven", turns}}).empty());
  CHECK_FALSE(clock.progress.any_stalled());
  CHECK(clock.progress.stalled_for("seven") == 0s);
}

TEST_CASE("a worker that stands still is told once, when the patience is over") {
  Clock clock;
  CHECK(clock.look({{"seven", 3}}).empty());
  for (int second = 1; second < 5; ++second) {
    CHECK(clock.look({{"seven", 3}}).empty());
    CHECK_FALSE(clock.progress.any_stalled());
  }
  const auto changes = clock.look({{"seven", 3}});
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == "seven");
  CHECK(changes[0].stalled);
  CHECK(changes[0].still == 5s);
  CHECK(clock.look({{"seven", 3}}).empty());
  CHECK(clock.progress.stalled_for("seven") == 6s);
}

TEST_CASE("one worker that stands still among others is the one that is told of") {
  Clock clock;
  std::vector<Progress::Change> told;
  for (std::uint64_t turns = 0; turns < 10; ++turns)
    for (const auto& change : clock.look({{"seven", turns}, {"eight", 0}, {"nine", turns}}))
      told.push_back(change);
  REQUIRE(told.size() == 1);
  CHECK(told[0].key == "eight");
  CHECK(clock.progress.stalled_for("seven") == 0s);
  CHECK(clock.progress.stalled_for("eight") == 9s);
}

TEST_CASE("a worker that goes on again is told, with the time that it stood still") {
  Clock clock;
  for (int second = 0; second < 9; ++second) (void)clock.look({{"seven", 3}});
  REQUIRE(clock.progress.any_stalled());
  const auto changes = clock.look({{"seven", 4}});
  REQUIRE(changes.size() == 1);
  CHECK_FALSE(changes[0].stalled);
  CHECK(changes[0].still == 8s);
  CHECK_FALSE(clock.progress.any_stalled());
  for (int second = 1; second < 5; ++second) CHECK(clock.look({{"seven", 4}}).empty());
  CHECK(clock.look({{"seven", 4}}).size() == 1);
}

TEST_CASE("a worker that a reload has ended does not count, and its name may be given again") {
  Clock clock;
  for (int second = 0; second < 9; ++second) (void)clock.look({{"seven", 3}});
  REQUIRE(clock.progress.any_stalled());
  CHECK(clock.look({}).empty());
  CHECK_FALSE(clock.progress.any_stalled());
  CHECK(clock.look({{"seven", 3}}).empty());
  CHECK(clock.progress.stalled_for("seven") == 0s);
}

TEST_CASE("a pause of the whole process is no stall of a worker") {
  Clock clock;
  (void)clock.look({{"seven", 3}});
  CHECK(clock.look({{"seven", 3}}, 1h).empty());
  CHECK_FALSE(clock.progress.any_stalled());
  CHECK(clock.look({{"seven", 4}}).empty());
}
