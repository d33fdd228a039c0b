// Announcer: when the speaker is called, and what is known of it afterwards.
#include "bgp/announcer.h"

#include <stdexcept>

#include "support/catch.h"
#include "unit/bgp/scripted_speaker.h"

namespace guideway::bgp {
namespace {

using namespace testing;
using Contact = Announcer::State::Contact;

Result<Report> refused() { return fail("asking GoBGP: Connection refused", "start gobgpd"); }

TEST_CASE("the speaker is not called before something is wanted") {
  World world;
  CHECK(world.io.run() == 0);
  CHECK(world.script->begun() == 0);
  CHECK(world.state().contact == Contact::none_yet);
}

TEST_CASE("what is wanted is brought about at once, on another thread") {
  World world;
  world.announcer->want(kFirst);
  CHECK_FALSE(world.state().in_step);
  REQUIRE(world.eventually_in_step());
  CHECK(world.script->calls() == std::vector{kFirst});
  CHECK(world.script->thread() != std::this_thread::get_id());
  CHECK(world.state().contact == Contact::reached);
  CHECK(world.state().calls == 1);
}

TEST_CASE("to want the same again calls nobody") {
  World world;
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_in_step());
  world.announcer->want(kFirst);
  CHECK(world.state().in_step);
  world.announcer->want(kSecond);
  REQUIRE(world.eventually_in_step());
  CHECK(world.script->calls() == std::vector{kFirst, kSecond});
}

TEST_CASE("a change just after a call calls at once and does not wait for the period") {
  World world;  // whose period does not end
  for (const Wanted& wanted : {kFirst, kSecond, kThird}) {
    world.announcer->want(wanted);
    REQUIRE(world.eventually_in_step());
  }
  CHECK(world.script->calls() == std::vector{kFirst, kSecond, kThird});
}

TEST_CASE("what changes while a call goes on is one further call, with the last of it") {
  World world;
  world.script->hold();
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_begun(1));
  for (const Wanted& wanted : {kSecond, kFirst, kSecond, kThird}) world.announcer->want(wanted);
  CHECK(world.script->begun() == 1);
  world.script->release();
  REQUIRE(world.eventually_in_step());
  CHECK(world.script->calls() == std::vector{kFirst, kThird});
  CHECK(world.script->most_at_once() == 1);
}

TEST_CASE("a call that succeeds with what is wanted no more is not in step") {
  World world;
  world.script->hold();
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_begun(1));
  world.announcer->want(kSecond);
  world.script->answer = [&](const Wanted&, std::size_t call) {
    if (call == 1) world.script->hold();  // the next one
    return Report{};
  };
  world.script->release();
  REQUIRE(world.eventually_begun(2));
  CHECK(world.state().calls == 1);
  CHECK(world.state().contact == Contact::reached);
  CHECK_FALSE(world.state().in_step);
  world.script->release();
  CHECK(world.eventually_in_step());
}

TEST_CASE("the speaker is called again and again with the same") {
  World world(1ms);
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_calls(5));
  for (const Wanted& wanted : world.script->calls()) CHECK(wanted == kFirst);
  CHECK(world.script->most_at_once() == 1);
}

TEST_CASE("a call that takes longer than the period is not followed by a queue of calls") {
  World world(1ms);
  world.script->hold();
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_begun(1));
  for (int i = 0; i < 20; ++i) world.io.run_one_for(1ms);
  CHECK(world.script->begun() == 1);
  world.script->release();
  REQUIRE(world.eventually_calls(3));
  CHECK(world.script->most_at_once() == 1);
}

TEST_CASE("a loop that has nothing else to do waits for the answer") {
  World world;
  world.script->hold();
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_begun(1));
  world.io.restart();
  CHECK(world.io.poll() == 0);
  CHECK_FALSE(world.io.stopped());
  world.script->release();
  CHECK(world.eventually_in_step());
}

TEST_CASE("a speaker that never answered has no contact, and says why, and is asked again") {
  World world(1ms);
  world.script->answer = [&](const Wanted&, std::size_t call) -> Result<Report> {
    if (call == 2) world.script->hold();  // the next one
    if (call <= 3) return refused();
    return Report{};
  };
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_calls(2));
  CHECK(world.state().contact == Contact::none_yet);
  CHECK(world.state().error == "asking GoBGP: Connection refused (start gobgpd)");
  CHECK_FALSE(world.state().in_step);
  world.script->release();
  REQUIRE(world.eventually_in_step());
  CHECK(world.state().contact == Contact::reached);
  CHECK(world.state().error.empty());
  CHECK(world.state().failures == 3);
}

TEST_CASE("a speaker that answers no more is lost, and what it last said stays known") {
  World world;
  world.script->answer = [](const Wanted&, std::size_t call) -> Result<Report> {
    if (call == 2) return refused();
    return Report{.name = "GoBGP", .asn = 64512};
  };
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_in_step());
  const auto since = world.state().since;
  world.announcer->want(kSecond);
  REQUIRE(world.eventually_calls(2));
  CHECK(world.state().contact == Contact::lost);
  CHECK(world.state().since > since);
  CHECK(world.state().last->name == "GoBGP");
  CHECK_FALSE(world.state().in_step);
  world.announcer->want(kThird);
  REQUIRE(world.eventually_in_step());
  CHECK(world.state().contact == Contact::reached);
}

TEST_CASE("what a speaker throws is an error, whatever it is") {
  World world;
  world.script->answer = [](const Wanted&, std::size_t call) -> Result<Report> {
    if (call == 1) throw std::runtime_error("out of luck");
    throw 42;
  };
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_calls(1));
  CHECK(world.state().error == "asking the BGP speaker: out of luck");
  world.announcer->want(kSecond);
  REQUIRE(world.eventually_calls(2));
  CHECK(world.state().error == "asking the BGP speaker: an exception that says nothing of itself");
  CHECK(world.state().failures == 2);
}

TEST_CASE("routes are counted, and as corrected what nobody had asked for") {
  World world(1ms);
  world.script->answer = [](const Wanted&, std::size_t call) -> Result<Report> {
    switch (call) {
      case 1: return Report{.asn = 1, .started = true, .added = 1};             // the first start
      case 3: return Report{.asn = 1, .added = 2, .deleted = 3, .changed = 4};  // corrected
      case 4: return refused();
      case 5: return Report{.asn = 1, .added = 10};                   // it was away: nobody's fault
      case 7: return Report{.asn = 1, .started = true, .added = 20};  // restarted between two calls
      case 8: return Report{.asn = 1, .deleted = 5};                  // corrected
      default: return Report{.asn = 1};
    }
  };
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_calls(9));
  CHECK(world.state().added == 33);
  CHECK(world.state().deleted == 8);
  CHECK(world.state().changed == 4);
  CHECK(world.state().corrected == 14);
  CHECK(world.state().starts == 2);
}

TEST_CASE("what is done for something new, also after a failure, corrects nothing") {
  World world;
  world.script->answer = [](const Wanted&, std::size_t call) -> Result<Report> {
    if (call == 2) return refused();
    return Report{.added = 1};
  };
  for (const Wanted& wanted : {kFirst, kSecond, kThird, kFirst}) {
    const std::uint64_t calls = world.state().calls;
    world.announcer->want(wanted);
    REQUIRE(world.eventually_calls(calls + 1));
  }
  CHECK(world.state().added == 3);
  CHECK(world.state().corrected == 0);
}

TEST_CASE("a change is told once, and not what only counts or lasts") {
  World world(1ms);
  world.script->answer = [&](const Wanted&, std::size_t call) {
    if (call == 4) world.script->hold();  // the next one
    return Report{.name = "GoBGP",
                  .sessions = {{.peer = "10.0.0.1",
                                .asn = 64500,
                                .state = call < 5 ? "active" : "established",
                                .state_for = std::chrono::seconds(call),
                                .updates_sent = call}}};
  };
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_calls(4));
  CHECK(world.changes == 1);
  world.script->release();
  REQUIRE(world.eventually_calls(10));
  CHECK(world.changes == 2);
  CHECK(world.state().last->sessions.front().updates_sent >= 10);
}

TEST_CASE("who is told of a change may want something else") {
  World world;
  std::unique_ptr<Announcer> announcer;
  announcer = std::make_unique<Announcer>(
      world.io, std::make_unique<ScriptedSpeaker>(world.script), [&] { announcer->want(kSecond); },
      kNever);
  announcer->want(kFirst);
  REQUIRE(world.eventually([&] { return announcer->state().calls == 2; }));
  CHECK(world.script->calls() == std::vector{kFirst, kSecond});
}

TEST_CASE("a speaker that has lost BGP is given all again, with a warning, and its start without") {
  World world(1ms);
  world.script->answer = [](const Wanted&, std::size_t call) -> Result<Report> {
    if (call == 1) return Report{.name = "GoBGP"};  // bare, and left so
    const bool started = call == 2 || call == 4;
    return Report{.name = "GoBGP",
                  .asn = 64512,
                  .done = started ? std::vector<std::string>{"started BGP as AS 64512"}
                                  : std::vector<std::string>{},
                  .started = started};
  };
  world.announcer->want(kFirst);
  REQUIRE(world.eventually_calls(5));
  CHECK(world.log.take() ==
        std::vector<std::string>{
            "info bgp: GoBGP at unix:/run/api.sock answers", "info bgp: started BGP as AS 64512",
            "warning bgp: GoBGP at unix:/run/api.sock had lost all that it was given, as after a "
            "restart; it is given it again",
            "info bgp: started BGP as AS 64512"});
}

TEST_CASE("BGP that is started anew for what is wanted now is no restart of the speaker") {
  World world;
  world.script->answer = [](const Wanted&, std::size_t) {
    return Report{.name = "GoBGP", .asn = 64512, .done = {"started BGP"}, .started = true};
  };
  for (const Wanted& wanted : {kFirst, kSecond}) {
    world.announcer->want(wanted);
    REQUIRE(world.eventually_in_step());
  }
  CHECK(world.log.take() ==
        std::vector<std::string>{"info bgp: GoBGP at unix:/run/api.sock answers",
                                 "info bgp: started BGP", "info bgp: started BGP"});
}

}  // namespace
}  // namespace guideway::bgp
