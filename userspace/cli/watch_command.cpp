// watch: what a running guidewayd does, again and again (cli/watch_view.h).
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <csignal>
#include <future>
#include <iostream>
#include <memory>
#include <thread>

#include "cli/daemon_command.h"
#include "cli/pool_view.h"
#include "cli/screen.h"
#include "cli/terminal.h"
#include "cli/watch_view.h"

namespace guideway::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLeastInterval = 0.1, kMostInterval = 3600;  // seconds
constexpr unsigned kLinesPerHeading = 20;
// A daemon that takes longer for an answer is said to be silent, though it may still give it.
constexpr std::chrono::seconds kSilentAfter{2};
constexpr std::chrono::seconds kTick{1};  // of the time that is shown while one waits for it

struct WatchOptions : DaemonOptions {
  double interval_seconds = 1;
  unsigned count = 0;  // 0: until it is ended
  std::vector<std::string> pools;

  [[nodiscard]] Clock::duration interval() const {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(interval_seconds));
  }
};

std::uint64_t unix_seconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(since).count());
}

Outcome<Reading> read_daemon(const DaemonOptions& options) {
  const Clock::time_point at = Clock::now();
  const auto document =
      ask_for_document(options, {.target = "/v1/status"}, "asking for the status");
  if (!document) return std::unexpected(document.error());
  auto reading = read_status(*document, at);
  if (!reading) return failed(std::move(reading.error()));
  return std::move(*reading);
}

// The first document: without one there is nothing to watch.
Outcome<Reading> begin(const WatchOptions& options) {
  auto first = read_daemon(options);
  if (!first) return first;
  const std::string document = json::serialize(first->document);
  for (const std::string& pool : options.pools)
    if (auto only = only_pool(document, pool); !only) return failed(std::move(only.error()));
  return first;
}

// The last two documents, and since when there is none.
class History {
 public:
  History(Reading first, const std::vector<std::string>& pools)
      : now_(std::move(first)), pools_(pools) {}

  void heard(Reading reading) {
    before_ = std::move(now_);
    now_ = std::move(reading);
    silent_from_.reset();
  }
  // Returns whether this is news.
  bool missed(Clock::time_point asked, const std::string& cause) {
    const bool news = !silent_from_.has_value();
    if (news) silent_from_ = asked;
    cause_ = cause;
    return news;
  }
  // REQUIRES: the history outlives the scene.
  [[nodiscard]] Scene scene() const {
    Scene out{.before = before_ ? &*before_ : nullptr,
              .now = &now_,
              .unix_seconds = unix_seconds(),
              .pools = &pools_};
    if (silent_from_)
      out.silence =
          Silence{std::chrono::floor<std::chrono::seconds>(Clock::now() - *silent_from_), cause_};
    return out;
  }

 private:
  std::optional<Reading> before_;
  Reading now_;
  const std::vector<std::string>& pools_;
  std::optional<Clock::time_point> silent_from_;
  std::string cause_;
};

// One question at a time, put in a thread of its own, so that a daemon that hangs does not keep
// the screen from its keys and its clock.
class Asker {
 public:
  explicit Asker(const DaemonOptions& options)
      : options_(options), answered_(::eventfd(0, EFD_CLOEXEC)) {}

  [[nodiscard]] bool under_way() const { return answer_.valid(); }
  [[nodiscard]] Clock::time_point asked() const { return asked_; }
  // Readable once there is an answer.
  [[nodiscard]] int descriptor() const { return under_way() ? answered_.get() : -1; }

  // REQUIRES: no question is under way.
  void ask() {
    asked_ = Clock::now();
    answer_ = std::async(std::launch::async, [this] {
      auto answer = read_daemon(options_);
      ::eventfd_write(answered_.get(), 1);
      return answer;
    });
  }

  // Waits for the answer. REQUIRES: a question is under way.
  [[nodiscard]] Outcome<Reading> take() {
    eventfd_t count = 0;
    ::eventfd_read(answered_.get(), &count);
    return answer_.get();
  }

 private:
  const DaemonOptions& options_;
  UniqueFd answered_;
  Clock::time_point asked_{};
  std::future<Outcome<Reading>> answer_;  // its destructor waits for the thread
};

void take_answer(Asker& asker, History& history) {
  auto answer = asker.take();
  if (answer)
    history.heard(std::move(*answer));
  else
    history.missed(asker.asked(), answer.error().error.text());
}

// When the daemon may be asked again: a document that took long to make took the daemon's time, and
// is to take half of it at most.
Clock::time_point rested(Clock::time_point asked) {
  const Clock::time_point now = Clock::now();
  return now + (now - asked);
}

// What is due when nothing else has happened. Returns whether there is something new to show.
bool take_time(Asker& asker, History& history, Clock::time_point& next, Clock::duration interval) {
  if (!asker.under_way()) {
    asker.ask();
    next = std::max(next + interval, Clock::now());
    return false;
  }
  const bool silent = Clock::now() - asker.asked() >= kSilentAfter;
  if (silent) history.missed(asker.asked(), "no answer yet");
  return silent;
}

// Until it is quit, or has shown so many documents behind the first.
void keep_drawing(FullScreen& screen, Asker& asker, const WatchOptions& options, History& history) {
  const Palette palette = output_palette();
  Clock::time_point next = Clock::now() + options.interval();
  bool news = true;
  for (unsigned shown = 0;;) {
    if (news) screen.show(watch_screen(history.scene(), FullScreen::size(), palette));
    if (options.count != 0 && shown == options.count) return;
    const auto wake = asker.under_way() ? Clock::now() + kTick : next;
    switch (screen.wait(asker.descriptor(), wake)) {
      case FullScreen::Event::quit: return;
      case FullScreen::Event::resized: news = true; break;
      case FullScreen::Event::timeout:
        news = take_time(asker, history, next, options.interval());
        break;
      case FullScreen::Event::readable:
        take_answer(asker, history);
        next = std::max(next, rested(asker.asked()));
        news = true;
        ++shown;
    }
  }
}

Outcome<> watch_on_screen(const WatchOptions& options, History& history) {
  std::optional<int> deadly_signal;
  // It goes last: a question to a daemon that hangs is waited for with the terminal given back, and
  // with Ctrl-C doing what it always does.
  Asker asker(options);
  {
    FullScreen screen;
    keep_drawing(screen, asker, options, history);
    deadly_signal = screen.deadly_signal();
  }
  if (deadly_signal) ::raise(*deadly_signal);
  return {};
}

Outcome<> watch_in_lines(const WatchOptions& options, History& history) {
  Clock::time_point next = Clock::now();
  for (unsigned lines = 0; options.count == 0 || lines < options.count; ++lines) {
    if (!options.json && lines % kLinesPerHeading == 0)
      if (auto printed = print(watch_heading()); !printed) return printed;
    next = std::max(next + options.interval(), Clock::now());
    std::this_thread::sleep_until(next);
    const Clock::time_point asked = Clock::now();
    auto answer = read_daemon(options);
    next = std::max(next, rested(asked) - options.interval());
    if (answer)
      history.heard(std::move(*answer));
    else if (const std::string cause = answer.error().error.text(); history.missed(asked, cause))
      std::cerr << error_palette().bad("guideway:") << " " << cause << std::endl;
    const Scene scene = history.scene();
    if (auto printed = print(options.json ? watch_json(scene) : watch_line(scene)); !printed)
      return printed;
  }
  return {};
}

Outcome<> watch(const WatchOptions& options) {
  auto first = begin(options);
  if (!first) return std::unexpected(std::move(first.error()));
  History history(std::move(*first), options.pools);
  return !options.json && output_has_screen() ? watch_on_screen(options, history)
                                              : watch_in_lines(options, history);
}

}  // namespace

void add_watch(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("watch", "Shows what guidewayd does, second by second");
  const auto options = std::make_shared<WatchOptions>();
  command->add_option("--interval", options->interval_seconds, "Seconds between two looks")
      ->type_name("SECONDS")
      ->check(CLI::Range(kLeastInterval, kMostInterval))
      ->capture_default_str();
  command->add_option("--count", options->count, "End after so many looks. Default: go on")
      ->type_name("N")
      ->check(CLI::Range(1U, 4'000'000'000U));
  command
      ->add_option("--pool", options->pools,
                   "Only services and backends of this pool; may be given more than once")
      ->type_name("NAME")
      ->check(checked_not_empty)
      ->allow_extra_args(false);
  add_daemon_options(*command, *options);
  command->get_option("--json")->description("Print a JSON object a line with what is shown");
  command->footer(
      std::string("Example:\n  guideway watch --pool web\n  guideway watch --json --count 10 | jq "
                  ".received_per_second\n\nOn a terminal q or Ctrl-C ends it. Elsewhere it prints "
                  "a line for each look, the first one after an interval.") +
      kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return watch(*options); }; });
}

}  // namespace guideway::cli
