#include "xdp/polling_watch.h"

#include "support/catch.h"

namespace guideway::xdp {
namespace {

using std::chrono::milliseconds;

// A watch, and a clock that goes on by a millisecond with each try to send.
struct Watched {
  PollingWatch watch;
  PollingWatch::Clock::time_point now{};

  // Whether it stood still at any of so many tries, by each of which `sent` packets were taken.
  bool try_to_send(int tries, std::uint32_t sent, bool waiting) {
    bool still = false;
    for (int i = 0; i < tries; ++i) {
      now += milliseconds(1);
      taken += sent;
      still = watch.stands_still(taken, waiting, now) || still;
    }
    return still;
  }
  std::uint32_t taken = 0xFFFFFF00;  // about to wrap
};

}  // namespace

TEST_CASE("packets that wait, and of which none is taken for a tenth of a second, stand still") {
  Watched socket;
  CHECK_FALSE(socket.try_to_send(100, 0, true));
  CHECK(socket.try_to_send(1, 0, true));
}

TEST_CASE("equal batches that are sent, so that as many wait each time, do not stand still") {
  Watched socket;
  CHECK_FALSE(socket.try_to_send(10'000, 64, true));
}

TEST_CASE("a ring that is empty does not stand still, however long") {
  Watched socket;
  CHECK_FALSE(socket.try_to_send(10'000, 0, false));
  CHECK_FALSE(socket.try_to_send(100, 0, true));
}

TEST_CASE("a standstill is told once in each tenth of a second") {
  Watched socket;
  CHECK(socket.try_to_send(101, 0, true));
  CHECK_FALSE(socket.try_to_send(99, 0, true));
  CHECK(socket.try_to_send(1, 0, true));
}

}  // namespace guideway::xdp
