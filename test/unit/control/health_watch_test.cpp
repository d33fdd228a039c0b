// Health at work: what a reload prepares is asked from the first moment, and heard of.
#include "control/health_watch.h"

#include "unit/control/health_support.h"
#include "unit/control/prober_fixture.h"

namespace guideway::control {
namespace {

using namespace testing;
using Clock = std::chrono::steady_clock;

// Listens, so that a connection can be made, and nothing else.
class Listener {
 public:
  Listener() : socket_(SOCK_STREAM) { REQUIRE(::listen(socket_.get(), 1024) == 0); }
  [[nodiscard]] std::uint16_t port() const { return socket_.port(); }

 private:
  BoundSocket socket_;
};

Model asking(std::uint16_t port) {
  CheckConfig check = tcp_check(port);
  check.interval = 10ms;
  return model_of({pool_of("web", {probe::kLoopback}, {check})});
}

struct Watching {
  boost::asio::io_context io;
  int changes = 0;
  HealthWatch watch{io, [this] { ++changes; }};

  template <class Condition>
  bool eventually(const Condition& condition) {
    const auto deadline = Clock::now() + probe::kPatience;
    while (!condition() && Clock::now() < deadline) io.run_one_for(10ms);
    return condition();
  }
  void begin(const Model& model) {
    REQUIRE(watch.provide(model).has_value());
    watch.prepare(model);
    watch.adopt(model);
  }
  [[nodiscard]] HealthState state() const {
    return watch.health().find({"web", probe::kLoopback})->state;
  }
};

TEST_CASE("a backend is up once it has answered, and that is told") {
  const Listener listener;
  Watching all;
  all.begin(asking(listener.port()));
  CHECK(all.state() == HealthState::unknown);
  CHECK(all.eventually([&] { return all.state() == HealthState::up; }));
  CHECK(all.changes == 1);
}

TEST_CASE("what is prepared is asked, and a change that only it has is told, too") {
  const Listener listener;
  Watching all;
  all.begin(model_of({}));
  const Model next = asking(listener.port());
  all.watch.prepare(next);
  CHECK(all.watch.prepared().any_unknown());
  REQUIRE(all.eventually([&] { return !all.watch.prepared().any_unknown(); }));
  CHECK(all.changes == 1);
  CHECK(all.watch.health().find({"web", probe::kLoopback}) == nullptr);
  all.watch.adopt(next);
  CHECK(all.state() == HealthState::up);
}

TEST_CASE("what was prepared and is discarded is asked no longer, and changes nothing") {
  const Listener old_one, new_one;
  Watching all;
  all.begin(asking(old_one.port()));
  REQUIRE(all.eventually([&] { return all.state() == HealthState::up; }));
  all.watch.prepare(asking(new_one.port()));
  all.watch.discard();
  const auto& checks = all.watch.health().find({"web", probe::kLoopback})->checks;
  const auto passed = checks.at(0).passed;
  REQUIRE(all.eventually([&] { return checks.at(0).passed >= passed + 3; }));
  CHECK(checks.at(0).probe.asking->question.port == old_one.port());
  CHECK(all.state() == HealthState::up);
}

TEST_CASE("a drain during a reload is there before and after it") {
  const Listener listener;
  Watching all;
  const Model model = asking(listener.port());
  const Health::Key key{"web", probe::kLoopback};
  all.begin(model);
  all.watch.prepare(model);
  CHECK(all.watch.set_drain(key, true));
  CHECK(all.watch.health().find(key)->drained);
  all.watch.adopt(model);
  CHECK(all.watch.health().find(key)->drained);
}

}  // namespace
}  // namespace guideway::control
