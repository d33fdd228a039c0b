#include "probe/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <tuple>

#include "core/unique_fd.h"
#include "probe/attempt.h"

namespace guideway::probe {
namespace {

constexpr int kDeathMs = 100;
// Killed programs that the kernel keeps (a core dump, a dead file server): more are not started.
constexpr std::size_t kMaxStrays = 32;

// posix_spawn's two arguments, released with the object. Its functions return an errno value.
class Recipe {
 public:
  Recipe() {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&files_);
  }
  Recipe(const Recipe&) = delete;
  Recipe& operator=(const Recipe&) = delete;
  ~Recipe() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&files_);
  }

  [[nodiscard]] int fill() {
    if (const int error = fill_attributes(); error != 0) return error;
    return fill_files();
  }
  [[nodiscard]] int spawn(pid_t& pid, char* const* command, char* const* environment) const {
    return ::posix_spawn(&pid, command[0], &files_, &attributes_, command, environment);
  }

 private:
  int fill_attributes() {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0) error = posix_spawnattr_setpgroup(&attributes_, 0);
    if (error == 0) error = posix_spawnattr_setsigmask(&attributes_, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(&attributes_, &all);
    return error;
  }
  int fill_files() {
    int error = posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0) error = posix_spawn_file_actions_addopen(&files_, 1, "/dev/null", O_WRONLY, 0);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&files_, 1, 2);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&files_, 3);
    return error;
  }

  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t files_{};
};

// As execve() wants it: pointers into `texts`, and a null pointer. Its const is a promise that C
// cannot write down.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// Killed, and could not be reaped when its object went.
thread_local std::vector<pid_t> strays;

void reap_strays() {
  std::erase_if(strays, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

}  // namespace

Child::~Child() {
  if (pid_ == 0) return;
  kill_group();
  pollfd death{ended_.native_handle(), POLLIN, 0};
  if (ended_.is_open() && !waited_) ::poll(&death, 1, kDeathMs);
  if (const auto exit = reap(); exit && !*exit) strays.push_back(pid_);
}

Result<> Child::start(const std::vector<std::string>& command,
                      const std::vector<std::string>& environment) {
  reap_strays();
  if (strays.size() >= kMaxStrays)
    return fail(std::to_string(strays.size()) + " killed programs of earlier checks are not dead",
                "look for processes in state D: ps -eo pid,stat,wchan,args");
  if (command.empty() || !command.front().starts_with('/')) {
    return fail("cannot execute " + (command.empty() ? "nothing" : command.front()),
                "a program is named by its absolute path");
  }
  Recipe recipe;
  int number = recipe.fill();
  if (number == 0)
    number = recipe.spawn(pid_, pointers(command).data(), pointers(environment).data());
  if (number != 0) {
    pid_ = 0;
    return fail_errno("cannot execute " + command.front(), number);
  }
  // glibc 2.36 declares pidfd_open() for C only.
  UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!ended.valid()) return fail_errno("watching " + command.front(), errno);
  error_code error;
  ended_.assign(ended.get(), error);
  if (error) return fail("watching " + command.front() + ": " + words(error));
  std::ignore = ended.release();
  return {};
}

void Child::stop_waiting() {
  error_code ignored;
  ended_.cancel(ignored);
}

void Child::kill_group() const {
  assert(pid_ > 0);  // 0 would be the group of this process
  ::kill(-pid_, SIGKILL);
}

Result<std::optional<Exit>> Child::reap() {
  siginfo_t how{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOHANG) != 0) {
    pid_ = 0;
    return fail_errno("how the program ended is lost", errno);
  }
  if (how.si_pid == 0) return std::nullopt;
  pid_ = 0;
  if (how.si_code == CLD_EXITED) return Exit{how.si_status, 0};
  return Exit{std::nullopt, how.si_status};
}

}  // namespace guideway::probe
