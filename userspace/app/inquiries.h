// Questions to workers, put and waited for: what a coroutine of the control thread needs beside
// Worker::mailbox (dataplane/inquiry.h says what can be asked).
//
// A worker has one question at a time, and those of others wait in its mailbox for their turn. All
// workers of one call are asked at the same time, so that one that hangs costs the patience once.
//
// No worker is held over a suspension: each look finds it anew by its name, as a reload may take
// its interface out of service meanwhile.
//
// Threads: the control thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "app/data_plane.h"
#include "dataplane/inquiry.h"

namespace guideway::app {

// How long a worker may have one question, ours or another's, without answering it: an idle worker
// is woken by it, and a busy one looks after each batch, so that both answer within milliseconds.
// One that has not after this time hangs. The time in which a question waits for its turn behind
// others', which are answered, is none of it.
inline constexpr std::chrono::milliseconds kInquiryPatience{1000};

// A worker, named by the queue that it serves.
struct LaneName {
  std::string interface;  // the kernel's name of it: Nic::name
  std::uint32_t queue = 0;

  [[nodiscard]] std::string text() const { return interface + " queue " + std::to_string(queue); }
  friend auto operator<=>(const LaneName&, const LaneName&) = default;
};

// The queues in service, in the order of the interfaces and of their queues.
[[nodiscard]] std::vector<LaneName> lane_names(const DataPlane& plane);

struct Question {
  LaneName to;
  std::variant<dataplane::PacketInquiry, dataplane::FlowSurvey> about;
};

struct Reply {
  enum class Kind : std::uint8_t {
    answered,
    hangs,  // it has had one question for longer than the patience
    gone,   // no such queue is in service, or not any more
  };
  LaneName from;
  Kind kind = Kind::hangs;
  std::shared_ptr<const dataplane::Inquiry> inquiry{};  // answered: the answer; else null
};

// Asks, and waits until each has answered, has gone or hangs; a reply for each question, in their
// order. REQUIRES: `plane` outlives the call.
[[nodiscard]] boost::asio::awaitable<std::vector<Reply>> ask_workers(
    const DataPlane& plane, std::vector<Question> questions,
    std::chrono::milliseconds patience = kInquiryPatience);

}  // namespace guideway::app
