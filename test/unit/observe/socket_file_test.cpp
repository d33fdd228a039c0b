// The socket file of a server: how it comes and goes.
#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "http_fixture.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr std::string_view kGet = "GET /v1/status HTTP/1.1\r\n\r\n";

std::string ask(const std::string& path) {
  Client client(path);
  client.send(kGet);
  return client.read_answer();
}

mode_t permissions(const std::string& path) {
  struct stat found {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

bool exists(const std::string& path) {
  return std::filesystem::exists(std::filesystem::symlink_status(path));
}

// The error of a server that is to fail, "" if it did not.
std::string failure_at(const std::string& path) {
  boost::asio::io_context io;
  auto server = HttpServer::listen_unix(io, path, hello());
  return server ? "" : server.error().text();
}

// The umask of the process for as long as the object lives.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

// What a process that was killed leaves: bound, and nobody there.
void leave_socket_file(const std::string& path) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  const sockaddr_un address = socket_address(path);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket.get(), 1) == 0);
}

TEST_CASE("owner and group may use the socket, others not, whatever the umask") {
  const ScratchFolder folder;
  for (const mode_t mask : {0000u, 0022u, 0077u}) {
    const Umask umask(mask);
    const RunningServer server(folder / "s");
    CHECK(permissions(folder / "s") == 0660);
  }
}

TEST_CASE("missing folders of the socket are made, for everybody to look into") {
  const ScratchFolder folder;
  const Umask umask(0077);
  const RunningServer server(folder / "run/guideway/s");
  CHECK(permissions(folder / "run") == 0755);
  CHECK(permissions(folder / "run/guideway") == 0755);
  CHECK_THAT(ask(folder / "run/guideway/s"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a folder that is there keeps its permissions") {
  const ScratchFolder folder;
  REQUIRE(::mkdir((folder / "run").c_str(), 0700) == 0);
  const RunningServer server(folder / "run/s");
  CHECK(permissions(folder / "run") == 0700);
}

TEST_CASE("a socket file that an earlier process has left is replaced") {
  const ScratchFolder folder;
  leave_socket_file(folder / "s");
  const RunningServer server(folder / "s");
  CHECK_THAT(ask(folder / "s"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a socket that is served is an error that names it, and goes on being served") {
  const ScratchFolder folder;
  const RunningServer server(folder / "s");
  const std::string failure = failure_at(folder / "s");
  CHECK_THAT(failure,
             StartsWith("listening at " + (folder / "s") + ": another process listens there"));
  CHECK_THAT(failure, Contains("admin.socket"));
  CHECK_THAT(ask(folder / "s"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a datagram socket of another process is left alone") {
  const ScratchFolder folder;
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  const sockaddr_un address = socket_address(folder / "s");
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK_THAT(failure_at(folder / "s"), Contains("another process listens there"));
  CHECK(exists(folder / "s"));
}

TEST_CASE("a file, a folder or a link in the socket's place is an error, and stays") {
  const ScratchFolder folder;
  std::ofstream(folder / "file") << "precious";
  REQUIRE(::mkdir((folder / "folder").c_str(), 0755) == 0);
  leave_socket_file(folder / "socket");
  REQUIRE(::symlink("socket", (folder / "link").c_str()) == 0);
  for (const std::string name : {"file", "folder", "link"}) {
    CHECK_THAT(failure_at(folder / name),
               StartsWith("listening at " + (folder / name) +
                          ": a file that is not a socket is in the way"));
    CHECK(exists(folder / name));
  }
  CHECK(exists(folder / "socket"));
}

TEST_CASE("a folder that cannot be made is an error that says why") {
  const ScratchFolder folder;
  std::ofstream(folder / "file") << "not a folder";
  CHECK_THAT(failure_at(folder / "file/s"),
             Contains("making the folder " + (folder / "file")) || Contains("Not a directory"));
}

TEST_CASE("a path that no socket address can hold is an error that says how long it may be") {
  const ScratchFolder folder;
  CHECK_THAT(failure_at(folder / std::string(120, 'x')), Contains("107 bytes at most"));
  CHECK_THAT(failure_at(""), Contains("not a path"));
}

TEST_CASE("the socket file goes with the server, and a server that failed leaves none") {
  const ScratchFolder folder;
  std::optional<RunningServer> server(std::in_place, folder / "s");
  REQUIRE(exists(folder / "s"));
  server.reset();
  CHECK_FALSE(exists(folder / "s"));
  CHECK_FALSE(failure_at(folder / std::string(120, 'x')).empty());
  server.emplace(folder / "s");
  CHECK_THAT(ask(folder / "s"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a socket file that has taken the place of the server's stays") {
  const ScratchFolder folder;
  std::optional<RunningServer> server(std::in_place, folder / "s");
  REQUIRE(::rename((folder / "s").c_str(), (folder / "kept").c_str()) == 0);
  leave_socket_file(folder / "s");
  server.reset();
  CHECK(exists(folder / "s"));
}

TEST_CASE("a server that has gone asks for no more answers and closes its clients") {
  const ScratchFolder folder;
  boost::asio::io_context io;
  int asked = 0;
  auto server = HttpServer::listen_unix(io, folder / "s", answering([&](const HttpRequest&) {
                                          return HttpAnswer{.body = std::to_string(++asked)};
                                        }));
  REQUIRE(server);
  Client client(folder / "s");
  REQUIRE(client.send(kGet));
  // Accepted, but not read yet; then a request is there while the server goes.
  io.poll_one();
  server->reset();
  io.run();
  CHECK(client.read_all().empty());
  CHECK(asked == 0);
}

}  // namespace
}  // namespace guideway::observe
