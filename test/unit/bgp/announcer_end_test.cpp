// Announcer: waiting until the speaker is in step, and the end of an announcer that is at work.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "support/catch.h"
#include "unit/bgp/scripted_speaker.h"

namespace guideway::bgp {
namespace {

using namespace testing;

// settled(), and what came of it.
std::shared_ptr<std::optional<bool>> wait(World& world,
                                          std::chrono::milliseconds patience = kNever) {
  auto outcome = std::make_shared<std::optional<bool>>();
  boost::asio::co_spawn(world.io, world.announcer->settled(patience),
                        [outcome](const std::exception_ptr& problem, bool settled) {
                          if (!problem) *outcome = settled;
                        });
  return outcome;
}
bool eventually_out(World& world, const std::shared_ptr<std::optional<bool>>& outcome) {
  return world.eventually([&] { return outcome->has_value(); });
}

TEST_CASE("who waits hears when the speaker is in step") {
  World world;
  world.script->hold();
  world.announcer->want(kFirst);
  const auto outcome = wait(world);
  REQUIRE(world.eventually_begun(1));
  world.io.poll();
  CHECK_FALSE(outcome->has_value());
  world.script->release();
  REQUIRE(eventually_out(world, outcome));
  CHECK(**outcome);
}

TEST_CASE("who waits for what is so already, or for nothing, waits for nobody") {
  World world;
  const auto nothing = wait(world, 0ms);
  REQUIRE(eventually_out(world, nothing));
  CHECK(**nothing);
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_in_step());
  const auto outcome = wait(world, 0ms);
  REQUIRE(eventually_out(world, outcome));
  CHECK(**outcome);
  CHECK(world.script->begun() == 1);
}

TEST_CASE("who waits longer than his patience hears that it was in vain") {
  World world;
  world.script->hold();
  world.announcer->want(kFirst);
  const auto outcome = wait(world, 1ms);
  REQUIRE(eventually_out(world, outcome));
  CHECK_FALSE(**outcome);
  world.script->release();
  CHECK(world.eventually_in_step());
}

TEST_CASE("a call with what was wanted before ends no wait, and one with something later does") {
  World world;
  world.script->hold();
  world.script->answer = [&](const Wanted&, std::size_t call) {
    if (call == 1) world.script->hold();  // the next one
    return Report{};
  };
  world.announcer->want(kFirst);
  const auto first = wait(world);
  REQUIRE(world.eventually_begun(1));
  world.announcer->want(kSecond);
  const auto second = wait(world);
  world.announcer->want(kThird);
  world.script->release();
  REQUIRE(world.eventually_begun(2));
  REQUIRE(eventually_out(world, first));
  CHECK(**first);
  world.io.poll();
  CHECK_FALSE(second->has_value());
  world.script->release();
  REQUIRE(eventually_out(world, second));
  CHECK(**second);
  CHECK(world.script->calls() == std::vector{kFirst, kThird});
}

TEST_CASE("a wait is for what was wanted when it was asked for and not when it is awaited") {
  World world;
  world.announcer->want(kFirst);
  auto waiting = world.announcer->settled(kNever);
  REQUIRE(world.eventually_in_step());
  world.script->hold();
  world.announcer->want(kSecond);
  std::optional<bool> outcome;
  boost::asio::co_spawn(world.io, std::move(waiting),
                        [&](const std::exception_ptr&, bool settled) { outcome = settled; });
  REQUIRE(world.eventually([&] { return outcome.has_value(); }));
  CHECK(*outcome);
  world.script->release();
}

TEST_CASE("a wait goes on over a call that failed") {
  World world(1ms);
  world.script->answer = [](const Wanted&, std::size_t call) -> Result<Report> {
    if (call < 4) return fail("no");
    return Report{};
  };
  world.announcer->want(kFirst);
  const auto outcome = wait(world);
  REQUIRE(eventually_out(world, outcome));
  CHECK(**outcome);
  CHECK(world.state().failures == 3);
}

TEST_CASE("who waits for a speaker that was lost is not told that all is well") {
  World world(1ms);
  world.script->answer = [](const Wanted&, std::size_t call) -> Result<Report> {
    if (call == 1) return Report{};
    return fail("no");
  };
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_calls(2));  // both with what is wanted still
  const auto outcome = wait(world, 1ms);
  REQUIRE(eventually_out(world, outcome));
  CHECK_FALSE(**outcome);
}

TEST_CASE("an announcer that ends during a call ends the call, and nothing is told any more") {
  World world;
  world.script->hold();
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_begun(1));
  const auto outcome = wait(world);
  world.io.poll();
  world.announcer.reset();  // comes back, though nobody releases the call
  REQUIRE(eventually_out(world, outcome));
  CHECK_FALSE(**outcome);
  world.io.run();
  CHECK(world.changes == 0);
}

TEST_CASE("an announcer whose call has not begun, or does not hear at once, ends it all the same") {
  World world;
  world.script->deaf = 2;
  world.script->hold();
  world.announcer->want(kFirst);
  world.announcer.reset();
  world.io.run();
  CHECK(world.script->begun() == 1);
  CHECK(world.changes == 0);
}

TEST_CASE("an answer that is under way when the announcer ends is not taken") {
  World world;
  std::atomic<bool> answered = false;
  world.script->answer = [&](const Wanted&, std::size_t) {
    answered = true;
    return Report{};
  };
  world.announcer->want(kFirst);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!answered && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();  // the loop does not run meanwhile
  REQUIRE(answered);
  world.announcer.reset();
  world.io.run();
  CHECK(world.changes == 0);
}

TEST_CASE("an announcer that ends between two calls leaves nothing on the loop") {
  World world;
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_in_step());
  world.announcer.reset();
  world.io.restart();
  world.io.run();
  CHECK(world.changes == 1);
}

}  // namespace
}  // namespace guideway::bgp
