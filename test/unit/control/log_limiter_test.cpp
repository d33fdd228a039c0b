// LogLimiter: how many lines get through, and that none is lost without being counted.
#include "core/log_limiter.h"

#include <random>

#include "support/catch.h"

namespace guideway::control {
namespace {

using namespace std::chrono_literals;

constexpr LogLimiter::Time kStart{1000h};

// How many of `lines` are let through at one moment.
std::uint32_t let_through(LogLimiter& limiter, LogLimiter::Time now, int lines) {
  std::uint32_t count = 0;
  for (int i = 0; i < lines; ++i) count += limiter.allow(now) ? 1U : 0U;
  return count;
}

TEST_CASE("a burst gets through, and no more") {
  LogLimiter limiter(5, 100ms);
  CHECK(let_through(limiter, kStart, 20) == 5);
  CHECK(let_through(limiter, kStart + 99ms, 20) == 0);
  CHECK(limiter.suppressed() == 35);
}

TEST_CASE("also at the clock's zero") {
  LogLimiter limiter(3, 100ms);
  CHECK(let_through(limiter, LogLimiter::Time{}, 20) == 3);
}

TEST_CASE("each refill lets one more through, up to a burst") {
  LogLimiter limiter(5, 100ms);
  (void)let_through(limiter, kStart, 5);
  CHECK(let_through(limiter, kStart + 100ms, 9) == 1);
  CHECK(let_through(limiter, kStart + 350ms, 9) == 2);
  CHECK(let_through(limiter, kStart + 10h, 9) == 5);
  CHECK(let_through(limiter, kStart + 10000h, 9) == 5);
}

TEST_CASE("with more lines than there is room for, one each refill gets through on average") {
  std::minstd_rand chance(3);
  LogLimiter limiter(10, 200ms);
  LogLimiter::Time now = kStart;
  std::uint64_t through = 0, asked = 0;
  while (now < kStart + 1000s) {
    through += limiter.allow(now) ? 1U : 0U;
    ++asked;
    now += std::chrono::milliseconds(1 + chance() % 198);  // less than a refill
  }
  CHECK(through >= 10 + 4998);
  CHECK(through <= 10 + 5000);
  CHECK(limiter.suppressed() == asked - through);
}

TEST_CASE("what is left out is told once") {
  LogLimiter limiter(1, 1s);
  (void)let_through(limiter, kStart, 4);
  CHECK(limiter.take_untold() == 3);
  CHECK(limiter.take_untold() == 0);
  (void)let_through(limiter, kStart, 2);
  CHECK(limiter.take_untold() == 2);
  CHECK(limiter.suppressed() == 5);
}

}  // namespace
}  // namespace guideway::control
