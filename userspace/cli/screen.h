// The whole screen of a terminal, for a command that draws it again and again: lines that are
// rewritten in place, keys and signals that end it, and the terminal given back as it was.
//
// On the screen: the alternate one, so that what was on the terminal comes back; no cursor; no
// wrapping, so that a line that is too wide after all is cut by the terminal. A refresh is one
// write() of the lines that are different.
//
// Owns: the terminal's modes from the constructor to the destructor, and the process's SIGINT,
// SIGTERM, SIGHUP, SIGQUIT, SIGTSTP and SIGWINCH, which are blocked meanwhile. Threads: one; those
// that are started while it lives inherit the blocked signals. There is one at a time.
// Errors: a terminal that has gone away is the end (Event::quit); writing to it is not an error.
#pragma once

#include <signal.h>
#include <termios.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/unique_fd.h"

namespace guideway::cli {

struct ScreenSize {
  std::size_t columns = 80, rows = 24;
  bool operator==(const ScreenSize&) const = default;
};

// What makes a screen that shows `before` show `now`: the lines that differ, each with what moves
// there and clears what is behind it. Pure. REQUIRES: no line is wider than the screen.
[[nodiscard]] std::string repaint(const std::vector<std::string>& before,
                                  const std::vector<std::string>& now);

class FullScreen {
 public:
  // REQUIRES: standard output is a terminal. Keys are taken from standard input if it is one, too.
  FullScreen();
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;
  ~FullScreen();

  // As it is now; 80 x 24 where the terminal does not say.
  [[nodiscard]] static ScreenSize size();

  void show(const std::vector<std::string>& lines);

  enum class Event : std::uint8_t {
    timeout,   // `until` has come
    readable,  // `descriptor` is
    resized,   // or back from the background: to be drawn anew
    quit,      // q, Ctrl-C, or another signal that ends the process
  };
  [[nodiscard]] Event wait(int descriptor, std::chrono::steady_clock::time_point until);

  // The signal that has ended it where the process is to die of it: not Ctrl-C, which is a way to
  // say that one has seen enough.
  [[nodiscard]] std::optional<int> deadly_signal() const { return deadly_signal_; }

 private:
  void enter();
  void leave();
  [[nodiscard]] std::optional<Event> take_signal();
  [[nodiscard]] bool quit_key();

  bool keys_;  // standard input is a terminal
  termios modes_{};
  sigset_t mask_{};
  UniqueFd signals_;
  std::vector<std::string> shown_;
  std::optional<ScreenSize> shown_size_;  // none: nothing is on the screen that could stay
  std::optional<int> deadly_signal_;
};

}  // namespace guideway::cli
