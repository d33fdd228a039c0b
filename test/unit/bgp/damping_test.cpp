// Damping: when a prefix that was withdrawn may be announced again.
#include "bgp/damping.h"

#include <algorithm>

#include "support/catch.h"

namespace guideway::bgp {
namespace {

using namespace std::chrono_literals;
using Time = Damping::Time;

constexpr Time kStart{1000h};
constexpr Damping::Time::duration kTick{1};

Prefix prefix(const char* text) { return Prefix::parse(text).value(); }
const Prefix kOne = prefix("198.51.100.1/32");

// One prefix that is observed.
struct Watched {
  DampingRule rule;
  Damping damping;

  Damping::Verdict good(Time now) { return damping.observe(kOne, true, now, rule); }
  Damping::Verdict bad(Time now) { return damping.observe(kOne, false, now, rule); }
  // Withdraws it so often, the last time at `now`, `apart` from each other, with nothing in between
  // that is damped: by a rule that damps nothing.
  void withdraw(int times, Time now, Time::duration apart = kTick) {
    const DampingRule undamped{.first = 0ms, .most = 0ms, .window = rule.window};
    for (int i = times - 1; i >= 0; --i) {
      REQUIRE(damping.observe(kOne, true, now - i * apart, undamped).announce);
      REQUIRE_FALSE(damping.observe(kOne, false, now - i * apart, undamped).announce);
    }
  }
};

TEST_CASE("a prefix that is good when it is seen first is announced at once") {
  Watched one;
  const auto verdict = one.good(kStart);
  CHECK(verdict.announce);
  CHECK_FALSE(verdict.until);
  CHECK(verdict.withdrawals == 0);
}

TEST_CASE("a prefix that was bad from the beginning is announced as soon as it is good") {
  Watched one;
  CHECK_FALSE(one.bad(kStart).announce);
  CHECK_FALSE(one.bad(kStart + 1h).announce);
  const auto verdict = one.good(kStart + 1h + 1ms);
  CHECK(verdict.announce);
  CHECK(verdict.withdrawals == 0);
}

TEST_CASE("a prefix that turns bad is withdrawn at once, and that counts once") {
  Watched one;
  one.good(kStart);
  const auto verdict = one.bad(kStart + 5s);
  CHECK_FALSE(verdict.announce);
  CHECK_FALSE(verdict.until);
  CHECK(verdict.withdrawals == 1);
  CHECK(one.bad(kStart + 6s).withdrawals == 1);
}

TEST_CASE("after one withdrawal a prefix is back when it has been good for the first wait") {
  Watched one;
  one.good(kStart);
  one.bad(kStart);
  const auto waiting = one.good(kStart + 10s);
  CHECK_FALSE(waiting.announce);
  REQUIRE(waiting.until);
  CHECK(*waiting.until == kStart + 11s);
  CHECK_FALSE(one.good(kStart + 11s - kTick).announce);
  CHECK(one.good(kStart + 11s).announce);
}

TEST_CASE(
    "a break while a prefix is waited for begins the wait anew and is no further withdrawal") {
  Watched one;
  one.good(kStart);
  one.bad(kStart);
  one.good(kStart + 1s);
  const auto broken = one.bad(kStart + 1500ms);
  CHECK_FALSE(broken.until);
  CHECK(broken.withdrawals == 1);
  CHECK(*one.good(kStart + 1600ms).until == kStart + 2600ms);
}

TEST_CASE("each further withdrawal doubles the wait up to the most") {
  Watched one;
  Time now = kStart;
  REQUIRE(one.good(now).announce);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    one.bad(now);
    const auto waiting = one.good(now);
    REQUIRE(waiting.until);
    CHECK(*waiting.until - now == wait);
    now = *waiting.until;
    REQUIRE(one.good(now).announce);
  }
}

TEST_CASE("the wait after any number of withdrawals is between the first and the most") {
  constexpr DampingRule rule{.first = 7ms, .most = std::chrono::milliseconds::max(), .window = 1h};
  CHECK(rule.wait_after(0) == 0ms);
  CHECK(rule.wait_after(1) == 7ms);
  CHECK(rule.wait_after(3) == 28ms);
  CHECK(rule.wait_after(1'000'000) == rule.most);
  for (std::size_t n = 1; n < 100; ++n) CHECK(rule.wait_after(n) <= rule.wait_after(n + 1));
}

TEST_CASE("a most that is no power of two times the first is reached exactly") {
  constexpr DampingRule rule{.first = 1ms, .most = 5ms, .window = 1h};
  CHECK(rule.wait_after(3) == 4ms);
  CHECK(rule.wait_after(4) == 5ms);
  CHECK(rule.wait_after(5) == 5ms);
}

TEST_CASE("a most that is less than the first is what is waited") {
  constexpr DampingRule rule{.first = 10s, .most = 2s, .window = 1h};
  CHECK(rule.wait_after(1) == 2s);
  CHECK(rule.wait_after(9) == 2s);
}

TEST_CASE("a first wait of nothing damps nothing") {
  constexpr DampingRule rule{.first = 0ms, .most = 60s, .window = 1h};
  CHECK(rule.wait_after(1) == 0ms);
  CHECK(rule.wait_after(1'000'000) == 0ms);
}

TEST_CASE("a withdrawal counts until it is as old as the window") {
  Watched one;
  one.withdraw(1, kStart);
  CHECK(one.bad(kStart + one.rule.window - kTick).withdrawals == 1);
  CHECK(one.bad(kStart + one.rule.window).withdrawals == 0);
}

TEST_CASE("the last withdrawal asks for the first wait however long ago it was") {
  Watched one;
  one.withdraw(3, kStart);
  const Time later = kStart + 24h;
  const auto waiting = one.good(later);
  CHECK_FALSE(waiting.announce);
  CHECK(waiting.withdrawals == 0);
  CHECK(*waiting.until == later + 1s);
  CHECK(one.good(later + 1s).announce);
}

TEST_CASE("a prefix that is back after the window begins with the first wait again") {
  Watched one;
  one.withdraw(5, kStart);
  const Time later = kStart + 24h;
  one.good(later);
  REQUIRE(one.good(later + 1s).announce);
  one.bad(later + 2s);
  const auto waiting = one.good(later + 2s);
  CHECK(waiting.withdrawals == 1);
  CHECK(*waiting.until == later + 3s);
}

TEST_CASE("a withdrawal that gets too old while a prefix is waited for makes the wait shorter") {
  Watched one;
  one.rule = {.first = 10s, .most = 80s, .window = 100s};
  one.withdraw(3, kStart + 40s, 20s);  // at 0, 20 and 40 s
  // Three count: 40 s, so until 135 s; but from 100 s on two: 20 s, which are over by then.
  const auto waiting = one.good(kStart + 95s);
  REQUIRE(waiting.until);
  CHECK(*waiting.until == kStart + 115s);
  CHECK_FALSE(one.good(kStart + 115s - kTick).announce);
  CHECK(one.good(kStart + 115s).announce);
}

TEST_CASE("a prefix may be back at the very moment at which a withdrawal counts no more") {
  Watched one;
  one.rule = {.first = 10s, .most = 80s, .window = 100s};
  one.withdraw(3, kStart + 40s, 20s);
  // Three count: until 110 s; from 100 s on two, and then 30 s have passed of the 20 s.
  const auto waiting = one.good(kStart + 70s);
  REQUIRE(waiting.until);
  CHECK(*waiting.until == kStart + 100s);
  CHECK_FALSE(one.good(kStart + 100s - kTick).announce);
  CHECK(one.good(kStart + 100s).announce);
}

TEST_CASE("another rule holds for what was withdrawn before it") {
  Watched one;
  one.withdraw(3, kStart);
  CHECK(*one.good(kStart).until == kStart + 4s);
  one.rule.first = 10s;
  CHECK(*one.good(kStart + 1s).until == kStart + 40s);
  one.rule.window = 1s;
  CHECK(*one.good(kStart + 2s).until == kStart + 10s);
  one.rule.first = 2s;
  CHECK(one.good(kStart + 2s).announce);
}

TEST_CASE("a prefix that is not kept is as if never seen, and others are not touched") {
  Watched one;
  const Prefix other = prefix("2001:db8::1/128");
  one.withdraw(1, kStart);
  one.damping.observe(other, true, kStart, one.rule);
  one.damping.observe(other, false, kStart, one.rule);
  one.damping.keep({other});
  CHECK(one.good(kStart).announce);
  CHECK_FALSE(one.damping.observe(other, true, kStart, one.rule).announce);
}

TEST_CASE("prefixes with one address and different lengths are damped apart") {
  Watched one;
  one.withdraw(1, kStart);
  CHECK(one.damping.observe(prefix("198.51.100.0/24"), true, kStart, one.rule).announce);
  CHECK_FALSE(one.good(kStart).announce);
}

TEST_CASE("so many withdrawals are remembered and not more") {
  Watched one;
  one.withdraw(static_cast<int>(Damping::kMostRemembered) + 5, kStart);
  const auto waiting = one.good(kStart);
  CHECK(waiting.withdrawals == Damping::kMostRemembered);
  CHECK(*waiting.until == kStart + 60s);
}

TEST_CASE("a prefix that fails as soon as it is announced is announced ten times in any window") {
  Watched one;
  std::vector<Time> announced;
  Time now = kStart;
  while (now < kStart + 2h) {
    const auto verdict = one.good(now);
    if (verdict.announce) {
      announced.push_back(now);
      one.bad(now);
    } else {
      now = verdict.until.value();
    }
  }
  std::ptrdiff_t most = 0;
  for (const Time last : announced)
    most = std::max(most, std::ranges::count_if(announced, [&](Time at) {
                      return at <= last && last - at < one.rule.window;
                    }));
  CHECK(most == 10);
  CHECK(announced.size() > 100);
}

}  // namespace
}  // namespace guideway::bgp
