// app/data_plane.h: how it is told of the workers. Of workers that never run, so that no socket is
// needed.
#include "app/data_plane.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.h"

using namespace std::chrono_literals;
using namespace guideway;
using app::Lane;
using app::Progress;
using app::Unit;

namespace {

// In the place of a socket: a worker that never runs only remembers where it is.
struct NoSocket {
  alignas(xdp::Socket) std::array<std::byte, sizeof(xdp::Socket)> memory{};
  xdp::Socket& socket() { return *reinterpret_cast<xdp::Socket*>(memory.data()); }
};

// One interface with a worker for each of these names, none of which was started.
struct NotStarted {
  explicit NotStarted(const std::vector<std::string>& names) {
    units.push_back(std::make_unique<Unit>());
    for (const std::string& name : names) {
      Lane lane{.socket = &none.socket(),
                .counters = std::make_unique<WorkerCounters>(),
                .worker = nullptr};
      lane.worker = std::make_unique<dataplane::Worker>(
          dataplane::WorkerOptions{.name = name, .flow_entries = 64, .timeouts = {}}, none.socket(),
          *lane.counters, publication);
      units.back()->lanes.push_back(std::move(lane));
    }
  }
  NoSocket none;
  Publication publication{0, std::make_unique<Snapshot>(), 8};
  std::vector<std::unique_ptr<Unit>> units;
};

}  // namespace

TEST_CASE("of two workers that never run each is told of as stalled by itself") {
  const NotStarted plane({"gw-0-eth0", "gw-1-eth0"});
  REQUIRE(plane.units.front()->lanes.front().worker->thread_id() == 0);
  Progress progress(5s, 1s);
  Progress::Clock::time_point now{1h};
  std::vector<std::string> told;
  for (int second = 0; second <= 5; ++second)
    for (const auto& change : progress.look(app::turns_of(plane.units), now += 1s))
      told.push_back(change.key);
  CHECK(told == std::vector<std::string>{"gw-0-eth0", "gw-1-eth0"});
}

TEST_CASE("a worker that never runs does not hide the turns of another one") {
  const NotStarted plane({"gw-0-eth0", "gw-1-eth0"});
  Progress progress(5s, 1s);
  Progress::Clock::time_point now{1h};
  for (int second = 0; second < 10; ++second) {
    plane.units.front()->lanes.front().counters->turns.add(1);
    (void)progress.look(app::turns_of(plane.units), now += 1s);
  }
  CHECK(progress.stalled_for("gw-0-eth0") == 0s);
  CHECK(progress.stalled_for("gw-1-eth0") == 9s);
}
