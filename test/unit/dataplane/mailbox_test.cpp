// Questions on their way from the control thread to a worker.
#include "dataplane/mailbox.h"

#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "unit/dataplane/pipeline_box.h"

namespace guideway {
namespace {

using dataplane::Inquiry;
using dataplane::Mailbox;
using test::PipelineBox;
using test::small_world;
using test::web;

constexpr std::chrono::hours kLong{1};
constexpr std::chrono::milliseconds kNoTime{0};

std::shared_ptr<Inquiry> question() {
  return std::make_shared<Inquiry>(dataplane::PacketInquiry{.frame = test::build_frame(web(0))});
}

bool readable(const Mailbox& mailbox) {
  pollfd waited_for{.fd = mailbox.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&waited_for, 1, 0) == 1;
}

struct World {
  Snapshot snapshot = build_snapshot(small_world());
  PipelineBox box;
  dataplane::Pipeline pipeline{box.flows, *box.counters, test::kEgressDevice};
  Mailbox mailbox;

  World() { REQUIRE(mailbox.open("test")); }
  void work() { mailbox.work(pipeline, box.flows, snapshot, box.now); }
};

TEST_CASE("questions to a worker are answered in the order in which they came") {
  World world;
  const std::vector asked{question(), question(), question()};
  for (const auto& one : asked) world.mailbox.put(one);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    REQUIRE(world.mailbox.has_question());
    world.work();
    for (std::size_t j = 0; j < asked.size(); ++j) CHECK(asked[j]->answered() == (j <= i));
    world.mailbox.go_on();
  }
  CHECK_FALSE(world.mailbox.has_question());
}

TEST_CASE("a question that was given up while it waited is not put to the worker") {
  World world;
  const auto first = question(), last = question();
  world.mailbox.put(first);
  world.mailbox.put(question());
  world.mailbox.put(last);
  world.work();
  world.mailbox.go_on();
  world.work();
  CHECK(last->answered());
}

TEST_CASE("questions that are given up do not pile up before a worker that hangs") {
  World world;
  const auto hanging = question(), later = question();
  auto given_up = question();
  world.mailbox.put(hanging);
  world.mailbox.put(given_up);
  const std::weak_ptr<Inquiry> seen = given_up;
  given_up.reset();
  world.mailbox.put(later);
  CHECK(seen.expired());
}

TEST_CASE("a worker stands still while it has a question, not while it has none") {
  World world;
  CHECK_FALSE(world.mailbox.stands_still(kNoTime));
  const auto first = question(), second = question();
  world.mailbox.put(first);
  world.mailbox.put(second);
  CHECK(world.mailbox.stands_still(kNoTime));
  CHECK_FALSE(world.mailbox.stands_still(kLong));
  world.work();
  CHECK_FALSE(world.mailbox.stands_still(kNoTime));
}

TEST_CASE("the eventfd of a mailbox is readable from a question to its answer") {
  World world;
  CHECK_FALSE(readable(world.mailbox));
  const auto asked = question();
  world.mailbox.put(asked);
  CHECK(readable(world.mailbox));
  world.work();
  CHECK_FALSE(readable(world.mailbox));
}

// A worker that is awake sees the question at once, and may have answered before put() returns.
TEST_CASE("a worker that answers while it is being asked can sleep afterwards") {
  World world;
  constexpr int kQuestions = 20'000;
  std::atomic<int> answered{0};
  std::jthread worker([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!world.mailbox.has_question()) continue;
      world.work();
      answered.fetch_add(1, std::memory_order_release);
    }
  });
  int awake = 0;
  for (int i = 0; i < kQuestions; ++i) {
    const auto asked = question();
    world.mailbox.put(asked);
    while (answered.load(std::memory_order_acquire) <= i) std::this_thread::yield();
    if (readable(world.mailbox)) ++awake;
  }
  CHECK(awake == 0);
}

}  // namespace
}  // namespace guideway
