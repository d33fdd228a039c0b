// The device, the route and the policy rule of a tunnel: there while it lives, and gone afterwards.
#include "control/tunnel_route.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include "integration/tunnel/two_hosts.h"
#include "support/catch.h"

namespace guideway::control {
namespace {

std::string hex(std::uint32_t mark) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%x", mark);
  return text.data();
}

// The rules that select by a mark.
std::size_t rules_for(const test::TwoHosts& hosts, std::uint32_t mark) {
  const std::string rules = hosts.near_output("rule show");
  const std::string wanted = "fwmark " + hex(mark) + " lookup";
  std::size_t count = 0;
  for (auto at = rules.find(wanted); at != std::string::npos; at = rules.find(wanted, at + 1))
    ++count;
  return count;
}

bool has_device(const test::TwoHosts& hosts, const std::string& name) {
  return hosts.near_output("-o link show").find(" " + name + ":") != std::string::npos;
}

void add_rule(const test::TwoHosts& hosts, std::uint32_t mark) {
  hosts.near("rule add priority 30000 fwmark " + hex(mark) + " lookup " + std::to_string(mark));
}

// An open route; in an optional, so that a test can end it.
std::optional<TunnelRoute> open() {
  auto route = TunnelRoute::open();
  INFO((route ? "" : route.error().text()));
  REQUIRE(route.has_value());
  return std::optional(std::move(*route));
}

TEST_CASE("rule, route and device are there while the tunnel is, and gone afterwards") {
  NEEDS_TUNNEL();
  const test::TwoHosts hosts;
  const std::string rules = hosts.near_output("rule show");
  auto route = open();
  const std::uint32_t mark = route->mark();
  const std::string table = std::to_string(mark);
  CHECK((mark & TunnelRoute::kMarkMask) == TunnelRoute::kMarkBase);
  CHECK(has_device(hosts, route->name()));
  CHECK(hosts.near_output("link show " + route->name()).find("UP") != std::string::npos);
  CHECK(rules_for(hosts, mark) == 1);
  CHECK(hosts.near_output("route show table " + table).find("default dev " + route->name()) == 0);
  CHECK(
      hosts.near_output("route get 198.51.100.1 mark " + hex(mark)).find("dev " + route->name()) !=
      std::string::npos);
  CHECK(hosts.near_output("route get 10.77.0.2").find("dev up0") != std::string::npos);
  route.reset();
  CHECK(hosts.near_output("rule show") == rules);
  CHECK(hosts.near_output("-o link show").find("gwprobe") == std::string::npos);
  CHECK(hosts.near_output("route show table " + table).find("default") == std::string::npos);
}

TEST_CASE("a route that was moved is removed once, by its last owner") {
  NEEDS_TUNNEL();
  const test::TwoHosts hosts;
  auto first = open();
  const std::uint32_t mark = first->mark();
  std::optional<TunnelRoute> second(std::move(*first));
  first.reset();
  CHECK(second->mark() == mark);
  CHECK(rules_for(hosts, mark) == 1);
  CHECK(has_device(hosts, second->name()));
  second.reset();
  CHECK(rules_for(hosts, mark) == 0);
}

TEST_CASE("two tunnels at once have devices, marks and rules of their own") {
  NEEDS_TUNNEL();
  const test::TwoHosts hosts;
  auto one = open();
  auto other = open();
  CHECK(one->mark() != other->mark());
  CHECK(one->name() != other->name());
  CHECK(rules_for(hosts, one->mark()) == 1);
  CHECK(rules_for(hosts, other->mark()) == 1);
  const std::uint32_t gone = one->mark();
  one.reset();
  CHECK(rules_for(hosts, gone) == 0);
  CHECK(rules_for(hosts, other->mark()) == 1);
  CHECK(has_device(hosts, other->name()));
}

TEST_CASE("rules of devices that are no more are removed, and no others") {
  NEEDS_TUNNEL();
  const test::TwoHosts hosts;
  constexpr std::uint32_t kDead = TunnelRoute::kMarkBase | 4711;
  constexpr std::uint32_t kAlsoDead = TunnelRoute::kMarkBase | 4712;
  constexpr std::uint32_t kLiving = TunnelRoute::kMarkBase | 1;  // as if loopback were a tunnel
  constexpr std::uint32_t kForeign = 0x12340000 | 4711;
  for (const std::uint32_t mark : {kDead, kAlsoDead, kLiving, kForeign}) add_rule(hosts, mark);
  const auto route = open();
  CHECK(rules_for(hosts, kDead) == 0);
  CHECK(rules_for(hosts, kAlsoDead) == 0);
  CHECK(rules_for(hosts, kLiving) == 1);
  CHECK(rules_for(hosts, kForeign) == 1);
}

TEST_CASE("a leftover rule with the number of the new device does not stand in its way") {
  NEEDS_TUNNEL();
  const test::TwoHosts hosts;
  const std::uint32_t mark = open()->mark();
  // The kernel counts devices upwards.
  add_rule(hosts, mark + 1);
  auto route = open();
  REQUIRE(route->mark() == mark + 1);
  CHECK(rules_for(hosts, mark + 1) == 1);
  route.reset();
  CHECK(rules_for(hosts, mark + 1) == 0);
}

TEST_CASE("what a process leaves that is killed is removed by the next tunnel") {
  NEEDS_TUNNEL();
  const test::TwoHosts hosts;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto route = TunnelRoute::open();
    const std::uint32_t mark = route ? route->mark() : 0;
    if (::write(pipe[1], &mark, sizeof mark) == sizeof mark) ::pause();
    ::_exit(1);
  }
  std::uint32_t mark = 0;
  const bool said = ::read(pipe[0], &mark, sizeof mark) == sizeof mark;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int end : pipe) ::close(end);
  REQUIRE(said);
  REQUIRE(mark != 0);
  CHECK(rules_for(hosts, mark) == 1);
  CHECK_FALSE(has_device(hosts, "gwprobe0"));
  const auto route = open();
  CHECK(route->mark() != mark);
  CHECK(rules_for(hosts, mark) == 0);
}

}  // namespace
}  // namespace guideway::control
