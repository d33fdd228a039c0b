#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <fstream>
#include <sstream>

#include "support/catch.h"
#include "unit/probe/probe_fixture.h"

namespace guideway::probe {
namespace {

namespace asio = boost::asio;

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A shell script in a scratch folder, which finds the folder in its first argument.
class Script {
 public:
  explicit Script(const std::string& text) {
    std::ofstream(path()) << "#!/bin/sh\n" << text << "\n";
    ::chmod(path().c_str(), 0755);
  }
  [[nodiscard]] std::string path() const { return folder_ / "check"; }
  [[nodiscard]] std::string file(std::string_view name) const { return folder_ / name; }
  [[nodiscard]] Question question(std::chrono::milliseconds timeout = kLong) const {
    ExecQuestion exec;
    exec.command = {path(), folder_ / ""};
    exec.pool = "web";
    return probe::question(exec, 0, timeout);
  }
  // The process that the script has written the number of into the file `pid`.
  [[nodiscard]] pid_t pid() const {
    const std::string text = contents(file("pid"));
    return text.ends_with('\n') ? std::stoi(text) : 0;
  }

 private:
  ScratchFolder folder_;
};

Question running(std::vector<std::string> command) {
  ExecQuestion exec;
  exec.command = std::move(command);
  return question(exec, 0);
}

// Dead; it may be that nobody has reaped it yet.
bool is_dead(pid_t pid) {
  const std::string status = contents("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = status.rfind(')');
  return name_end == std::string::npos || status.substr(name_end + 2, 1) == "Z";
}

bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

}  // namespace

TEST_CASE("a program passes with exit code 0 only") {
  CHECK(ask_now(running({"/bin/true"})).why == "exit code 0");
  CHECK(ask_now(running({"/bin/true"})).passed);
  const Answer failed = ask_now(running({"/bin/sh", "-c", "exit 3"}));
  CHECK_FALSE(failed.passed);
  CHECK(failed.why == "exit code 3");
  CHECK_FALSE(has_children());
}

TEST_CASE("a program that dies of a signal fails with its number") {
  const Answer answer = ask_now(running({"/bin/sh", "-c", "kill -9 $$"}));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "killed by signal 9");
}

TEST_CASE("arguments reach a program as they are, without a shell") {
  CHECK(ask_now(running({"/usr/bin/test", "$HOME; exit 1", "=", "$HOME; exit 1"})).passed);
}

TEST_CASE("a program that cannot be executed is a failure that says why") {
  const Script script("exit 0");
  SECTION("missing") {
    CHECK(ask_now(running({script.file("missing")})).why ==
          "not asked: cannot execute " + script.file("missing") + ": No such file or directory");
  }
  SECTION("not executable") {
    ::chmod(script.path().c_str(), 0644);
    CHECK(ask_now(script.question()).why ==
          "not asked: cannot execute " + script.path() + ": Permission denied");
  }
  SECTION("not a program") {
    std::ofstream(script.path()) << "exit 0\n";
    CHECK(ask_now(script.question()).why ==
          "not asked: cannot execute " + script.path() + ": Exec format error");
  }
  SECTION("not by its absolute path") {
    CHECK(ask_now(running({"true"})).why ==
          "not asked: cannot execute true (a program is named by its absolute path)");
    CHECK_FALSE(ask_now(running({})).passed);
  }
  SECTION("through the tunnel") {
    Question asked = script.question();
    asked.vip = kLoopback;
    CHECK(ask_now(asked).why == "a program cannot go through the tunnel");
  }
  CHECK_FALSE(has_children());
}

TEST_CASE("a program sees four variables and nothing else of the environment") {
  ::setenv("GUIDEWAY_SECRET", "do not tell", 1);
  const Script script(R"(cat /proc/$$/environ > "$1/environment")");
  Question asked = script.question();
  const std::string always =
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|"
      "GUIDEWAY_BACKEND=127.0.0.1|GUIDEWAY_POOL=web|";
  const auto seen = [&] {
    REQUIRE(ask_now(asked).passed);
    std::string text = contents(script.file("environment"));
    std::ranges::replace(text, '\0', '|');
    return text;
  };
  CHECK(seen() == always);
  asked.port = 8080;
  CHECK(seen() == always + "GUIDEWAY_PORT=8080|");
  ::unsetenv("GUIDEWAY_SECRET");
}

TEST_CASE("a program has /dev/null for its three descriptors and inherits no other") {
  const UniqueFd inherited(::fcntl(1, F_DUPFD, 200));  // without close-on-exec
  REQUIRE(inherited.valid());
  const ScratchFolder folder;
  const std::string list = folder / "list";
  REQUIRE(
      ask_now(running({"/usr/bin/find", "/proc/self/fd/", "-fprintf", list, "%f %l\n"})).passed);
  const std::string seen = "\n" + contents(list);
  for (const char* standard : {"\n0 /dev/null\n", "\n1 /dev/null\n", "\n2 /dev/null\n"})
    CHECK(seen.find(standard) != std::string::npos);
  CHECK(seen.find("\n" + std::to_string(inherited.get()) + " ") == std::string::npos);
}

TEST_CASE("a program has no signal blocked or ignored") {
  sigset_t blocked, old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
  const auto old_pipe = ::signal(SIGPIPE, SIG_IGN);
  const ScratchFolder folder;
  // Not by a shell, which has ideas of its own about signals.
  CHECK(ask_now(running({"/bin/cp", "/proc/self/status", folder / "status"})).passed);
  ::signal(SIGPIPE, old_pipe);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  const std::string status = contents(folder / "status");
  const auto signals = [&](const std::string& field) {
    const std::size_t at = status.find(field);
    REQUIRE(at != std::string::npos);
    return std::stoull(status.substr(at + field.size(), 16), nullptr, 16);
  };
  // Above are real-time signals, of which glibc ignores two of its own, 32 and 33.
  CHECK((signals("SigBlk:\t") & 0x7fffffff) == 0);
  CHECK((signals("SigIgn:\t") & 0x7fffffff) == 0);
}

TEST_CASE("a program may print megabytes and read its input") {
  const Script script("head -c 50000000 /dev/zero; head -c 1000000 /dev/zero >&2; cat; exit 0");
  CHECK(ask_now(script.question()).passed);
}

TEST_CASE("a program is killed at the deadline, whatever it does about signals") {
  const Script script(
      "trap '' TERM INT HUP QUIT; sleep 1000 & echo $! > \"$1/pid\"; while :; do wait; done");
  const Answer answer = ask_now(script.question(1s));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "killed after 1000 ms");
  CHECK(answer.took >= 1s);
  CHECK_FALSE(has_children());
  REQUIRE(script.pid() > 0);
  CHECK(within_patience([&] { return is_dead(script.pid()); }));
}

TEST_CASE("what a program leaves running is killed when it ends") {
  const Script script("sleep 1000 & echo $! > \"$1/pid\"; exit 0");
  CHECK(ask_now(script.question()).why == "exit code 0");
  REQUIRE(script.pid() > 0);
  CHECK(within_patience([&] { return is_dead(script.pid()); }));
  CHECK_FALSE(has_children());
}

TEST_CASE("a program that runs when the loop goes is killed and reaped, with its group") {
  const Script script("sleep 1000 & echo $! > \"$1/pid\"; wait");
  const Question asked = script.question();
  const EnterTunnel none;
  const std::size_t before = open_descriptors();
  {
    asio::io_context io;
    asio::co_spawn(io, ask(asked, kLoopback, none), asio::detached);
    REQUIRE(within_patience([&] {
      io.poll();
      return script.pid() > 0;
    }));
    REQUIRE_FALSE(is_dead(script.pid()));
  }
  CHECK_FALSE(has_children());
  CHECK(within_patience([&] { return is_dead(script.pid()); }));
  CHECK(open_descriptors() == before);
}

TEST_CASE("many programs leave no descriptor and no process behind") {
  std::ignore = ask_now(running({"/bin/true"}));
  const std::size_t before = open_descriptors();
  const Question asked = running({"/bin/false"});
  const EnterTunnel none;
  int answered = 0;
  asio::io_context io;
  for (int i = 0; i < 100; ++i) {
    asio::co_spawn(io, ask(asked, kLoopback, none),
                   [&](const std::exception_ptr&, const Answer& answer) {
                     if (answer.why == "exit code 1") ++answered;
                   });
  }
  io.run_for(kPatience);
  CHECK(answered == 100);
  CHECK_FALSE(has_children());
  CHECK(open_descriptors() <= before + 3);  // the loop's own
}

}  // namespace guideway::probe
