// Health::configure(): what a backend keeps when the file changes.
#include <random>

#include "control/health.h"
#include "support/catch.h"
#include "unit/control/health_support.h"

namespace guideway::control {
namespace {

using namespace testing;
using enum HealthState;

Model web(std::vector<CheckConfig> checks, const std::vector<Ipv4Address>& backends = {kOne}) {
  return model_of({pool_of("web", backends, std::move(checks))});
}

// A clinic whose backend 10.0.0.1 has this state after some answers.
Clinic clinic_with(HealthState state) {
  Clinic clinic(web(state == unchecked ? std::vector<CheckConfig>{} : std::vector{tcp_check(80)}));
  if (state == up || state == down) clinic.say(state == up, kOne, 80);
  REQUIRE(clinic.state("web", kOne) == state);
  clinic.now += 10s;
  return clinic;
}

TEST_CASE("the same file again changes nothing") {
  Clinic clinic = clinic_with(GENERATE(unchecked, unknown, up, down));
  const Health::Backend before = clinic.backend("web", kOne);
  const auto probes = clinic.health.probes();
  clinic.configure(clinic.model);
  const Health::Backend& after = clinic.backend("web", kOne);
  CHECK(after.state == before.state);
  CHECK(after.since == before.since);
  CHECK(after.went_up == before.went_up);
  CHECK(after.went_down == before.went_down);
  CHECK(after.checks.size() == before.checks.size());
  CHECK_FALSE(after.joined_late);
  CHECK(clinic.health.probes() == probes);
}

TEST_CASE("the same question with other thresholds keeps state, count and last answer") {
  Clinic clinic = clinic_with(up);
  clinic.say(false, kOne, 80, 2);
  const auto probes = clinic.health.probes();
  SECTION("a lower `fall` decides at the next failure") {
    clinic.configure(web({tcp_check(80, 2, 2)}));
    CHECK(clinic.state("web", kOne) == up);
    CHECK(clinic.say(false, kOne, 80).size() == 1);
  }
  SECTION("a higher `fall` takes the two failures into account") {
    clinic.configure(web({tcp_check(80, 2, 5)}));
    CHECK(clinic.say(false, kOne, 80, 2).empty());
    CHECK(clinic.say(false, kOne, 80).size() == 1);
  }
  SECTION("what was heard stays to be seen") {
    clinic.configure(web({tcp_check(80, 9, 9)}));
    CHECK(clinic.backend("web", kOne).checks[0].passed == 1);
    CHECK(clinic.backend("web", kOne).checks[0].failed == 2);
    CHECK(clinic.backend("web", kOne).checks[0].last == "connection refused");
  }
  CHECK(clinic.health.probes() == probes);
}

TEST_CASE("a check that asks something new begins with the state that the backend had") {
  const HealthState state = GENERATE(up, down);
  Clinic clinic = clinic_with(state);
  const Health::Time since = clinic.backend("web", kOne).since;
  clinic.configure(web({tcp_check(8080)}));
  CHECK(clinic.state("web", kOne) == state);
  CHECK(clinic.backend("web", kOne).since == since);
  const bool other = state != up;
  const int needed = other ? 2 : 3;  // it is no first answer
  CHECK(clinic.say(other, kOne, 8080, needed - 1).empty());
  CHECK(clinic.state("web", kOne) == state);
  CHECK(clinic.say(other, kOne, 8080).size() == 1);
}

TEST_CASE("a new question to a backend that was never heard of waits for its first answer") {
  Clinic clinic = clinic_with(unknown);
  clinic.configure(web({tcp_check(8080)}));
  CHECK(clinic.state("web", kOne) == unknown);
  CHECK(clinic.say(false, kOne, 8080).size() == 1);
}

TEST_CASE("a first check for a pool that had none begins with up") {
  Clinic clinic = clinic_with(unchecked);
  clinic.configure(web({tcp_check(80)}));
  CHECK(clinic.state("web", kOne) == up);
  CHECK_FALSE(clinic.health.any_unknown());
  CHECK(clinic.say(false, kOne, 80, 2).empty());
  CHECK(clinic.say(false, kOne, 80).size() == 1);
}

TEST_CASE("without its last check a backend is unchecked, whatever it was") {
  Clinic clinic = clinic_with(GENERATE(unknown, up, down));
  clinic.configure(web({}));
  CHECK(clinic.state("web", kOne) == unchecked);
  CHECK(clinic.backend("web", kOne).since == clinic.now);
  CHECK(clinic.health.probes().empty());
}

TEST_CASE("a second check beside one that stays takes nothing from it") {
  Clinic clinic = clinic_with(down);
  clinic.configure(web({tcp_check(81), tcp_check(80)}));  // in another order, too
  CHECK(clinic.state("web", kOne) == down);
  CHECK(clinic.say(true, kOne, 80, 2).empty());  // the new one is down as well, by inheritance
  CHECK(clinic.say(true, kOne, 81).empty());
  CHECK(clinic.say(true, kOne, 81).size() == 1);
  CHECK(clinic.state("web", kOne) == up);
}

TEST_CASE("when the one check goes that was down, the others decide at once") {
  Clinic clinic(web({tcp_check(80), tcp_check(81)}));
  clinic.say(true, kOne, 80);
  clinic.say(false, kOne, 81);
  REQUIRE(clinic.state("web", kOne) == down);
  clinic.now += 1s;
  clinic.configure(web({tcp_check(80)}));
  CHECK(clinic.state("web", kOne) == up);
  CHECK(clinic.backend("web", kOne).since == clinic.now);
}

TEST_CASE("of the same check twice, one that goes leaves the other as it was") {
  Clinic clinic(web({tcp_check(80, 2, 3), tcp_check(80, 2, 3)}));
  clinic.say(true, kOne, 80);
  clinic.say(false, kOne, 80, 2);
  clinic.configure(web({tcp_check(80, 2, 3)}));
  CHECK(clinic.backend("web", kOne).checks.size() == 1);
  CHECK(clinic.say(false, kOne, 80).size() == 1);
  // And back: the second one is new, and begins with "down".
  clinic.configure(web({tcp_check(80, 1, 1), tcp_check(80, 2, 3)}));
  CHECK(clinic.state("web", kOne) == down);
  CHECK(clinic.say(true, kOne, 80).empty());
  CHECK(clinic.say(true, kOne, 80).size() == 1);
}

TEST_CASE("a backend that was removed and comes back is a new one") {
  Clinic clinic = clinic_with(GENERATE(up, down));
  clinic.health.set_drain({"web", kOne}, true);
  clinic.configure(web({tcp_check(80)}, {kTwo}));
  CHECK(clinic.health.find({"web", kOne}) == nullptr);
  clinic.configure(web({tcp_check(80)}, {kOne, kTwo}));
  const Health::Backend& back = clinic.backend("web", kOne);
  CHECK(back.state == unknown);
  CHECK_FALSE(back.drained);
  CHECK(back.joined_late);
  CHECK(back.since == clinic.now);
  CHECK(back.went_up + back.went_down == 0);
  CHECK(back.checks[0].passed + back.checks[0].failed == 0);
}

TEST_CASE("a pool under another name is a new pool, asked by the probes of the old one") {
  Clinic clinic = clinic_with(up);
  clinic.health.set_drain({"web", kOne}, true);
  const auto probes = clinic.health.probes();
  clinic.configure(model_of({pool_of("www", {kOne}, {tcp_check(80)})}));
  CHECK(clinic.health.find({"web", kOne}) == nullptr);
  CHECK(clinic.state("www", kOne) == up);  // by the answers to the same probe
  CHECK_FALSE(clinic.backend("www", kOne).drained);
  CHECK(clinic.health.probes() == probes);
}

TEST_CASE("a new pool begins with what the same probes have said for another one") {
  for (const HealthState said : {HealthState::up, HealthState::down}) {
    Clinic clinic = clinic_with(said);
    clinic.configure(
        model_of({clinic.model.pools[0], pool_of("api", {kOne, kTwo}, {tcp_check(80)})}));
    CHECK(clinic.state("web", kOne) == said);
    CHECK(clinic.state("api", kOne) == said);
    CHECK(clinic.state("api", kTwo) == unknown);
    CHECK(clinic.health.probes().size() == 2);
  }
}

TEST_CASE("a new pool that asks otherwise learns nothing from another one") {
  Clinic clinic = clinic_with(down);
  clinic.configure(model_of({clinic.model.pools[0], pool_of("api", {kOne}, {tcp_check(81)})}));
  CHECK(clinic.state("web", kOne) == down);
  CHECK(clinic.state("api", kOne) == unknown);
}

TEST_CASE("drains survive whatever else changes about the pool") {
  Clinic clinic(web({tcp_check(80)}, {kOne, kTwo}));
  CHECK(clinic.health.set_drain({"web", kOne}, true));
  CHECK_FALSE(clinic.health.set_drain({"web", kOne}, true));
  SECTION("other checks") { clinic.configure(web({tcp_check(81)}, {kOne, kTwo})); }
  SECTION("no checks") { clinic.configure(web({}, {kOne, kTwo})); }
  SECTION("other backends") { clinic.configure(web({tcp_check(80)}, {kThree, kOne})); }
  SECTION("another weight") {
    Model next = clinic.model;
    next.pools[0].backends[0].weight = 7;
    clinic.configure(next);
  }
  SECTION("another place in the file") {
    clinic.configure(model_of({pool_of("api", {kOne}), clinic.model.pools[0]}));
  }
  CHECK(clinic.backend("web", kOne).drained);
  for (const char* pool : {"web", "api"})
    for (const Ipv4Address other : {kOne, kTwo, kThree})
      if (const auto* found = clinic.health.find({pool, other});
          found && (pool[0] == 'a' || other != kOne))
        CHECK_FALSE(found->drained);
  CHECK(clinic.health.set_drain({"web", kOne}, false));
  CHECK_FALSE(clinic.backend("web", kOne).drained);
}

TEST_CASE("through a thousand reloads, states follow the checks that there are") {
  std::minstd_rand chance(7);
  Clinic clinic(web({tcp_check(80)}, {kOne, kTwo, kThree}));
  for (int round = 0; round < 1000; ++round) {
    std::vector<CheckConfig> checks;
    for (std::uint16_t port = 80; port < 83; ++port)
      if (chance() % 2 == 0)
        checks.push_back(tcp_check(port, static_cast<std::uint32_t>(1 + chance() % 3),
                                   static_cast<std::uint32_t>(1 + chance() % 3)));
    std::vector<Ipv4Address> backends;
    for (const Ipv4Address address : {kOne, kTwo, kThree})
      if (chance() % 4 != 0) backends.push_back(address);
    clinic.configure(web(checks, backends));
    REQUIRE(clinic.health.probes().size() == checks.size() * backends.size());
    for (const ProbeId& probe : clinic.health.probes())
      if (chance() % 2 == 0)
        (void)clinic.health.observe(probe, answer(chance() % 2 == 0), clinic.now);
    bool any_unknown = false;
    for (const Ipv4Address address : backends) {
      bool is_down = false, is_unknown = false;
      for (const auto& check : clinic.backend("web", address).checks) {
        is_down = is_down || check.judge.state() == down;
        is_unknown = is_unknown || check.judge.state() == unknown;
      }
      REQUIRE(clinic.state("web", address) == (checks.empty() ? unchecked
                                               : is_down      ? down
                                               : is_unknown   ? unknown
                                                              : up));
      any_unknown = any_unknown || is_unknown && !is_down;
    }
    REQUIRE(clinic.health.any_unknown() == any_unknown);
  }
}

}  // namespace
}  // namespace guideway::control
