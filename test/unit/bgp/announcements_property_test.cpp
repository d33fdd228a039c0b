// Announcements over random histories: whatever happens, in whatever order, the rules hold.
#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "bgp/announcements.h"
#include "support/catch.h"

namespace guideway::bgp {
namespace {

using namespace std::chrono_literals;
using State = Announcement::State;
using Time = Damping::Time;

constexpr DampingRule kRule{.first = 1000ms, .most = 8000ms, .window = 60'000ms};
// 1, 2, 4 and six times 8 s fit into the window: so often after the first time.
constexpr std::ptrdiff_t kMostInWindow = 1 + 3 + 6;

// Eight services over five VIPs, of which three are within two prefixes.
constexpr std::array kVips = {"198.51.100.1", "198.51.100.1", "198.51.100.2",   "198.51.100.130",
                              "203.0.113.1",  "203.0.113.1",  "198.51.100.130", "2001:db8::1"};
constexpr std::array kPrefixes = {"198.51.100.0/24",   "198.51.100.0/24", "198.51.100.0/24",
                                  "198.51.100.128/25", "203.0.113.1/32",  "203.0.113.1/32",
                                  "198.51.100.128/25", "2001:db8::1/128"};

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    policy_.damping = kRule;
    policy_.need = below(2) == 0 ? Need::all : Need::any;
    policy_.prefixes = {Prefix::parse("198.51.100.0/24").value(),
                        Prefix::parse("198.51.100.128/25").value()};
    policy_.passive.med = 100;
    for (std::size_t i = 0; i < kVips.size(); ++i)
      services_.push_back({.service = "s" + std::to_string(i),
                           .vip = boost::asio::ip::make_address(kVips[i]),
                           .good = below(2) == 0,
                           .why = "is not well"});
  }

  // Something happens, or some time passes, or both.
  void step() {
    now_ += below(10) == 0 ? 1ms * below(70'000) : 1ms * below(1500);
    const Decision before = decide(announcements_, now_);
    check(before);
    // What is announced fails soon, so that dampings get long.
    for (ServiceCondition& one : services_) one.good = below(4) == 0 ? below(2) == 0 : one.good;
    if (below(20) == 0) trouble_ = trouble_.empty() ? "a worker hangs" : "";
    if (below(10) == 0) policy_.role = static_cast<Role>(below(3));
    check(decide(announcements_, now_));
    if (below(4) == 0) wait_out_a_damping();
  }

  // Everything is well from now on.
  void calm() {
    trouble_.clear();
    policy_.role = Role::active;
    for (ServiceCondition& one : services_) one.good = true;
    for (int i = 0; i < 100; ++i) {
      const Decision decision = decide(announcements_, now_);
      check(decision);
      if (!decision.next) break;
      REQUIRE(*decision.next <= now_ + kRule.most);
      now_ = *decision.next;
    }
    CHECK(decide(announcements_, now_).routes.size() == expected().size());
  }

  [[nodiscard]] int damped() const { return damped_; }
  [[nodiscard]] std::ptrdiff_t most_in_window() const { return most_in_window_; }

 private:
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }

  [[nodiscard]] Decision decide(Announcements& by, Time now) const {
    return by.decide(policy_, services_, trouble_, false, now);
  }

  // Which prefixes there are, and which of them are well, written down another way.
  [[nodiscard]] std::map<Prefix, bool> expected() const {
    std::map<Prefix, bool> well;
    for (std::size_t i = 0; i < services_.size(); ++i) {
      const Prefix prefix = Prefix::parse(kPrefixes[i]).value();
      const auto [at, fresh] = well.try_emplace(prefix, services_[i].good);
      if (!fresh)
        at->second = policy_.need == Need::all ? at->second && services_[i].good
                                               : at->second || services_[i].good;
    }
    for (auto& [prefix, is] : well) is = is && trouble_.empty();
    return well;
  }

  void check(const Decision& decision) {
    const auto well = expected();
    REQUIRE(decision.announcements.size() == well.size());
    std::vector<Prefix> announced, routes;
    for (const Announcement& one : decision.announcements) {
      INFO(one.prefix.text() << " is " << name(one.state) << ": " << one.why);
      if (one.state == State::announced) announced.push_back(one.prefix);
      if (one.state != State::withdrawn) {
        REQUIRE(well.at(one.prefix));
        REQUIRE(policy_.role != Role::drain);
      } else {
        REQUIRE((!well.at(one.prefix) || policy_.role == Role::drain));
      }
      REQUIRE(one.until.has_value() == (one.state == State::damped));
      if (one.until) REQUIRE((*one.until > now_ && decision.next && *decision.next <= *one.until));
      REQUIRE((one.state == State::announced || !one.why.empty()));
      damped_ += one.state == State::damped ? 1 : 0;
    }
    for (const Route& route : decision.routes) {
      routes.push_back(route.prefix);
      REQUIRE(route.attributes ==
              (policy_.role == Role::passive ? policy_.passive : policy_.active));
    }
    REQUIRE(routes == announced);
    count(decision);
  }

  // A role that hides routes is an operator's, and shows them again: so what is counted is what
  // would be announced without it.
  void count(const Decision& decision) {
    Announcements without = announcements_;
    const Role role = std::exchange(policy_.role, Role::active);
    for (const Announcement& one : decide(without, now_).announcements) {
      auto& [was, times] = history_[one.prefix];
      const bool is = one.state == State::announced;
      if (is && !was) times.push_back(now_);
      was = is;
      most_in_window_ =
          std::max(most_in_window_,
                   std::ranges::count_if(times, [&](Time at) { return now_ - at < kRule.window; }));
    }
    policy_.role = role;
    REQUIRE(most_in_window_ <= kMostInWindow);
    REQUIRE(decision.next == decide(without, now_).next);
  }

  // If nothing changes, nothing happens before `next`, and something at it.
  void wait_out_a_damping() {
    policy_.role = Role::active;
    const Decision now = decide(announcements_, now_);
    check(now);
    if (!now.next) return;
    Announcements before = announcements_;
    REQUIRE(decide(before, *now.next - Time::duration(1)).routes == now.routes);
    now_ = *now.next;
    const Decision then = decide(announcements_, now_);
    check(then);
    REQUIRE(then.routes.size() > now.routes.size());
  }

  std::mt19937 random_;
  Policy policy_;
  std::vector<ServiceCondition> services_;
  std::string trouble_;
  Announcements announcements_;
  Time now_{1000h};
  std::map<Prefix, std::pair<bool, std::vector<Time>>> history_;
  int damped_ = 0;
  std::ptrdiff_t most_in_window_ = 0;
};

TEST_CASE(
    "over random histories nothing unwell is announced, what is well comes back, and no more "
    "often than the rule says") {
  int damped = 0;
  std::ptrdiff_t most_in_window = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 400; ++i) world.step();
    world.calm();
    damped += world.damped();
    most_in_window = std::max(most_in_window, world.most_in_window());
  }
  // That the histories were ones in which there was something to hold.
  CHECK(damped > 1000);
  CHECK(most_in_window >= 4);
}

}  // namespace
}  // namespace guideway::bgp
