// Prober: when it asks, whom, and how it ends.
#include "control/prober.h"

#include <algorithm>
#include <map>
#include <vector>

#include "support/catch.h"
#include "unit/control/prober_fixture.h"

namespace guideway::control {
namespace {

using namespace testing;

TEST_CASE("each probe is asked, and asked again, by what its server answers") {
  probe::TcpServer well([](const probe::Connection& client) { (void)client.read_to_end(); });
  const BoundSocket closed(SOCK_STREAM);
  World world;
  world.watch({probe_of(probe::TcpQuestion{}, well.port(), 20ms, probe::kLong),
               probe_of(probe::TcpQuestion{}, closed.port(), 20ms, probe::kLong)});
  CHECK(world.eventually(
      [&] { return world.answers[well.port()] >= 5 && world.answers[closed.port()] >= 5; }));
  CHECK(world.last[well.port()].passed);
  CHECK(world.last[closed.port()].why == "connection refused");
}

TEST_CASE("the first question comes within a second, however long the interval is") {
  const BoundSocket closed(SOCK_STREAM);
  World world({}, GENERATE(1U, 2U, 3U));
  const auto begin = Clock::now();
  world.watch({probe_of(probe::TcpQuestion{}, closed.port(), 1h, probe::kLong)});
  REQUIRE(world.eventually([&] { return world.answers[closed.port()] == 1; }));
  // That of an hour's interval would have come in minutes on average.
  CHECK(Clock::now() - begin < Prober::kFirstWithin + 10s);
  world.io.run_for(50ms);
  CHECK(world.answers[closed.port()] == 1);
}

TEST_CASE("questions come an interval apart, give or take a tenth") {
  const BoundSocket closed(SOCK_STREAM);
  World world;
  std::vector<Clock::time_point> times;
  world.on_answer = [&](const ProbeId&) { times.push_back(Clock::now()); };
  world.watch({probe_of(probe::TcpQuestion{}, closed.port(), 100ms, probe::kLong)});
  REQUIRE(world.eventually([&] { return times.size() == 8; }));
  // A lower bound only, and half of what it should be: what comes late is the machine's doing.
  CHECK(times.back() - times.front() >= 7 * 90ms / 2);
}

TEST_CASE("a question that outlasts its interval puts the next one off") {
  const Silent silent(1);
  World world;
  const auto begin = Clock::now();
  std::size_t most = 0;
  world.on_answer = [&](const ProbeId&) { most = std::max(most, world.prober->under_way()); };
  world.watch(silent.probes(100ms, 10ms));
  const auto answers = [&] { return world.answers.empty() ? 0 : world.answers.begin()->second; };
  REQUIRE(world.eventually([&] {
    most = std::max(most, world.prober->under_way());
    return answers() == 3;
  }));
  CHECK(Clock::now() - begin >= 300ms);
  CHECK(most == 1);
}

TEST_CASE("watching the same again neither restarts a probe nor asks it twice") {
  const BoundSocket closed(SOCK_STREAM), other(SOCK_STREAM);
  World world;
  const ProbeId kept = probe_of(probe::TcpQuestion{}, closed.port(), 1h, probe::kLong);
  world.watch({kept});
  REQUIRE(world.eventually([&] { return world.answers[closed.port()] == 1; }));
  // A restarted one would be asked within a second; the other one, which is new, is.
  world.watch({kept, probe_of(probe::TcpQuestion{}, other.port(), 1h, probe::kLong)});
  REQUIRE(world.eventually([&] { return world.answers[other.port()] == 1; }));
  const auto second_over = Clock::now() + Prober::kFirstWithin;
  REQUIRE(world.eventually([&] { return Clock::now() > second_over; }));
  CHECK(world.answers[closed.port()] == 1);
}

TEST_CASE("a probe that is watched anew all the time still gets its first question") {
  const BoundSocket closed(SOCK_STREAM);
  World world;
  const ProbeId kept = probe_of(probe::TcpQuestion{}, closed.port(), 1h, probe::kLong);
  CHECK(world.eventually([&] {
    world.watch({kept});
    return world.answers[closed.port()] == 1;
  }));
}

TEST_CASE("a probe that was removed is not reported any more, also if it was under way") {
  const Silent silent(2);
  World world;
  const auto probes = silent.probes(100ms);
  const auto port = [&](std::size_t i) { return probes[i].asking->question.port; };
  world.watch(probes);
  REQUIRE(world.eventually([&] { return world.prober->under_way() == 2; }));
  const int before = world.answers[port(0)];
  world.watch({probes[1]});
  const int from = world.answers[port(1)];
  REQUIRE(world.eventually([&] { return world.answers[port(1)] >= from + 3; }));
  CHECK(world.answers[port(0)] == before);
  world.watch({});
  CHECK(world.runs_out());
  CHECK(world.prober->under_way() == 0);
}

TEST_CASE("a probe that is removed and watched again is asked again, once an interval") {
  const BoundSocket closed(SOCK_STREAM);
  World world;
  const ProbeId probe = probe_of(probe::TcpQuestion{}, closed.port(), 1h, probe::kLong);
  for (int round = 0; round < 10; ++round) {
    world.watch({probe});
    world.io.poll();
    world.watch({});
    world.io.poll();
  }
  const int before = world.answers[closed.port()];
  world.watch({probe});
  REQUIRE(world.eventually([&] { return world.answers[closed.port()] > before; }));
  const auto second_over = Clock::now() + Prober::kFirstWithin;
  REQUIRE(world.eventually([&] { return Clock::now() > second_over; }));
  CHECK(world.answers[closed.port()] == before + 1);
}

TEST_CASE("TLS handshakes have a limit of their own, and hold up no other question") {
  const Silent silent(1);
  std::vector<BoundSocket> listeners;
  for (int i = 0; i < 3; ++i) {
    listeners.emplace_back(SOCK_STREAM);
    REQUIRE(::listen(listeners.back().get(), 16) == 0);
  }
  World world({.sockets = 10, .handshakes = 1, .programs = 1});
  auto probes = silent.probes(100ms, 10ms);
  probe::HttpQuestion https;
  https.tls = true;
  for (const BoundSocket& listener : listeners)
    probes.push_back(probe_of(https, listener.port(), 10ms, 100ms));
  world.watch(probes);
  std::size_t most = 0;
  REQUIRE(world.eventually([&] {
    most = std::max(most, world.prober->under_way());
    return std::ranges::all_of(listeners, [&](const BoundSocket& listener) {
      return world.answers[listener.port()] >= 2;
    });
  }));
  CHECK(most <= 2);
  CHECK(world.prober->delayed() > 0);
}

TEST_CASE("a prober that goes while questions are under way and waiting is heard no more") {
  const Silent silent(6);
  const auto timeout = GENERATE(100ms, 15'000ms);
  World world({.sockets = 2, .handshakes = 2, .programs = 1});
  world.watch(silent.probes(timeout));
  REQUIRE(world.eventually(
      [&] { return world.prober->under_way() == 2 && world.prober->delayed() >= 4; }));
  const auto before = world.answers;
  world.prober.reset();
  if (timeout == 100ms) {
    const auto asked = silent.asked();
    CHECK(world.runs_out());
    CHECK(silent.asked() == asked);  // who waited was sent away
  }
  // Otherwise the loop is destroyed with all of them on it.
  CHECK(world.answers == before);
}

TEST_CASE("a prober that goes at once leaves nothing on the loop, and tells nothing") {
  const Silent silent(3);
  World world;
  world.watch(silent.probes(100ms, 1h));
  SECTION("before anything has begun") {}
  SECTION("when it has begun to wait, or to ask") { world.io.poll(); }
  const auto before = world.answers;
  world.prober.reset();
  CHECK(world.runs_out());
  CHECK(world.answers == before);
}

TEST_CASE("the first questions to many are spread over the time that they have") {
  constexpr std::size_t kMany = 1000;
  const BoundSocket closed(SOCK_STREAM);
  World world;
  std::vector<ProbeId> probes;
  std::vector<Clock::time_point> times;
  world.on_answer = [&](const ProbeId&) { times.push_back(Clock::now()); };
  for (std::size_t i = 0; i < kMany; ++i)
    probes.push_back(probe_of(probe::TcpQuestion{}, closed.port(), 1h, probe::kLong));
  world.watch(probes);
  REQUIRE(world.eventually([&] { return times.size() == kMany; }));
  CHECK(times.back() - times.front() > Prober::kFirstWithin / 4);
}

TEST_CASE("a loop that goes with questions under way and waiting leaves no descriptor") {
  const Silent silent(6);
  const std::size_t before = probe::open_descriptors();
  {
    World world({.sockets = 2, .handshakes = 2, .programs = 1});
    auto probes = silent.probes(probe::kLong);
    for (std::uint16_t port = 1; port <= 3; ++port)
      probes.push_back(
          probe_of(probe::ExecQuestion{.command = {"/bin/sleep", "1000"}, .pool = "web"}, port,
                   10ms, probe::kLong));
    world.watch(probes);
    REQUIRE(world.eventually(
        [&] { return world.prober->under_way() == 3 && world.prober->delayed() >= 6; }));
    CHECK(probe::open_descriptors() > before);
  }
  CHECK(probe::open_descriptors() == before);
}

TEST_CASE("whoever is told an answer may change what is watched, or end the prober") {
  const BoundSocket closed(SOCK_STREAM), other(SOCK_STREAM);
  World world;
  world.watch({probe_of(probe::TcpQuestion{}, closed.port(), 10ms, probe::kLong)});
  bool changed = false;
  world.on_answer = [&](const ProbeId&) {
    if (changed) {
      world.prober.reset();
      return;
    }
    changed = true;
    world.watch({probe_of(probe::TcpQuestion{}, other.port(), 10ms, probe::kLong)});
  };
  REQUIRE(world.eventually([&] { return !world.prober.has_value(); }));
  CHECK(world.runs_out());
  CHECK(world.answers == std::map<std::uint16_t, int>{{closed.port(), 1}, {other.port(), 1}});
}

}  // namespace
}  // namespace guideway::control
