// Keeps a speaker as wanted: calls Speaker::reconcile() on a thread of its own, at once when what
// is wanted changes, and a period after the end of the last call in any case, so that what was
// changed behind our back, or lost with a speaker that was restarted, is mended. One call at a
// time; what changes meanwhile is in the next one, which follows at once.
//
// Logs what was done, and what becomes of the contact and the sessions (speaker_log.h).
//
// Owns the speaker and the thread. Threads: all members on the thread of the io_context, which must
// outlive the object and, once something is wanted, does not run out of work. Destroyed, it ends a
// call that goes on and waits for its thread; nothing is called back any more.
//
// Errors: of a call, also what a speaker throws, are in State, and the next period tries again.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bgp/speaker.h"
#include "bgp/speaker_log.h"

namespace guideway::bgp {

class Announcer {
 public:
  static constexpr std::chrono::milliseconds kPeriod{1000};

  // What is known of the speaker, for the status and the metrics.
  struct State {
    // none_yet: it has never answered. lost: it has, but the last call failed.
    enum class Contact : std::uint8_t { none_yet, reached, lost } contact = Contact::none_yet;
    std::string error;     // of the last call, if it failed; with what mends it
    int error_number = 0;  // its Error::number
    std::chrono::steady_clock::time_point since{};  // in this contact
    std::optional<Report> last;                     // of the last call that succeeded
    bool in_step = false;  // the last call succeeded, with what is wanted now
    // Calls that ended, and how many of them failed; starts: BGP was started on a bare speaker.
    std::uint64_t calls = 0, failures = 0, starts = 0;
    std::uint64_t added = 0, deleted = 0, changed = 0;  // routes, in sum, by calls that succeeded
    // Of these, what was done though the call before had succeeded with the same wanted, and BGP
    // had gone on: a correction of what others did.
    std::uint64_t corrected = 0;
  };

  // `changed` is called after each call that changed something of State that a person would see:
  // not for counts of calls and messages, nor for the time that a session has lasted. It may call
  // want(), but not destroy the announcer. `period`: another one is for tests.
  Announcer(boost::asio::io_context& io, std::unique_ptr<Speaker> speaker,
            std::function<void()> changed = {}, std::chrono::milliseconds period = kPeriod);
  ~Announcer();
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;

  // From now on. The same as before costs nothing. The speaker is not called before the first one.
  void want(Wanted wanted);

  // Until the speaker is in step with what was wanted when this was called (not when it is
  // awaited), or with something later. False: not within `patience`, or the announcer was
  // destroyed, which it may be.
  [[nodiscard]] boost::asio::awaitable<bool> settled(std::chrono::milliseconds patience);

  [[nodiscard]] const State& state() const { return state_; }

 private:
  struct Waiter;  // in settled()
  [[nodiscard]] static boost::asio::awaitable<bool> wait(std::shared_ptr<Waiter> waiter);

  void call();
  void call_later();
  void take(std::uint64_t number, const Result<Report>& result);
  void succeeded(std::uint64_t number, const Report& report);
  void failed(const Error& error);
  void enter(State::Contact contact);
  void wake_waiters();

  boost::asio::io_context& io_;
  std::unique_ptr<Speaker> speaker_;
  std::function<void()> changed_;
  std::chrono::milliseconds period_;
  boost::asio::steady_timer timer_;
  std::optional<Wanted> wanted_;
  std::uint64_t number_ = 0;          // of what is wanted
  std::uint64_t settled_number_ = 0;  // that the speaker was last in step with
  bool calling_ = false;
  State state_;
  SpeakerLog log_;
  std::vector<std::weak_ptr<Waiter>> waiters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come too late
  std::future<void> call_ended_;
  boost::asio::thread_pool side_{1};  // ends first
};

}  // namespace guideway::bgp
