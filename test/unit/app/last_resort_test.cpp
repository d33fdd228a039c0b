// app/last_resort.h: it ends a process, so each test has one of its own.
#include "app/last_resort.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include "support/catch.h"

using namespace std::chrono_literals;
using guideway::app::LastResort;

namespace {

struct Ended {
  int status = 0;
  std::string said;
};

// Runs `work` in a child process, which has written to a pipe what it logged.
Ended in_a_process(const std::function<void()>& work) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    spdlog::set_default_logger(spdlog::stderr_logger_mt("child"));
    work();
    ::_exit(0);
  }
  ::close(pipe[1]);
  Ended ended;
  std::array<char, 256> text{};
  for (ssize_t bytes = 0; (bytes = ::read(pipe[0], text.data(), text.size())) > 0;)
    ended.said.append(text.data(), static_cast<std::size_t>(bytes));
  ::close(pipe[0]);
  REQUIRE(::waitpid(child, &ended.status, 0) == child);
  return ended;
}

}  // namespace

TEST_CASE("what hangs is ended with the reason in the log and exit code 1") {
  const Ended ended = in_a_process([] {
    const LastResort guard(1ms, [] { return std::string("worker gw-0-eth0 does not end"); });
    for (;;) ::pause();
  });
  REQUIRE(WIFEXITED(ended.status));
  CHECK(WEXITSTATUS(ended.status) == 1);
  CHECK(ended.said.find("worker gw-0-eth0 does not end") != std::string::npos);
}

TEST_CASE("time in which the whole process was stopped does not count") {
  const Ended ended = in_a_process([] {
    const LastResort guard(2s, [] { return std::string("must not be said"); });
    const pid_t stopped = ::getpid();
    if (::fork() == 0) {  // who lets it go on again
      std::this_thread::sleep_for(3s);
      ::kill(stopped, SIGCONT);
      ::_exit(0);
    }
    ::raise(SIGSTOP);
  });
  REQUIRE(WIFEXITED(ended.status));
  CHECK(WEXITSTATUS(ended.status) == 0);
  CHECK(ended.said.empty());
}

TEST_CASE("what ends in time is not waited for and not told of") {
  const Ended ended = in_a_process(
      [] { const LastResort guard(1h, [] { return std::string("must not be said"); }); });
  REQUIRE(WIFEXITED(ended.status));
  CHECK(WEXITSTATUS(ended.status) == 0);
  CHECK(ended.said.empty());
}
