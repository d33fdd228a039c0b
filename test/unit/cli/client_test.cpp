#include "cli/client.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>

#include "scripted_daemon.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr std::chrono::milliseconds kShort{50};

std::string failure(const std::string& path, std::chrono::milliseconds patience = kPatience) {
  const auto answer = ask(path, {.target = "/v1/status"}, patience);
  return answer ? "" : answer.error().text();
}

TEST_CASE("an answer comes as the daemon gives it, with its status") {
  const ScratchFolder folder;
  const ScriptedDaemon daemon(folder / "s",
                              {{"GET /v1/status", http_answer(200, R"({"hello":"world"})")}});
  const auto good = ask(folder / "s", {.target = "/v1/status"});
  REQUIRE(good);
  CHECK(good->status == 200);
  CHECK(good->body == R"({"hello":"world"})");
  const auto missing = ask(folder / "s", {.target = "/v1/other"});
  REQUIRE(missing);
  CHECK(missing->status == 404);
  CHECK(missing->body == R"({"error":"not in the script"})");
}

TEST_CASE("method, target and body arrive as they were given") {
  const ScratchFolder folder;
  const ScriptedDaemon daemon(folder / "s", {});
  REQUIRE(ask(folder / "s", {.method = "PUT", .target = "/v1/log", .body = R"({"level":"x"})"}));
  REQUIRE(ask(folder / "s", {.method = "POST", .target = "/v1/reload"}));
  const auto heard = daemon.heard();
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].line == "PUT /v1/log");
  CHECK(heard[0].body == R"({"level":"x"})");
  CHECK(heard[1].line == "POST /v1/reload");
  CHECK(heard[1].body.empty());
}

TEST_CASE("a document of many megabytes comes whole") {
  const ScratchFolder folder;
  const std::string large(30 << 20, 'x');
  constexpr std::chrono::hours kPatient(1);
  const ScriptedDaemon daemon(folder / "s", {{"GET /v1/status", http_answer(200, large)}});
  const auto answer = ask(folder / "s", {.target = "/v1/status"}, kPatient);
  REQUIRE(answer);
  // Not compared within the macro, which would print both.
  const bool same = answer->body == large;
  CHECK(same);
}

TEST_CASE("a daemon that is not there is an error that says what to do") {
  const ScratchFolder folder;
  CHECK_THAT(failure(folder / "s"),
             StartsWith("guidewayd is not running, or its socket is elsewhere: connecting to " +
                        (folder / "s") + ": No such file or directory (") &&
                 Contains("--socket"));
  for (const std::string& path : {std::string(), std::string(200, 'x')})
    CHECK_THAT(failure(path),
               StartsWith("the path of the socket, ") && Contains(" 1 to 107 bytes"));
}

TEST_CASE("a socket that one may not open is an error of its own") {
  const ScratchFolder folder;
  const UniqueFd server = listen_at(folder / "s");
  REQUIRE(::chmod((folder / "s").c_str(), 0) == 0);
  REQUIRE(::chmod((folder / "").c_str(), 0755) == 0);
  // A superuser may do all: in a process of somebody else then.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const std::string said = failure(folder / "s");
    ::_exit(said == "connecting to " + (folder / "s") + ": Permission denied (run this with sudo)"
                ? 0
                : 1);
  }
  int result = 0;
  REQUIRE(::waitpid(child, &result, 0) == child);
  CHECK(WIFEXITED(result));
  CHECK(WEXITSTATUS(result) == 0);
}

TEST_CASE("a daemon that does not answer is an error, not a wait") {
  const ScratchFolder folder;
  const UniqueFd silent = listen_at(folder / "s");
  CHECK_THAT(failure(folder / "s", kShort),
             StartsWith("asking guidewayd at " + (folder / "s") + ": no answer within 50 ms"));
}

TEST_CASE("a daemon that accepts nobody any more is not said to be missing") {
  const ScratchFolder folder;
  const UniqueFd busy = listen_at(folder / "s", 0);
  const sockaddr_un address = socket_address(folder / "s");
  std::vector<UniqueFd> waiting;
  // How many the kernel lets wait is its own affair.
  for (int error = 0; error == 0;) {
    REQUIRE(waiting.size() < 64);
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    error = ::connect(waiting.back().get(), reinterpret_cast<const sockaddr*>(&address),
                      sizeof address);
  }
  CHECK(
      failure(folder / "s", kShort) ==
      "asking guidewayd at " + (folder / "s") +
          ": too many clients wait for it (its log says what it is doing: journalctl -u guideway)");
}

TEST_CASE("an answer that is no HTTP, or ends early, is reported") {
  const ScratchFolder folder;
  int daemons = 0;
  const auto said = [&](const char* answer) {
    const std::string path = folder / ("s" + std::to_string(++daemons));
    const ScriptedDaemon daemon(path, {{"GET /v1/status", answer}});
    return failure(path);
  };
  CHECK_THAT(said("SSH-2.0-OpenSSH\r\n"), Contains("bad version") && Contains("is it guidewayd"));
  CHECK_THAT(said(""), Contains("end of stream"));
  CHECK_THAT(said("HTTP/1.1 200 OK\r\nContent-Le"), Contains("partial message"));
  CHECK_THAT(said("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), Contains("partial message"));
  CHECK_THAT(said("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
             Contains("body limit"));
}

TEST_CASE("what is not unreserved is percent-encoded") {
  CHECK(percent_encoded("Blue-1.a_b~") == "Blue-1.a_b~");
  CHECK(percent_encoded("a b/c&d?e=f%#+") == "a%20b%2Fc%26d%3Fe%3Df%25%23%2B");
  CHECK(percent_encoded("\xc3\xa9\r\n") == "%C3%A9%0D%0A");
  CHECK(percent_encoded("").empty());
}

}  // namespace
}  // namespace guideway::cli
