#include "observe/http_server.h"

#include <sys/resource.h>

#include <vector>

#include "http_fixture.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

constexpr std::string_view kGet = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n";
// For tests of what ends a connection: short for those that wait for it, endless for the others.
constexpr HttpLimits kImpatient{.patience = std::chrono::milliseconds(50)};
constexpr HttpLimits kPatient{.patience = std::chrono::hours(1)};

std::string ask(Client& client, std::string_view request) {
  REQUIRE(client.send(request));
  return client.read_answer();
}

Kind each_kind() { return GENERATE(Kind::unix_socket, Kind::tcp); }

TEST_CASE("a request is answered with what the handler makes of it at that moment") {
  int asked = 0;
  const RunningServer server(
      each_kind(), answering([&](const HttpRequest&) {
        return HttpAnswer{.body = "{\"asked\":" + std::to_string(++asked) + "}"};
      }));
  Client client(server);
  const std::string first = ask(client, kGet);
  CHECK_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(first, Contains("\r\nContent-Type: application/json\r\n"));
  CHECK_THAT(first, EndsWith("\r\n\r\n{\"asked\":1}"));
  CHECK_THAT(ask(client, kGet), EndsWith("\r\n\r\n{\"asked\":2}"));
}

TEST_CASE("requests that come in one piece are answered one after the other") {
  const RunningServer server(each_kind(), answering([](const HttpRequest& request) {
                               return request.path == "/other" ? http_error(404, "no")
                                                               : HttpAnswer{};
                             }));
  Client client(server);
  REQUIRE(client.send(std::string(kGet) + "GET /other HTTP/1.1\r\n\r\n"));
  CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST_CASE("a client that asks for it, or speaks HTTP/1.0, is closed after its answer") {
  const RunningServer server(each_kind(), hello(), kPatient);
  for (const std::string request : {"GET /v1/status HTTP/1.0\r\n\r\n",
                                    "GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n"}) {
    Client client(server);
    REQUIRE(client.send(request));
    CHECK_THAT(client.read_all(), EndsWith("{\"hello\":\"world\"}"));
  }
}

TEST_CASE("HEAD is answered with the header that GET has, and no body") {
  const RunningServer server(each_kind());
  Client client(server);
  REQUIRE(client.send("HEAD /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n"));
  const std::string answer = client.read_all();
  CHECK_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(answer, Contains("\r\nContent-Length: 17\r\n"));
  CHECK_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_CASE("bytes that are not HTTP are 400, and the connection ends") {
  const RunningServer server(each_kind());
  for (const std::string& garbage :
       {std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10), std::string("GET /v1/status\r\n\r\n"),
        std::string(300, '\n') + "?\r\n",
        std::string("GET /v1/status HTTP/1.1\r\nno colon\r\n\r\n")}) {
    Client client(server);
    REQUIRE(client.send(garbage));
    const std::string answer = client.read_all();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    CHECK_THAT(answer, Contains("\r\nConnection: close\r\n"));
    CHECK_THAT(answer, Contains("{\"error\":"));
  }
}

TEST_CASE("a header above its limit is 431, one just below is served") {
  const RunningServer server(each_kind(), hello(), kPatient);
  Client modest(server);
  CHECK_THAT(ask(modest, "GET /v1/status HTTP/1.1\r\nX: " + std::string(8000, 'x') + "\r\n\r\n"),
             StartsWith("HTTP/1.1 200 OK\r\n"));
  for (const std::size_t bytes : {8192u, 9000u, 60000u, 500000u}) {
    Client client(server);
    client.send("GET /v1/status HTTP/1.1\r\nX: " + std::string(bytes, 'x') + "\r\n\r\n");
    client.finish_sending();
    const std::string answer = client.read_all();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    CHECK_THAT(answer, Contains("{\"error\":"));
  }
}

TEST_CASE("a body above its limit is 413, announced or in chunks") {
  const RunningServer server(each_kind(), hello(), kPatient);
  const std::string post = "POST /v1/status HTTP/1.1\r\n";
  const std::string body(65537, 'x');
  Client modest(server);
  CHECK_THAT(ask(modest, post + "Content-Length: 65536\r\n\r\n" + body.substr(1)),
             StartsWith("HTTP/1.1 200 "));
  for (const std::string& request :
       {post + "Content-Length: 65537\r\n\r\n" + body, post + "Content-Length: 99999999999\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + body + "\r\n0\r\n\r\n"}) {
    Client client(server);
    REQUIRE(client.send(request));
    client.finish_sending();
    const std::string answer = client.read_all();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
    CHECK_THAT(answer, Contains("{\"error\":"));
  }
}

TEST_CASE("a client that says nothing, half a request, or nothing more, is cut off") {
  const RunningServer server(each_kind(), hello(), kImpatient);
  for (const std::string_view said :
       {std::string_view(), kGet.substr(0, 20), kGet.substr(0, kGet.size() - 1),
        std::string_view("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")}) {
    Client client(server);
    client.send(said);
    CHECK(client.read_all().empty());
  }
  Client client(server);
  CHECK_THAT(ask(client, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK(client.read_all().empty());
}

TEST_CASE("a client that drips its request byte by byte is cut off all the same") {
  const RunningServer server(each_kind(), hello(), kImpatient);
  Client client(server);
  // The request is never whole, so that only being cut off ends the loop.
  const auto deadline = std::chrono::steady_clock::now() + Client::kDeadline;
  REQUIRE(client.send("GET /v1/status HTTP/1.1\r\nX: "));
  bool open = true;
  while (open && std::chrono::steady_clock::now() < deadline)
    open = client.send("x") && !client.has_something_within(std::chrono::milliseconds(5));
  CHECK_FALSE(open);
}

TEST_CASE("a client that takes nothing of a long answer does not keep others waiting") {
  const std::string large(8 << 20, ' ');
  const RunningServer server(
      each_kind(), answering([&](const HttpRequest&) { return HttpAnswer{.body = large}; }),
      kPatient);
  Client idle(server), eager(server);
  REQUIRE(idle.send(kGet));
  CHECK(ask(eager, kGet).size() > large.size());
}

TEST_CASE("200 silent connections do not keep another from its answer") {
  const RunningServer server(each_kind(), hello(), kPatient);
  std::vector<Client> silent;
  for (int i = 0; i < 200; ++i) silent.emplace_back(server);
  Client client(server);
  CHECK_THAT(ask(client, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
  // Connections are accepted in turn, so by now 137 have made room; the last 63 are still there.
  CHECK(silent.front().read_all().empty());
  CHECK(silent[136].read_all().empty());
  CHECK_THAT(ask(silent[137], kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("who had an answer lately stays when the silent make room") {
  HttpLimits limits = kPatient;
  limits.connections = 3;
  const RunningServer server(each_kind(), hello(), limits);
  Client first(server);
  REQUIRE_THAT(ask(first, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
  Client silent(server);
  Client second(server);
  REQUIRE_THAT(ask(second, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
  REQUIRE_THAT(ask(first, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
  Client third(server);
  REQUIRE_THAT(ask(third, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK(silent.read_all().empty());
  CHECK_THAT(ask(first, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(ask(second, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("clients that go without reading their answer do no harm") {
  const RunningServer server(each_kind());
  for (int i = 0; i < 100; ++i) {
    Client client(server);
    client.send(i % 2 == 0 ? kGet : kGet.substr(0, 9));
  }
  Client client(server);
  CHECK_THAT(ask(client, kGet), StartsWith("HTTP/1.1 200 OK\r\n"));
}

// Not under the address sanitizer: it opens pipes to find out whether memory can be read.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("a client that finds no file descriptor left is served when there is one again") {
  const RunningServer server(each_kind(), hello(), kPatient);
  Client client(server.is_tcp() ? Kind::tcp : Kind::unix_socket);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // Descriptors that are open stay so; poll() takes no more of them than the limit.
  const rlimit none{3, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  client.connect(server);
  const bool sent = client.send(kGet);
  const bool answered = client.has_something_within(std::chrono::milliseconds(300));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(sent);
  CHECK_FALSE(answered);
  CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 OK\r\n"));
}
#endif

}  // namespace
}  // namespace guideway::observe
