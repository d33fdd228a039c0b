// The HTTP server and handlers that take their time, or fail.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "http_fixture.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace asio = boost::asio;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

constexpr std::string_view kSlow = "POST /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kQuick = "GET /quick HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr HttpLimits kImpatient{.patience = std::chrono::milliseconds(50)};

Kind each_kind() { return GENERATE(Kind::unix_socket, Kind::tcp); }

// Calls for /slow wait until they are let go; others are answered at once. All of it happens on
// the server's thread.
class Gate {
 public:
  HttpHandler handler() {
    return [this](HttpRequest request) -> asio::awaitable<HttpAnswer> {
      if (request.path == "/slow") {
        asio::steady_timer timer(co_await asio::this_coro::executor, kForever);
        waiting_.push_back(&timer);
        boost::system::error_code cancelled;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        if (fails_) throw std::runtime_error("no numbers");
      }
      co_return HttpAnswer{.body = "\"" + request.path + "\""};
    };
  }
  void let_go() {
    for (asio::steady_timer* timer : std::exchange(waiting_, {})) timer->cancel();
  }
  void fail() { fails_ = true; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  static constexpr std::chrono::hours kForever{1};
  std::vector<asio::steady_timer*> waiting_;
  bool fails_ = false;
};

// Asks on the server's thread, again and again until the deadline.
template <class Condition>
bool comes_true(RunningServer& server, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + Client::kDeadline;
  while (std::chrono::steady_clock::now() < deadline)
    if (server.asked_on_its_thread(condition)) return true;
  return false;
}

TEST_CASE("an answer that takes longer than the patience arrives, and others do not wait for it") {
  Gate gate;
  RunningServer server(each_kind(), gate.handler(), kImpatient);
  Client slow(server);
  REQUIRE(slow.send(kSlow));
  REQUIRE(comes_true(server, [&] { return gate.waiting() == 1; }));
  // That this one is cut off says that the patience of the other is over, too.
  Client silent(server);
  CHECK(silent.read_all().empty());
  Client quick(server);
  REQUIRE(quick.send(kQuick));
  CHECK_THAT(quick.read_answer(), EndsWith("\"/quick\""));
  CHECK_FALSE(slow.has_something_within(std::chrono::milliseconds(0)));
  server.on_its_thread([&] { gate.let_go(); });
  CHECK_THAT(slow.read_answer(), EndsWith("\"/slow\""));
}

TEST_CASE("a target in absolute form is the path that it ends with") {
  RunningServer server(each_kind(), answering([](const HttpRequest& request) {
                         return HttpAnswer{.body = request.path + "|" + request.query};
                       }));
  CHECK(ask(server, "GET http://load.balancer:9477/healthz?x=1").body == "/healthz|x=1");
  CHECK(ask(server, "GET http://load.balancer").body == "/|");
  CHECK(ask(server, "GET /a?b=http://c/d").body == "/a|b=http://c/d");
}

TEST_CASE("a connection goes on after an answer that took its time, with the patience anew") {
  Gate gate;
  RunningServer server(each_kind(), gate.handler(), kImpatient);
  Client client(server);
  REQUIRE(client.send(std::string(kSlow) + std::string(kQuick)));
  REQUIRE(comes_true(server, [&] { return gate.waiting() == 1; }));
  server.on_its_thread([&] { gate.let_go(); });
  CHECK_THAT(client.read_answer(), EndsWith("\"/slow\""));
  CHECK_THAT(client.read_answer(), EndsWith("\"/quick\""));
  CHECK(client.read_all().empty());
}

TEST_CASE(
    "a handler that throws is a 500 that says why, at once or later, and the server goes on") {
  Gate gate;
  gate.fail();
  const HttpHandler inner = gate.handler();
  RunningServer server(each_kind(), [&](HttpRequest request) {
    if (request.path == "/refused") throw std::runtime_error("not even begun");
    return inner(std::move(request));
  });
  Client client(server);
  REQUIRE(client.send("GET /refused HTTP/1.1\r\n\r\n"));
  CHECK_THAT(client.read_answer(), EndsWith("{\"error\":\"not even begun\"}"));
  REQUIRE(client.send(kSlow));
  REQUIRE(comes_true(server, [&] { return gate.waiting() == 1; }));
  server.on_its_thread([&] { gate.let_go(); });
  const std::string answer = client.read_answer();
  CHECK_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  CHECK_THAT(answer, EndsWith("{\"error\":\"no numbers\"}"));
  REQUIRE(client.send(kQuick));
  CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a client whose answer is being made does not make room for another") {
  Gate gate;
  RunningServer server(each_kind(), gate.handler(),
                       {.connections = 2, .patience = std::chrono::hours(1)});
  Client slow(server);
  REQUIRE(slow.send(kSlow));
  REQUIRE(comes_true(server, [&] { return gate.waiting() == 1; }));
  Client silent(server);
  Client quick(server);
  REQUIRE(quick.send(kQuick));
  CHECK_THAT(quick.read_answer(), EndsWith("\"/quick\""));
  CHECK(silent.read_all().empty());
  server.on_its_thread([&] { gate.let_go(); });
  CHECK_THAT(slow.read_answer(), EndsWith("\"/slow\""));
}

TEST_CASE("where the answers to all are being made, the next client is closed, until one is done") {
  Gate gate;
  RunningServer server(each_kind(), gate.handler(),
                       {.connections = 1, .patience = std::chrono::hours(1)});
  Client slow(server);
  REQUIRE(slow.send(kSlow));
  REQUIRE(comes_true(server, [&] { return gate.waiting() == 1; }));
  Client refused(server);
  CHECK(refused.read_all().empty());
  server.on_its_thread([&] { gate.let_go(); });
  CHECK_THAT(slow.read_answer(), EndsWith("\"/slow\""));
  Client quick(server);
  REQUIRE(quick.send(kQuick));
  CHECK_THAT(quick.read_answer(), EndsWith("\"/quick\""));
}

TEST_CASE("a client that goes while its answer is being made does no harm") {
  Gate gate;
  RunningServer server(each_kind(), gate.handler());
  {
    Client slow(server);
    REQUIRE(slow.send(kSlow));
    REQUIRE(comes_true(server, [&] { return gate.waiting() == 1; }));
  }
  server.on_its_thread([&] { gate.let_go(); });
  Client quick(server);
  REQUIRE(quick.send(kQuick));
  CHECK_THAT(quick.read_answer(), EndsWith("\"/quick\""));
}

TEST_CASE("a call that is at work when the server goes ends in peace, and its client is closed") {
  const ScratchFolder folder;
  Gate gate;
  asio::io_context io;
  auto server = HttpServer::listen_unix(io, folder / "s", gate.handler());
  REQUIRE(server);
  Client slow(folder / "s");
  REQUIRE(slow.send(kSlow));
  while (gate.waiting() == 0) REQUIRE(io.run_one_for(Client::kDeadline) == 1);
  server->reset();
  CHECK(slow.read_all().empty());
  gate.let_go();
  // Nothing is left to do: the call has ended, and with it its connection.
  io.run_for(Client::kDeadline);
  CHECK(io.stopped());
}

}  // namespace
}  // namespace guideway::observe
