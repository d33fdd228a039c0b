#include "cli/screen.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace guideway::cli {
namespace {

using Clock = std::chrono::steady_clock;

// DEC private modes: 1049 the alternate screen, 25 the cursor, 7 wrapping at the right margin.
constexpr std::string_view kEnter = "\33[?1049h\33[?25l\33[?7l\33[H\33[2J";
constexpr std::string_view kLeave = "\33[?7h\33[?25h\33[?1049l";
constexpr std::string_view kClear = "\33[H\33[2J";

void write_out(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

int milliseconds_until(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

}  // namespace

std::string repaint(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  std::string out;
  for (std::size_t i = 0; i < std::max(before.size(), now.size()); ++i) {
    const std::string_view was = i < before.size() ? std::string_view(before[i]) : "";
    const std::string_view is = i < now.size() ? std::string_view(now[i]) : "";
    if (was == is) continue;
    // Erased first: behind a line that fills the screen, the cursor stands on its last column.
    out += "\33[" + std::to_string(i + 1) + ";1H\33[K";
    out += is;
  }
  return out;
}

FullScreen::FullScreen() : keys_(::isatty(STDIN_FILENO) == 1) {
  sigset_t caught;
  ::sigemptyset(&caught);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH})
    ::sigaddset(&caught, number);
  ::pthread_sigmask(SIG_BLOCK, &caught, &mask_);
  signals_ = UniqueFd(::signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK));
  enter();
}

FullScreen::~FullScreen() {
  leave();
  signals_ = UniqueFd();
  ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

void FullScreen::enter() {
  if (keys_ && ::tcgetattr(STDIN_FILENO, &modes_) == 0) {
    termios quiet = modes_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    quiet.c_cc[VMIN] = 0;  // read() does not wait: poll() has
    quiet.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
  } else {
    keys_ = false;
  }
  shown_size_.reset();
  write_out(kEnter);
}

void FullScreen::leave() {
  write_out(kLeave);
  if (keys_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes_);
}

ScreenSize FullScreen::size() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0)
    return {};
  return {.columns = window.ws_col, .rows = window.ws_row};
}

void FullScreen::show(const std::vector<std::string>& lines) {
  std::string out;
  if (const ScreenSize now = size(); shown_size_ != now) {
    out = kClear;
    shown_.clear();
    shown_size_ = now;
  }
  out += repaint(shown_, lines);
  shown_ = lines;
  write_out(out);
}

std::optional<FullScreen::Event> FullScreen::take_signal() {
  signalfd_siginfo signal{};
  if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) return std::nullopt;
  switch (static_cast<int>(signal.ssi_signo)) {
    case SIGWINCH: return Event::resized;
    case SIGTSTP:
      leave();
      ::raise(SIGSTOP);  // returns with SIGCONT
      enter();
      return Event::resized;
    case SIGINT: return Event::quit;
    default: deadly_signal_ = static_cast<int>(signal.ssi_signo); return Event::quit;
  }
}

bool FullScreen::quit_key() {
  std::array<char, 64> keys{};
  const ssize_t got = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (got < 0) return errno != EINTR && errno != EAGAIN;
  const std::string_view pressed(keys.data(), static_cast<std::size_t>(got));
  return pressed.find_first_of("qQ") != std::string_view::npos;
}

FullScreen::Event FullScreen::wait(int descriptor, Clock::time_point until) {
  for (;;) {
    std::array<pollfd, 3> watched = {pollfd{signals_.get(), POLLIN, 0},
                                     pollfd{keys_ ? STDIN_FILENO : -1, POLLIN, 0},
                                     pollfd{descriptor, POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), milliseconds_until(until));
    if (ready == 0) return Event::timeout;
    if (ready < 0) continue;  // EINTR, after SIGCONT
    if ((watched[0].revents & POLLIN) != 0)
      if (const auto event = take_signal()) return *event;
    if ((watched[1].revents & (POLLHUP | POLLERR)) != 0) return Event::quit;
    if ((watched[1].revents & POLLIN) != 0 && quit_key()) return Event::quit;
    if (watched[2].revents != 0) return Event::readable;
  }
}

}  // namespace guideway::cli
