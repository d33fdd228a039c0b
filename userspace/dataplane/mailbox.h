// The questions that wait for one worker, and the one that it has: from the control thread to the
// worker, one at a time, in the order in which they came.
//
//     put() ─▶ waiting ─▶ go_on() ─▶ the worker's, while has_question() ─▶ answered ─▶ go_on() ..
//
// Threads: each function says whose it is. Neither side ever waits for the other.
// Owns: an eventfd, and a share in each question. A question whose asker has given up is dropped
// while it waits, and answered all the same once the worker has it.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/unique_fd.h"
#include "dataplane/inquiry.h"

namespace guideway::dataplane {

class Mailbox {
 public:
  // REQUIRES: succeeds before anything else is called. `owner` is for the message.
  [[nodiscard]] Result<> open(const std::string& owner);

  // The control thread's. Puts a question behind those that wait, and goes on.
  void put(std::shared_ptr<Inquiry> question);
  // The control thread's. Gives the worker the next question, if it has answered the last one. To
  // be called by who waits for an answer, now and then: the worker does not take one by itself.
  void go_on();
  // The control thread's. The worker has had one question, whoever's it is, for so long.
  [[nodiscard]] bool stands_still(std::chrono::milliseconds time) const;

  // The worker's. Readable while there is a question, and perhaps a little before.
  [[nodiscard]] int fd() const { return wake_.get(); }
  // The worker's.
  [[nodiscard]] bool has_question() const { return asked_.load(std::memory_order_acquire); }
  // The worker's: does the next piece of the question. REQUIRES: has_question().
  void work(const Pipeline& pipeline, const flow::Table& flows, const Snapshot& snapshot,
            flow::Tick now);

 private:
  UniqueFd wake_;
  std::deque<std::shared_ptr<Inquiry>> waiting_;   // the control thread's
  std::chrono::steady_clock::time_point given_{};  // the control thread's: when it gave `question_`
  std::shared_ptr<Inquiry> question_;  // the worker's while asked_, the control thread's otherwise
  std::atomic<bool> asked_{false};
};

}  // namespace guideway::dataplane
