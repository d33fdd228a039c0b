// Health: what answers make of a backend, and which probes are asked for it.
#include "control/health.h"

#include <array>
#include <random>
#include <set>

#include "support/catch.h"
#include "unit/control/health_support.h"

namespace guideway::control {
namespace {

using namespace testing;
using enum HealthState;

// A judge by its definition: looks back over all answers that there were.
class SlowJudge {
 public:
  HealthState hear(bool passed, std::uint32_t rise, std::uint32_t fall) {
    answers_.push_back(passed);
    std::uint32_t row = 0;
    for (auto at = answers_.rbegin(); at != answers_.rend() && *at == passed; ++at) ++row;
    if (state == unknown || row >= (passed ? rise : fall)) state = passed ? up : down;
    return state;
  }
  HealthState state = unknown;

 private:
  std::vector<bool> answers_;
};

// Answers that come in runs, so that thresholds are met and just missed.
class Answers {
 public:
  explicit Answers(std::uint32_t seed) : chance_(seed) {}
  bool next() {
    if (chance_() % 3 == 0) last_ = !last_;
    return last_;
  }
  std::uint32_t from_1_to(std::uint32_t most) {
    return 1 + static_cast<std::uint32_t>(chance_() % most);
  }

 private:
  std::minstd_rand chance_;
  bool last_ = true;
};

TEST_CASE("the first answer decides at once, whatever the thresholds") {
  const bool passed = GENERATE(true, false);
  Judge judge(5, 7, unknown);
  judge.observe(passed);
  CHECK(judge.state() == (passed ? up : down));
}

TEST_CASE("a check goes down at exactly `fall` failures, and up at exactly `rise` passes") {
  Judge judge(3, 4, up);
  for (int i = 0; i < 3; ++i) judge.observe(false);
  CHECK(judge.state() == up);
  judge.observe(false);
  CHECK(judge.state() == down);
  for (int i = 0; i < 2; ++i) judge.observe(true);
  CHECK(judge.state() == down);
  judge.observe(true);
  CHECK(judge.state() == up);
}

TEST_CASE("an answer of the other kind begins the count anew") {
  Judge judge(2, 3, up);
  for (int i = 0; i < 20; ++i) judge.observe(i % 3 == 2);  // two failures, a pass, ...
  CHECK(judge.state() == up);
  for (int i = 0; i < 3; ++i) judge.observe(false);
  REQUIRE(judge.state() == down);
  for (int i = 0; i < 20; ++i) judge.observe(i % 2 == 0);
  CHECK(judge.state() == down);
}

TEST_CASE("a judge agrees with one that looks back over all answers") {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    Answers answers(seed);
    std::uint32_t rise = answers.from_1_to(6), fall = answers.from_1_to(6);
    Judge judge(rise, fall, unknown);
    SlowJudge slow;
    for (int i = 0; i < 200; ++i) {
      if (i % 40 == 39) {  // other thresholds; the count stays
        rise = answers.from_1_to(6);
        fall = answers.from_1_to(6);
        judge.adjust(rise, fall);
      }
      const bool passed = answers.next();
      judge.observe(passed);
      INFO("seed " << seed << ", answer " << i << ", rise " << rise << ", fall " << fall);
      REQUIRE(judge.state() == slow.hear(passed, rise, fall));
    }
  }
}

TEST_CASE("other thresholds count what was heard before, and decide at the next answer") {
  Judge judge(2, 5, up);
  for (int i = 0; i < 4; ++i) judge.observe(false);
  judge.adjust(2, 3);
  CHECK(judge.state() == up);
  judge.observe(false);
  CHECK(judge.state() == down);
}

TEST_CASE("a backend without checks is unchecked, and nobody asks it") {
  const Clinic clinic(model_of({pool_of("web", {kOne})}));
  CHECK(clinic.state("web", kOne) == unchecked);
  CHECK(clinic.health.probes().empty());
  CHECK_FALSE(clinic.health.any_unknown());
}

TEST_CASE("a backend is unknown until its first answer, and then known") {
  Clinic clinic(model_of({pool_of("web", {kOne, kTwo}, {tcp_check(80)})}));
  CHECK(clinic.state("web", kOne) == unknown);
  clinic.say(true, kOne, 80);
  CHECK(clinic.state("web", kOne) == up);
  CHECK(clinic.health.any_unknown());  // the other one
  clinic.say(false, kTwo, 80);
  CHECK(clinic.state("web", kTwo) == down);
  CHECK_FALSE(clinic.health.any_unknown());
}

TEST_CASE("a transition says who, from what to what, by which check, and why") {
  Clinic clinic(model_of({pool_of("web", {kOne}, {tcp_check(80)})}));
  const auto first = clinic.say(true, kOne, 80);
  REQUIRE(first.size() == 1);
  CHECK(first[0].backend == Health::Key("web", kOne));
  CHECK(first[0].from == unknown);
  CHECK(first[0].to == up);
  CHECK(first[0].why == "tcp port 80: connected");
  clinic.now += 7s;
  CHECK(clinic.say(false, kOne, 80, 2).empty());
  const auto fell = clinic.say(false, kOne, 80);
  REQUIRE(fell.size() == 1);
  CHECK(fell[0].from == up);
  CHECK(fell[0].to == down);
  CHECK(fell[0].why == "tcp port 80: connection refused");
  const Health::Backend& backend = clinic.backend("web", kOne);
  CHECK(backend.since == clinic.now);
  CHECK(backend.went_up == 1);
  CHECK(backend.went_down == 1);
  REQUIRE(backend.checks.size() == 1);
  CHECK(backend.checks[0].passed == 1);
  CHECK(backend.checks[0].failed == 3);
  CHECK(backend.checks[0].last == "connection refused");
  CHECK(backend.checks[0].took == 5us);
}

TEST_CASE("of several checks one that is down is enough, and all have to be up") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    Answers answers(seed);
    std::vector<CheckConfig> checks;
    for (std::uint16_t port = 1; port <= 3; ++port)
      checks.push_back(tcp_check(port, answers.from_1_to(4), answers.from_1_to(4)));
    Clinic clinic(model_of({pool_of("web", {kOne}, checks)}));
    std::array<SlowJudge, 3> slow;
    HealthState expected = unknown;
    std::uint64_t went_up = 0, went_down = 0;
    for (int i = 0; i < 200; ++i) {
      clinic.now += 1s;
      const std::size_t which = answers.from_1_to(3) - 1;
      const bool passed = answers.next();
      const auto told = clinic.say(passed, kOne, checks[which].question.port);
      slow.at(which).hear(passed, checks[which].rise, checks[which].fall);
      std::set<HealthState> states;
      for (const SlowJudge& one : slow) states.insert(one.state);
      const HealthState before = expected;
      expected = states.contains(down) ? down : states.contains(unknown) ? unknown : up;
      INFO("seed " << seed << ", answer " << i);
      REQUIRE(clinic.state("web", kOne) == expected);
      REQUIRE(told.size() == (before == expected ? 0 : 1));
      if (before == expected) continue;
      went_up += expected == up ? 1 : 0;
      went_down += expected == down ? 1 : 0;
      REQUIRE(clinic.backend("web", kOne).since == clinic.now);
      REQUIRE(clinic.backend("web", kOne).went_up == went_up);
      REQUIRE(clinic.backend("web", kOne).went_down == went_down);
    }
  }
}

TEST_CASE("a check that mends while another one has not answered yet is no fall") {
  Clinic clinic(model_of({pool_of("web", {kOne}, {tcp_check(80), tcp_check(81)})}));
  clinic.say(false, kOne, 80);
  REQUIRE(clinic.state("web", kOne) == down);
  const auto told = clinic.say(true, kOne, 80, 2);
  REQUIRE(told.size() == 1);
  CHECK(told[0].from == down);
  CHECK(told[0].to == unknown);
  CHECK(clinic.backend("web", kOne).went_down == 1);
  clinic.say(true, kOne, 81);
  CHECK(clinic.state("web", kOne) == up);
  CHECK(clinic.backend("web", kOne).went_up == 1);
}

TEST_CASE("what two pools ask alike of one address is asked once, and judged by each for itself") {
  Clinic clinic(model_of({pool_of("quick", {kOne}, {tcp_check(80, 1, 1)}),
                          pool_of("slow", {kOne, kTwo}, {tcp_check(80, 4, 2)})}));
  CHECK(clinic.health.probes().size() == 2);  // of two addresses
  CHECK(clinic.say(true, kOne, 80).size() == 2);
  auto told = clinic.say(false, kOne, 80);
  REQUIRE(told.size() == 1);
  CHECK(told[0].backend.first == "quick");
  told = clinic.say(false, kOne, 80);
  REQUIRE(told.size() == 1);
  CHECK(told[0].backend.first == "slow");
  CHECK(clinic.say(true, kOne, 80).size() == 1);
  CHECK(clinic.say(true, kOne, 80, 2).empty());
  CHECK(clinic.say(true, kOne, 80).size() == 1);
  CHECK(clinic.state("quick", kOne) == up);
  CHECK(clinic.state("slow", kOne) == up);
  CHECK(clinic.state("slow", kTwo) == unknown);
}

TEST_CASE("another interval, port, time-out or VIP is another probe") {
  auto other = tcp_check(80);
  SECTION("interval") { other.interval += 1ms; }
  SECTION("port") { other.question.port = 81; }
  SECTION("time-out") { other.question.timeout += 1ms; }
  SECTION("VIP") { other.question.vip = ip("198.51.100.1"); }
  const Clinic clinic(
      model_of({pool_of("a", {kOne}, {tcp_check(80)}), pool_of("b", {kOne}, {other})}));
  CHECK(clinic.health.probes().size() == 2);
}

TEST_CASE("probes are sorted, each there once") {
  const std::vector<CheckConfig> checks{tcp_check(80), tcp_check(81), tcp_check(82)};
  const Clinic clinic(model_of({pool_of("a", {kThree, kOne, kTwo}, checks),
                                pool_of("b", {kTwo, kThree}, {tcp_check(82), tcp_check(80)})}));
  const auto probes = clinic.health.probes();
  CHECK(probes.size() == 9);
  CHECK(std::ranges::is_sorted(probes));
  CHECK(std::ranges::adjacent_find(probes) == probes.end());
}

TEST_CASE("a pool that has a check twice asks once, and judges it twice") {
  Clinic clinic(model_of({pool_of("web", {kOne}, {tcp_check(80, 1, 1), tcp_check(80, 2, 3)})}));
  CHECK(clinic.health.probes().size() == 1);
  CHECK(clinic.say(true, kOne, 80).size() == 1);
  const auto& checks = clinic.backend("web", kOne).checks;
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].passed == 1);
  CHECK(checks[1].passed == 1);
  CHECK(clinic.say(false, kOne, 80).size() == 1);  // by the one whose `fall` is 1
  CHECK(clinic.say(false, kOne, 80, 2).empty());   // by now the other one is down, too
  CHECK(clinic.say(true, kOne, 80).empty());
  CHECK(clinic.say(true, kOne, 80).size() == 1);  // by the one whose `rise` is 2
}

TEST_CASE("an answer that nobody needs any more changes nothing") {
  Clinic clinic(model_of({pool_of("web", {kOne, kTwo}, {tcp_check(80)})}));
  const ProbeId old = clinic.probe(kOne, 80);
  clinic.configure(model_of({pool_of("web", {kTwo}, {tcp_check(80)})}));
  CHECK(clinic.health.observe(old, answer(true), clinic.now).empty());
  CHECK(clinic.health.find({"web", kOne}) == nullptr);
  CHECK(clinic.state("web", kTwo) == unknown);
}

TEST_CASE("what this host could not ask says nothing about a backend, and why is kept") {
  Clinic clinic(model_of({pool_of("web", {kOne}, {tcp_check(80)})}));
  const ProbeId probe = clinic.probe(kOne, 80);
  probe::Answer answer;
  answer.why = "not asked: no descriptor";
  answer.asked = false;
  for (int i = 0; i < 10; ++i) CHECK(clinic.health.observe(probe, answer, clinic.now).empty());
  CHECK(clinic.state("web", kOne) == unknown);
  const auto& check = clinic.health.find({"web", kOne})->checks.at(0);
  CHECK(check.last == "not asked: no descriptor");
  CHECK(check.passed + check.failed == 0);
  clinic.say(true, kOne, 80);
  for (int i = 0; i < 10; ++i) CHECK(clinic.health.observe(probe, answer, clinic.now).empty());
  CHECK(clinic.state("web", kOne) == up);
}

TEST_CASE("what nobody asks any more is forgotten") {
  Clinic clinic(model_of({pool_of("web", {kOne}, {tcp_check(80)})}));
  const std::weak_ptr<const Asking> asking = clinic.probe(kOne, 80).asking;
  CHECK_FALSE(asking.expired());
  clinic.configure(model_of({pool_of("web", {kOne}, {tcp_check(81)})}));
  CHECK(asking.expired());
}

TEST_CASE("a copy of Health knows the same probes, and goes its own way") {
  Clinic clinic(model_of({pool_of("web", {kOne, kTwo}, {tcp_check(80)})}));
  clinic.say(true, kOne, 80);
  const ProbeId old = clinic.probe(kOne, 80);
  const ProbeId gone = clinic.probe(kTwo, 80);
  Health copy = clinic.health;
  CHECK(copy.probes() == clinic.health.probes());

  const Model next = model_of({pool_of("web", {kOne, kThree}, {tcp_check(80), tcp_check(81)})});
  copy.configure(next, clinic.now);
  for (int i = 0; i < 3; ++i) (void)copy.observe(old, answer(false), clinic.now);
  CHECK(copy.find({"web", kOne})->state == down);
  CHECK(clinic.state("web", kOne) == up);  // was not told
  CHECK(clinic.health.find({"web", kThree}) == nullptr);
  CHECK(clinic.health.probes().size() == 2);
  CHECK(copy.set_drain({"web", kOne}, true));
  CHECK_FALSE(clinic.backend("web", kOne).drained);

  SECTION("one answer counts for both") {
    CHECK(clinic.health.observe(gone, answer(true), clinic.now).size() == 1);
    CHECK(copy.observe(gone, answer(true), clinic.now).empty());
  }
  SECTION("it takes the original's place, and those who ask go on with the probes that they have") {
    const auto before = clinic.health.probes();
    clinic.health = std::move(copy);
    const auto after = clinic.health.probes();
    CHECK(after.size() == 4);
    CHECK(std::ranges::count_if(after, [&](const ProbeId& probe) {
            return std::ranges::find(before, probe) != before.end();
          }) == 1);
    // Until now down by port 80, while port 81 has taken the state that the backend had.
    for (int i = 0; i < 2; ++i) (void)clinic.health.observe(old, answer(true), clinic.now);
    CHECK(clinic.state("web", kOne) == up);
  }
  SECTION("it lives on without the original") {
    clinic.health = Health();
    CHECK(copy.probes().size() == 4);
    copy.configure(next, clinic.now);
    CHECK(copy.probes().size() == 4);
    CHECK(std::ranges::count(copy.probes(), old) == 1);
  }
}

}  // namespace
}  // namespace guideway::control
