// Prober: how many questions are under way at once, and what becomes of the others.
#include "control/prober.h"

#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <vector>

#include "support/catch.h"
#include "unit/control/prober_fixture.h"

namespace guideway::control {
namespace {

using namespace testing;

TEST_CASE(
    "as many questions are under way as there are sockets for, and all are asked in the end") {
  const Silent silent(7);
  World world({.sockets = 2, .handshakes = 2, .programs = 1});
  // Within the first second all seven want to ask, and four can.
  world.watch(silent.probes(600ms, 1h));
  std::size_t most = 0;
  REQUIRE(world.eventually([&] {
    most = std::max(most, world.prober->under_way());
    return world.answers.size() == 7;
  }));
  CHECK(most == 2);
  CHECK(silent.asked() == 7);
  CHECK(world.prober->delayed() >= 3);
  CHECK(world.prober->delayed() <= 5);
  CHECK(world.prober->under_way() == 0);
}

TEST_CASE("who waits the longest is asked next, so that nobody is left out") {
  const Silent silent(6);
  World world({.sockets = 2, .handshakes = 2, .programs = 1});
  world.watch(silent.probes(20ms, 20ms));
  const auto least = [&] {
    if (world.answers.size() < 6) return 0;
    return std::ranges::min_element(world.answers, {}, [](const auto& at) { return at.second; })
        ->second;
  };
  REQUIRE(world.eventually([&] { return least() >= 10; }));
  for (const auto& [port, count] : world.answers) CHECK(count <= least() + 3);
  CHECK(world.prober->delayed() >= 20);
}

TEST_CASE("programs have a limit of their own, and wait for no sockets") {
  const Silent silent(1);
  World world({.sockets = 1, .handshakes = 1, .programs = 1});
  auto probes = silent.probes(probe::kLong, 10ms);
  for (std::uint16_t port = 1; port <= 3; ++port)
    probes.push_back(probe_of(probe::ExecQuestion{.command = {"/bin/true"}, .pool = "web"}, port,
                              10ms, probe::kLong));
  world.watch(probes);
  std::size_t most = 0;
  REQUIRE(world.eventually([&] {
    most = std::max(most, world.prober->under_way());
    return world.answers[1] >= 2 && world.answers[2] >= 2 && world.answers[3] >= 2 &&
           silent.asked() == 1;
  }));
  CHECK(world.last[1].passed);
  CHECK(most <= 2);
}

TEST_CASE("questions that begin with a handshake have a limit of their own") {
  // The kernel accepts for it; nobody says a word of TLS.
  const BoundSocket mute(SOCK_STREAM);
  REQUIRE(::listen(mute.get(), 16) == 0);
  const BoundSocket closed(SOCK_STREAM);
  World world({.sockets = 8, .handshakes = 1, .programs = 1});
  probe::HttpQuestion https;
  https.tls = true;
  std::vector<ProbeId> probes;
  for (int i = 0; i < 4; ++i) probes.push_back(probe_of(https, mute.port(), 1h, 50ms));
  probes.push_back(probe_of(probe::TcpQuestion{}, closed.port(), 10ms, probe::kLong));
  world.watch(probes);
  std::size_t most = 0;
  REQUIRE(world.eventually([&] {
    most = std::max(most, world.prober->under_way());
    return world.answers[mute.port()] == 4 && world.answers[closed.port()] >= 3;
  }));
  CHECK(most <= 2);
  CHECK(world.prober->delayed() >= 1);
  CHECK(world.last[mute.port()].why == "no answer within 50 ms, during the TLS handshake");
}

TEST_CASE("the limit of sockets leaves room for the rest of the process") {
  const ProberLimits limits = limits_of_this_process();
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  CHECK(files.rlim_cur >= std::min<rlim_t>(files.rlim_max, 1 << 20));
  CHECK(limits.sockets > 0);
  CHECK(limits.sockets < files.rlim_cur);
  CHECK(limits.handshakes > 0);
  CHECK(limits.programs > 0);
}

}  // namespace
}  // namespace guideway::control
