#include "cli/client.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>

#include "support/catch.h"
#include "unit/observe/admin_fixture.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using observe::RunningServer;
using observe::ScratchFolder;

constexpr std::chrono::milliseconds kShort{50};

std::string failure(const std::string& path,
                    std::chrono::milliseconds patience = std::chrono::seconds(5)) {
  const auto document = fetch_status(path, patience);
  return document ? "" : document.error().text();
}

// A socket that listens, and nobody who accepts.
UniqueFd listen_at(const std::string& path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = observe::socket_address(path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 4) != 0)
    throw std::runtime_error("listening at " + path);
  return socket;
}

// Listens and takes one client, whom it answers with `answer` once the client has asked.
class OneAnswer {
 public:
  OneAnswer(const std::string& path, std::string answer) : socket_(listen_at(path)) {
    thread_ = std::thread([this, text = std::move(answer)] {
      const UniqueFd client(::accept(socket_.get(), nullptr, nullptr));
      char request[4096];
      if (::recv(client.get(), request, sizeof request, 0) > 0)
        ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    });
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  ~OneAnswer() {
    ::shutdown(socket_.get(), SHUT_RDWR);  // ends accept()
    thread_.join();
  }

 private:
  UniqueFd socket_;
  std::thread thread_;
};

TEST_CASE("the document comes as the daemon gives it") {
  const ScratchFolder folder;
  const RunningServer server(folder / "s");
  const auto document = fetch_status(folder / "s");
  REQUIRE(document);
  CHECK(*document == "{\"hello\":\"world\"}");
}

TEST_CASE("a document of many megabytes comes whole") {
  const ScratchFolder folder;
  const std::string large(30 << 20, 'x');
  constexpr std::chrono::hours kPatient(1);
  const RunningServer server(folder / "s", {.patience = kPatient}, [&] { return large; });
  const auto document = fetch_status(folder / "s", kPatient);
  REQUIRE(document);
  // Not compared within the macro, which would print both.
  const bool same = *document == large;
  CHECK(same);
}

TEST_CASE("a daemon that is not there is an error that says what to do") {
  const ScratchFolder folder;
  CHECK(failure(folder / "s") ==
        "guidewayd is not running, or its socket is elsewhere: connecting to " + (folder / "s") +
            ": No such file or directory (start it, or name the socket with --socket)");
  std::ofstream(folder / "file") << "no socket";
  CHECK_THAT(failure(folder / "file"),
             StartsWith("guidewayd is not running") && Contains("refused"));
  for (const std::string& path : {std::string(), std::string(200, 'x')})
    CHECK_THAT(failure(path), StartsWith("guidewayd is not running") && Contains("too long"));
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
    ::_exit(said == "connecting to " + (folder / "s") +
                        ": Permission denied (run this as root, or as a user who may write to the "
                        "socket)"
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

TEST_CASE("an answer that is none, ends early, or is an error, is reported") {
  const ScratchFolder folder;
  int servers = 0;
  const auto said = [&](const char* answer) {
    const std::string path = folder / ("s" + std::to_string(++servers));
    const OneAnswer server(path, answer);
    return failure(path);
  };
  CHECK_THAT(said("SSH-2.0-OpenSSH\r\n"), Contains("bad version") && Contains("is it guidewayd"));
  CHECK_THAT(said(""), Contains("end of stream"));
  CHECK_THAT(said("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), Contains("partial message"));
  CHECK_THAT(said("HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nbroken"),
             Contains("it answers 500: broken"));
  CHECK_THAT(said("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
             Contains("body limit"));
}

}  // namespace
}  // namespace guideway::cli
