// A Speaker whose calls a test answers, holds and releases; and a loop with an Announcer that has
// it.
#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bgp/announcer.h"

namespace guideway::bgp::testing {

using namespace std::chrono_literals;

inline constexpr std::chrono::seconds kPatience{20};  // only a test that fails takes so long
inline constexpr std::chrono::hours kNever{24};       // a period that does not end

// What the test and the speaker, which is on another thread, know together.
class Script {
 public:
  using Answer = std::function<Result<Report>(const Wanted&, std::size_t call)>;

  // REQUIRES, of these two: no call goes on, or it is held.
  Answer answer = [](const Wanted&, std::size_t) { return Report{}; };
  int deaf = 0;  // so many cancels are not heard

  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // What each call that has begun was to bring about.
  [[nodiscard]] std::vector<Wanted> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  [[nodiscard]] std::size_t begun() const { return calls().size(); }
  [[nodiscard]] int most_at_once() const {
    const std::lock_guard lock(mutex_);
    return most_at_once_;
  }
  [[nodiscard]] std::thread::id thread() const {
    const std::lock_guard lock(mutex_);
    return thread_;
  }

  Result<Report> reconcile(const Wanted& wanted) {
    std::unique_lock lock(mutex_);
    calls_.push_back(wanted);
    const std::size_t call = calls_.size();
    thread_ = std::this_thread::get_id();
    most_at_once_ = std::max(most_at_once_, ++at_once_);
    changed_.wait(lock, [this] { return !held_ || cancelled_; });
    --at_once_;
    if (cancelled_) return fail("cancelled");
    lock.unlock();
    return answer(wanted, call);
  }
  // As a speaker's may be: in vain where nothing goes on.
  void cancel() {
    const std::lock_guard lock(mutex_);
    if (at_once_ == 0 || deaf-- > 0) return;
    cancelled_ = true;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false, cancelled_ = false;
  int at_once_ = 0, most_at_once_ = 0;
  std::vector<Wanted> calls_;
  std::thread::id thread_;
};

class ScriptedSpeaker : public Speaker {
 public:
  explicit ScriptedSpeaker(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  [[nodiscard]] Result<Report> reconcile(const Wanted& wanted) override {
    return script_->reconcile(wanted);
  }
  void cancel() override { script_->cancel(); }

 private:
  std::shared_ptr<Script> script_;
};

// The log, for as long as this lives: "warning bgp: ..", a line each.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>(
        "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // Since the last time.
  std::vector<std::string> take() {
    std::istringstream all(text_.str());
    text_.str({});
    std::vector<std::string> lines;
    for (std::string line; std::getline(all, line);) lines.push_back(line);
    return lines;
  }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

// An announcer on a loop of its own. `script` is to be filled before the first want().
struct World {
  LogCapture log;
  boost::asio::io_context io;
  std::shared_ptr<Script> script = std::make_shared<Script>();
  int changes = 0;
  std::unique_ptr<Announcer> announcer;

  explicit World(std::chrono::milliseconds period = kNever) {
    announcer = std::make_unique<Announcer>(
        io, std::make_unique<ScriptedSpeaker>(script), [this] { ++changes; }, period);
  }
  [[nodiscard]] const Announcer::State& state() const { return announcer->state(); }

  // Runs the loop until `condition` holds; false when that took too long.
  template <class Condition>
  bool eventually(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io.restart();  // it may have run out before
      io.run_one_for(10ms);
    }
    return true;
  }
  bool eventually_in_step() {
    return eventually([this] { return state().in_step; });
  }
  bool eventually_calls(std::uint64_t count) {
    return eventually([&] { return state().calls >= count; });
  }
  // That have begun.
  bool eventually_begun(std::size_t count) {
    return eventually([&] { return script->begun() >= count; });
  }
};

// That this one prefix is announced.
inline Wanted wanting(const char* prefix) {
  Wanted wanted;
  wanted.config.api = "unix:/run/api.sock";
  wanted.routes.push_back({Prefix::parse(prefix).value(), {}});
  return wanted;
}
inline const Wanted kFirst = wanting("198.51.100.1/32");
inline const Wanted kSecond = wanting("198.51.100.2/32");
inline const Wanted kThird = wanting("198.51.100.3/32");

}  // namespace guideway::bgp::testing
