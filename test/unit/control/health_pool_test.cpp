// Health::standing() and the slow start: what the tables of the pools are made of.
#include <random>

#include "control/health.h"
#include "support/catch.h"
#include "unit/control/health_support.h"

namespace guideway::control {
namespace {

using namespace testing;

// Two backends with one check and a slow start, both up.
Model web(std::chrono::seconds slow_start = 0s) {
  Model model = model_of({pool_of("web", {kOne, kTwo}, {tcp_check(80)})});
  model.pools[0].slow_start = slow_start;
  return model;
}

Clinic healthy(const Model& model) {
  Clinic clinic(model);
  for (const BackendConfig& backend : model.pools[0].backends)
    clinic.say(true, backend.address, 80);
  return clinic;
}

// Down, and up again at this moment.
void recover(Clinic& clinic, Ipv4Address address) {
  clinic.say(false, address, 80, 3);
  REQUIRE(clinic.state("web", address) == HealthState::down);
  clinic.say(true, address, 80, 2);
  REQUIRE(clinic.state("web", address) == HealthState::up);
}

TEST_CASE("weights are those of the file, in hundredths") {
  Model model = web();
  model.pools[0].backends[0].weight = 3;
  const PoolStanding standing = healthy(model).standing();
  CHECK(standing.backends == std::vector<Standing>{{300, true}, {100, true}});
  CHECK(standing.healthy == 2);
  CHECK_FALSE(standing.empty);
}

TEST_CASE("a backend that takes no new flows keeps those that it has, as long as it is up") {
  Model model = web();
  Clinic clinic = healthy(model);
  SECTION("weight 0") { model.pools[0].backends[0].weight = 0; }
  SECTION("drained by the file") { model.pools[0].backends[0].drain = true; }
  SECTION("drained by an operator") { clinic.health.set_drain({"web", kOne}, true); }
  clinic.configure(model);
  CHECK(clinic.standing().backends == std::vector<Standing>{{0, true}, {100, true}});
  CHECK(clinic.standing().healthy == 1);
  CHECK_FALSE(clinic.standing().empty);
  clinic.say(false, kOne, 80, 3);
  CHECK(clinic.standing().backends[0] == Standing{0, false});
}

TEST_CASE("a backend that is down or unknown has no weight and keeps no flow") {
  Clinic clinic(web());
  clinic.say(true, kTwo, 80);
  SECTION("unknown") {}
  SECTION("down") { clinic.say(false, kOne, 80); }
  CHECK(clinic.standing().backends == std::vector<Standing>{{0, false}, {100, true}});
  CHECK(clinic.standing().healthy == 1);
}

TEST_CASE("unchecked backends count as up") {
  const Clinic clinic(model_of({pool_of("web", {kOne, kTwo})}));
  CHECK(clinic.standing().backends == std::vector<Standing>{{100, true}, {100, true}});
  CHECK(clinic.standing().healthy == 2);
}

TEST_CASE("a pool with nobody to take flows is empty, and drops them") {
  Clinic clinic = healthy(web());
  clinic.say(false, kOne, 80, 3);
  CHECK_FALSE(clinic.standing().empty);
  clinic.say(false, kTwo, 80, 3);
  CHECK(clinic.standing() == PoolStanding{{{0, false}, {0, false}}, 0, true});
}

TEST_CASE("with on_empty: all, an empty pool uses each backend as if it were up") {
  Model model = web();
  model.pools[0].on_empty = OnEmpty::all;
  model.pools[0].backends[1].weight = 2;
  Clinic clinic = healthy(model);
  clinic.say(false, kOne, 80, 3);
  CHECK(clinic.standing().backends == std::vector<Standing>{{0, false}, {200, true}});
  clinic.say(false, kTwo, 80, 3);
  CHECK(clinic.standing() == PoolStanding{{{100, true}, {200, true}}, 0, true});
  SECTION("but not one that is drained") {
    clinic.health.set_drain({"web", kTwo}, true);
    CHECK(clinic.standing() == PoolStanding{{{100, true}, {0, true}}, 0, true});
  }
  SECTION("until one of them comes up") {
    clinic.say(true, kOne, 80, 2);
    CHECK(clinic.standing() == PoolStanding{{{100, true}, {0, false}}, 1, false});
  }
}

TEST_CASE("a standing as if one were down is the one that there is once it is") {
  for (const OnEmpty on_empty : {OnEmpty::drop, OnEmpty::all}) {
    Model model = web();
    model.pools[0].on_empty = on_empty;
    Clinic clinic = healthy(model);
    for (const Ipv4Address goes : {kOne, kTwo}) {  // the second is the last
      const PoolStanding before = clinic.standing();
      const PoolStanding then = clinic.health.standing(model.pools[0], clinic.now, goes);
      CHECK(clinic.standing() == before);
      clinic.say(false, goes, 80, 3);
      CHECK(clinic.standing() == then);
      CHECK(then != before);
    }
  }
}

TEST_CASE("a pool is empty, too, if those that are up are drained or without weight") {
  Model model = web();
  model.pools[0].backends[0].drain = true;
  model.pools[0].backends[1].weight = 0;
  model.pools[0].on_empty = GENERATE(OnEmpty::drop, OnEmpty::all);
  CHECK(healthy(model).standing() == PoolStanding{{{0, true}, {0, true}}, 0, true});
}

TEST_CASE("standings are in the order of the pool that is asked about") {
  Model model = model_of({pool_of("a", {kTwo, kThree, kOne}, {tcp_check(80)}),
                          pool_of("b", {kOne, kTwo}, {tcp_check(80)})});
  Clinic clinic(model);
  clinic.say(true, kOne, 80);
  CHECK(clinic.standing(0).backends == std::vector<Standing>{{0, false}, {0, false}, {100, true}});
  CHECK(clinic.standing(1).backends == std::vector<Standing>{{100, true}, {0, false}});
}

TEST_CASE("a backend that recovers has a tenth of its weight more with each tenth of the time") {
  Clinic clinic = healthy(web(100s));
  recover(clinic, kOne);
  const Health::Time start = clinic.now;
  for (std::uint32_t step = 0; step < Health::kSlowStartSteps; ++step) {
    clinic.now = start + 10s * step;
    CHECK(clinic.standing().backends[0] == Standing{10 * (step + 1), true});
    CHECK(clinic.standing().backends[1] == Standing{100, true});
    CHECK(clinic.health.next_step(clinic.model, clinic.now) == clinic.now + 10s);
    clinic.now += 10s - 1ns;
    CHECK(clinic.percent(kOne) == 10 * (step + 1));
  }
  clinic.now = start + 100s;
  CHECK(clinic.percent(kOne) == 100);
  CHECK_FALSE(clinic.health.next_step(clinic.model, clinic.now).has_value());
}

TEST_CASE("a weight is constant until the next step, which is later than now") {
  std::mt19937_64 chance(11);
  for (int round = 0; round < 2000; ++round) {
    const auto length = std::chrono::seconds(1 + chance() % 3600);
    Clinic clinic = healthy(web(length));
    recover(clinic, kOne);
    const Health::Time start = clinic.now;
    const auto passed = std::chrono::nanoseconds(
        chance() % static_cast<std::uint64_t>(std::chrono::nanoseconds(length).count()));
    clinic.now += passed;
    const std::uint32_t percent = clinic.percent(kOne);
    INFO("length " << length.count() << " s, " << passed.count() << " ns of it");
    const auto next = clinic.health.next_step(clinic.model, clinic.now);
    REQUIRE(next.has_value());
    REQUIRE(*next > clinic.now);
    REQUIRE(*next <= start + length);
    const Health::Time now = clinic.now;
    for (int i = 0; i < 5; ++i) {
      clinic.now = now + std::chrono::nanoseconds(
                             chance() % static_cast<std::uint64_t>((*next - now).count()));
      REQUIRE(clinic.percent(kOne) == percent);
    }
    clinic.now = *next - 1ns;
    REQUIRE(clinic.percent(kOne) == percent);
    clinic.now = *next;
    REQUIRE(clinic.percent(kOne) == std::min(percent + 10, 100U));
  }
}

TEST_CASE("the next step is the earliest of all pools and backends") {
  Model model = model_of(
      {pool_of("a", {kOne}, {tcp_check(80)}), pool_of("web", {kTwo, kThree}, {tcp_check(80)})});
  model.pools[0].slow_start = 1000s;
  model.pools[1].slow_start = 100s;
  Clinic clinic(model);
  for (const Ipv4Address address : {kOne, kTwo, kThree}) clinic.say(true, address, 80);
  CHECK_FALSE(clinic.health.next_step(model, clinic.now).has_value());
  const Health::Time start = clinic.now;
  clinic.say(false, kOne, 80, 3);
  clinic.say(true, kOne, 80, 2);
  CHECK(clinic.health.next_step(model, clinic.now) == start + 100s);
  clinic.now += 95s;
  recover(clinic, kThree);
  CHECK(clinic.health.next_step(model, clinic.now) == start + 100s);
  clinic.now += 5s;
  CHECK(clinic.health.next_step(model, clinic.now) == start + 105s);
}

TEST_CASE("those of the first configuration begin at their full weight") {
  const Clinic clinic = healthy(web(100s));
  CHECK(clinic.percent(kOne) == 100);
  CHECK_FALSE(clinic.health.next_step(clinic.model, clinic.now).has_value());
}

TEST_CASE("one that joins later starts slowly when it is up for the first time") {
  Clinic clinic = healthy(web(100s));
  Model next = clinic.model;
  next.pools[0].backends.push_back({.address = kThree});
  clinic.configure(next);
  clinic.now += 500s;
  CHECK(clinic.standing().backends[2] == Standing{0, false});
  clinic.say(true, kThree, 80);
  CHECK(clinic.standing().backends[2] == Standing{10, true});
  CHECK(clinic.percent(kOne) == 100);
  clinic.now += 100s;
  CHECK(clinic.percent(kThree) == 100);
  SECTION("and its start is not begun again by another reload") {
    clinic.configure(next);
    clinic.say(true, kThree, 80, 5);
    CHECK(clinic.percent(kThree) == 100);
  }
}

TEST_CASE("a slow start goes on through a reload, by the length that the new file says") {
  Clinic clinic = healthy(web(100s));
  recover(clinic, kOne);
  clinic.now += 25s;
  CHECK(clinic.percent(kOne) == 30);
  Model next = clinic.model;
  SECTION("longer") {
    next.pools[0].slow_start = 200s;
    clinic.configure(next);
    CHECK(clinic.percent(kOne) == 20);
    CHECK(clinic.health.next_step(clinic.model, clinic.now) == clinic.now + 15s);
  }
  SECTION("none") {
    next.pools[0].slow_start = 0s;
    clinic.configure(next);
    CHECK(clinic.percent(kOne) == 100);
    CHECK_FALSE(clinic.health.next_step(clinic.model, clinic.now).has_value());
  }
}

TEST_CASE("without slow_start a backend recovers at once") {
  Clinic clinic = healthy(web());
  recover(clinic, kOne);
  CHECK(clinic.percent(kOne) == 100);
  CHECK_FALSE(clinic.health.next_step(clinic.model, clinic.now).has_value());
}

TEST_CASE("going down ends a slow start, coming up begins a new one") {
  Clinic clinic = healthy(web(100s));
  recover(clinic, kOne);
  clinic.now += 55s;
  clinic.say(false, kOne, 80, 3);
  CHECK(clinic.standing().backends[0] == Standing{0, false});
  CHECK_FALSE(clinic.health.next_step(clinic.model, clinic.now).has_value());
  clinic.now += 5s;
  clinic.say(true, kOne, 80, 2);
  CHECK(clinic.standing().backends[0] == Standing{10, true});
  CHECK(clinic.health.next_step(clinic.model, clinic.now) == clinic.now + 10s);
}

TEST_CASE("a slow start does not weigh on a backend that an empty pool uses as if it were up") {
  Model model = web(100s);
  model.pools[0].on_empty = OnEmpty::all;
  Clinic clinic = healthy(model);
  recover(clinic, kOne);
  for (const Ipv4Address address : {kOne, kTwo}) clinic.say(false, address, 80, 3);
  // Nobody takes steps for it, so that a tenth would last.
  REQUIRE_FALSE(clinic.health.next_step(clinic.model, clinic.now).has_value());
  CHECK(clinic.standing().backends == std::vector<Standing>{{100, true}, {100, true}});
}

TEST_CASE("one that was down starts slowly also when its last check to answer is a new voice") {
  Model model = web(100s);
  model.pools[0].checks.push_back(tcp_check(81));
  Clinic clinic(model);
  clinic.say(false, kOne, 80);    // down
  clinic.say(true, kOne, 80, 2);  // open, as nothing is known of port 81
  clinic.say(true, kOne, 81);
  REQUIRE(clinic.state("web", kOne) == HealthState::up);
  CHECK(clinic.percent(kOne) == 10);
}

TEST_CASE("backends that are not known yet take no steps") {
  Clinic clinic = healthy(web(100s));
  recover(clinic, kOne);
  Model next = clinic.model;
  next.pools[0].backends.push_back({.address = kThree});
  next.pools.push_back(pool_of("new", {kOne}, {tcp_check(80)}));
  next.pools[1].slow_start = 10s;
  CHECK(clinic.health.next_step(next, clinic.now) == clinic.now + 10s);
}

}  // namespace
}  // namespace guideway::control
