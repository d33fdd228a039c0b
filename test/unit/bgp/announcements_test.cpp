// Announcements: what is announced, with which attributes, and the reason in words.
#include "bgp/announcements.h"

#include <algorithm>

#include "support/catch.h"

namespace guideway::bgp {
namespace {

using namespace std::chrono_literals;
using State = Announcement::State;
using Time = Damping::Time;

constexpr Time kStart{1000h};

Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

ServiceCondition well(const char* service, const char* vip = "198.51.100.1") {
  return {.service = service, .vip = boost::asio::ip::make_address(vip), .good = true, .why = {}};
}
ServiceCondition unwell(const char* service, const char* vip = "198.51.100.1") {
  return {.service = service,
          .vip = boost::asio::ip::make_address(vip),
          .good = false,
          .why = "pool p: 0 of 3 backends usable, 2 needed"};
}

// A load balancer, as it is at the moment.
struct Scene {
  Policy policy;
  std::vector<ServiceCondition> services;
  std::string trouble;
  bool stopping = false;
  Announcements announcements;

  Scene() {
    policy.active.med = 50;
    policy.passive.med = 150;
    policy.passive.prepend = 3;
  }
  Decision at(Time now) { return announcements.decide(policy, services, trouble, stopping, now); }
  // REQUIRES: there is one prefix.
  Announcement only(Time now) {
    Decision decision = at(now);
    REQUIRE(decision.announcements.size() == 1);
    return decision.announcements.front();
  }
};

TEST_CASE("a VIP whose service is well is announced by its own address") {
  Scene scene;
  scene.services = {well("web")};
  const Decision decision = scene.at(kStart);
  REQUIRE(decision.announcements.size() == 1);
  const Announcement& one = decision.announcements.front();
  CHECK(one.prefix == prefix("198.51.100.1/32"));
  CHECK(one.services == std::vector<std::string>{"web"});
  CHECK(one.state == State::announced);
  CHECK(one.why.empty());
  CHECK(decision.routes == std::vector<Route>{{prefix("198.51.100.1/32"), scene.policy.active}});
  CHECK_FALSE(decision.next);
}

TEST_CASE("an IPv6 VIP is announced by its own address, too") {
  Scene scene;
  scene.services = {well("web", "2001:db8::1")};
  CHECK(scene.only(kStart).prefix == prefix("2001:db8::1/128"));
}

TEST_CASE("routes and announcements are sorted by prefix") {
  Scene scene;
  scene.services = {well("c", "198.51.100.9"), well("b", "2001:db8::1"), well("a", "198.51.100.1")};
  const Decision decision = scene.at(kStart);
  CHECK(std::ranges::is_sorted(decision.announcements, {}, &Announcement::prefix));
  CHECK(std::ranges::is_sorted(decision.routes, {}, &Route::prefix));
  CHECK(decision.routes.size() == 3);
}

TEST_CASE("with `all`, one service that is not well withdraws the prefix and is named") {
  Scene scene;
  scene.services = {well("web"), unwell("dns")};
  const Announcement one = scene.only(kStart);
  CHECK(one.state == State::withdrawn);
  CHECK(one.services == std::vector<std::string>{"web", "dns"});
  CHECK(one.why == "dns: pool p: 0 of 3 backends usable, 2 needed");
  CHECK(scene.at(kStart).routes.empty());
}

TEST_CASE("with `any`, one service that is well is enough, and what is not is named all the same") {
  Scene scene;
  scene.policy.need = Need::any;
  scene.services = {unwell("web"), well("dns")};
  const Announcement one = scene.only(kStart);
  CHECK(one.state == State::announced);
  CHECK(one.why == "web: pool p: 0 of 3 backends usable, 2 needed");
}

TEST_CASE("with `any`, a prefix none of whose services is well is withdrawn") {
  Scene scene;
  scene.policy.need = Need::any;
  scene.services = {unwell("web"), unwell("dns")};
  CHECK(scene.only(kStart).state == State::withdrawn);
}

TEST_CASE("of many services that are not well three are told and the others counted") {
  Scene scene;
  scene.services = {unwell("a"), unwell("b"), unwell("c"), unwell("d"), unwell("e")};
  const std::string why = scene.only(kStart).why;
  CHECK(why ==
        "a: pool p: 0 of 3 backends usable, 2 needed; b: pool p: 0 of 3 backends usable, 2 needed; "
        "c: pool p: 0 of 3 backends usable, 2 needed; and 2 more");
}

TEST_CASE("VIPs within a prefix of the file share it, and their services are all behind it") {
  Scene scene;
  scene.policy.prefixes = {prefix("198.51.100.0/24")};
  scene.services = {well("web", "198.51.100.1"), well("dns", "198.51.100.2"),
                    well("far", "203.0.113.1")};
  const Decision decision = scene.at(kStart);
  REQUIRE(decision.announcements.size() == 2);
  CHECK(decision.announcements[0].prefix == prefix("198.51.100.0/24"));
  CHECK(decision.announcements[0].services == std::vector<std::string>{"web", "dns"});
  CHECK(decision.announcements[1].prefix == prefix("203.0.113.1/32"));
  scene.services[1] = unwell("dns", "198.51.100.2");
  CHECK(scene.at(kStart).routes ==
        std::vector<Route>{{prefix("203.0.113.1/32"), scene.policy.active}});
}

TEST_CASE("of prefixes within each other a VIP has the longest, in whatever order they are") {
  Scene scene;
  scene.policy.prefixes = {prefix("198.51.100.0/24"), prefix("198.51.100.0/28"),
                           prefix("198.51.0.0/16")};
  scene.services = {well("near", "198.51.100.1"), well("middle", "198.51.100.200"),
                    well("far", "198.51.1.1")};
  const Decision decision = scene.at(kStart);
  REQUIRE(decision.announcements.size() == 3);
  const auto service_of = [&](const char* text) {
    const auto found =
        std::ranges::find(decision.announcements, prefix(text), &Announcement::prefix);
    REQUIRE(found != decision.announcements.end());
    return found->services;
  };
  CHECK(service_of("198.51.100.0/28") == std::vector<std::string>{"near"});
  CHECK(service_of("198.51.100.0/24") == std::vector<std::string>{"middle"});
  CHECK(service_of("198.51.0.0/16") == std::vector<std::string>{"far"});
}

TEST_CASE("a prefix of the file without a VIP is told and never announced, whatever is needed") {
  const Need need = GENERATE(Need::all, Need::any);
  Scene scene;
  scene.policy.need = need;
  scene.policy.prefixes = {prefix("198.51.100.0/24")};
  const Announcement one = scene.only(kStart);
  CHECK(one.state == State::withdrawn);
  CHECK(one.services.empty());
  CHECK(one.why == "no service has a VIP within it");
  scene.services = {well("web")};
  CHECK(scene.only(kStart).state == State::announced);
}

TEST_CASE("a prefix that is well again is damped, says so, and is decided on again when it ends") {
  Scene scene;
  scene.services = {well("web")};
  scene.at(kStart);
  scene.services = {unwell("web")};
  CHECK(scene.only(kStart + 1s).state == State::withdrawn);
  CHECK(scene.only(kStart + 1s).withdrawals == 1);
  scene.services = {well("web")};
  const Announcement damped = scene.only(kStart + 2s);
  CHECK(damped.state == State::damped);
  CHECK(damped.why == "well, but not for long enough yet after it was withdrawn");
  CHECK(damped.until == kStart + 3s);
  const Decision waiting = scene.at(kStart + 2s);
  CHECK(waiting.routes.empty());
  CHECK(waiting.next == kStart + 3s);
  const Decision back = scene.at(kStart + 3s);
  CHECK(back.routes.size() == 1);
  CHECK_FALSE(back.next);
  CHECK_FALSE(back.announcements.front().until);
}

TEST_CASE("the second damping within the window says how often the prefix was withdrawn") {
  Scene scene;
  for (const auto at : {0s, 10s}) {
    scene.services = {well("web")};
    scene.at(kStart + at);
    REQUIRE(scene.only(kStart + at + 5s).state == State::announced);
    scene.services = {unwell("web")};
    scene.at(kStart + at + 6s);
  }
  scene.services = {well("web")};
  CHECK(scene.only(kStart + 17s).why ==
        "well, but not for long enough yet after it was withdrawn 2 times within the damping "
        "window");
}

TEST_CASE("the earliest end of several dampings is when to decide again") {
  Scene scene;
  const auto both = [](auto first, auto second) {
    return std::vector<ServiceCondition>{first("a", "198.51.100.1"), second("b", "198.51.100.2")};
  };
  scene.services = both(well, well);
  scene.at(kStart);
  scene.services = both(unwell, unwell);
  scene.at(kStart);
  scene.services = both(unwell, well);
  scene.at(kStart + 100ms);
  scene.services = both(well, well);
  CHECK(scene.at(kStart + 200ms).next == kStart + 1100ms);
  CHECK(scene.at(kStart + 1100ms).next == kStart + 1200ms);
}

TEST_CASE("trouble of the node withdraws everything at once and is damped as any other") {
  Scene scene;
  scene.services = {well("a", "198.51.100.1"), well("b", "198.51.100.2")};
  scene.at(kStart);
  scene.trouble = "worker 0 of eth0 hangs";
  const Decision troubled = scene.at(kStart + 1s);
  CHECK(troubled.routes.empty());
  for (const Announcement& one : troubled.announcements) {
    CHECK(one.state == State::withdrawn);
    CHECK(one.why == "worker 0 of eth0 hangs");
    CHECK(one.withdrawals == 1);
  }
  scene.trouble.clear();
  CHECK(scene.at(kStart + 2s).announcements.front().state == State::damped);
  CHECK(scene.at(kStart + 3s).routes.size() == 2);
}

TEST_CASE("trouble of the node and of services are told both") {
  Scene scene;
  scene.trouble = "eth0 is not attached";
  scene.services = {unwell("web")};
  CHECK(scene.only(kStart).why ==
        "eth0 is not attached; web: pool p: 0 of 3 backends usable, 2 needed");
}

TEST_CASE("a drain and a stop withdraw everything, count for nothing, and are over at once") {
  const bool by_role = GENERATE(true, false);
  Scene scene;
  scene.services = {well("web")};
  scene.at(kStart);
  scene.policy.role = by_role ? Role::drain : Role::active;
  scene.stopping = !by_role;
  const Announcement away = scene.only(kStart + 1s);
  CHECK(away.state == State::withdrawn);
  CHECK(away.why == (by_role ? "role drain" : "guidewayd stops"));
  CHECK(away.withdrawals == 0);
  CHECK(scene.at(kStart + 1s).routes.empty());
  scene.policy.role = Role::active;
  scene.stopping = false;
  CHECK(scene.only(kStart + 1s).state == State::announced);
}

TEST_CASE("a prefix that turned bad during a drain is damped after it") {
  Scene scene;
  scene.services = {well("web")};
  scene.at(kStart);
  scene.policy.role = Role::drain;
  scene.services = {unwell("web")};
  CHECK(scene.only(kStart + 1s).why == "role drain; web: pool p: 0 of 3 backends usable, 2 needed");
  scene.services = {well("web")};
  const Decision hidden = scene.at(kStart + 2s);
  CHECK(hidden.announcements.front().state == State::withdrawn);
  CHECK(hidden.announcements.front().why ==
        "role drain; well, but not for long enough yet after it was withdrawn");
  CHECK_FALSE(hidden.announcements.front().until);
  CHECK(hidden.next == kStart + 3s);
  scene.policy.role = Role::active;
  CHECK(scene.only(kStart + 2500ms).state == State::damped);
  CHECK(scene.only(kStart + 3s).state == State::announced);
}

TEST_CASE("a damping that ends during a drain holds nothing back after it") {
  Scene scene;
  scene.services = {well("web")};
  scene.at(kStart);
  scene.services = {unwell("web")};
  scene.at(kStart);
  scene.policy.role = Role::drain;
  scene.services = {well("web")};
  scene.at(kStart + 1s);
  scene.policy.role = Role::active;
  CHECK(scene.only(kStart + 2s).state == State::announced);
}

TEST_CASE("a prefix that is not well when a drain ends is not announced") {
  Scene scene;
  scene.policy.role = Role::drain;
  scene.services = {unwell("web")};
  scene.at(kStart);
  scene.policy.role = Role::active;
  CHECK(scene.only(kStart).state == State::withdrawn);
}

TEST_CASE("a passive load balancer announces the same with its other attributes") {
  Scene scene;
  scene.services = {well("web")};
  scene.at(kStart);
  scene.policy.role = Role::passive;
  const Decision decision = scene.at(kStart);
  CHECK(decision.routes == std::vector<Route>{{prefix("198.51.100.1/32"), scene.policy.passive}});
  CHECK(decision.announcements.front().withdrawals == 0);
}

TEST_CASE("a prefix that a reload takes out is forgotten with its dampings") {
  Scene scene;
  scene.services = {well("web")};
  scene.at(kStart);
  scene.services = {unwell("web")};
  scene.at(kStart);
  scene.services.clear();
  CHECK(scene.at(kStart).announcements.empty());
  scene.services = {well("web")};
  CHECK(scene.only(kStart).state == State::announced);
}

TEST_CASE("the last VIP that leaves a prefix of the file is no withdrawal that counts") {
  Scene scene;
  scene.policy.prefixes = {prefix("198.51.100.0/24")};
  scene.services = {well("web")};
  scene.at(kStart);
  scene.services.clear();
  CHECK(scene.only(kStart).state == State::withdrawn);
  scene.services = {well("web")};
  CHECK(scene.only(kStart).state == State::announced);
  CHECK(scene.only(kStart).withdrawals == 0);
}

TEST_CASE("each role has one word and each word one role") {
  for (const Role role : {Role::active, Role::passive, Role::drain})
    CHECK(role_named(name(role)) == role);
  CHECK(name(Role::drain) == "drain");
  CHECK_FALSE(role_named("standby"));
  CHECK_FALSE(role_named(""));
}

TEST_CASE("each state of an announcement has a word") {
  CHECK(name(State::announced) == "announced");
  CHECK(name(State::damped) == "damped");
  CHECK(name(State::withdrawn) == "withdrawn");
}

}  // namespace
}  // namespace guideway::bgp
