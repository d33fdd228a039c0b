// What is special about the HTTP server at a TCP port.
#include "http_fixture.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";

// The error of a server that is to fail, "" if it did not.
std::string failure_at(Ipv4Address address, std::uint16_t port) {
  boost::asio::io_context io;
  auto server = HttpServer::listen_tcp(io, address, port, hello());
  return server ? "" : server.error().text();
}

TEST_CASE("port 0 is one that is free, and the server says which") {
  const RunningServer first(Kind::tcp), second(Kind::tcp);
  CHECK(first.port() != 0);
  CHECK(first.port() != second.port());
  CHECK(ask(second, "GET /").status() == 200);
}

TEST_CASE("a server at a Unix socket has no port") {
  CHECK(RunningServer(Kind::unix_socket).port() == 0);
}

TEST_CASE("a port that is taken is an error that names it and says who to look for") {
  const RunningServer server(Kind::tcp);
  const std::string port = std::to_string(server.port());
  const std::string failure = failure_at(kLoopback, server.port());
  CHECK_THAT(failure, StartsWith("listening at 127.0.0.1:" + port + ": Address already in use ("));
  CHECK_THAT(failure, Contains("`ss -ltnp sport = :" + port + "`"));
  CHECK(ask(server, "GET /").status() == 200);
}

TEST_CASE("an address that no interface has is an error that says which there are to choose") {
  // 192.0.2.0/24 is for documentation (RFC 5737).
  const std::string failure = failure_at(*Ipv4Address::parse("192.0.2.1"), 9477);
  CHECK_THAT(failure, StartsWith("listening at 192.0.2.1:9477: Cannot assign requested address ("));
  CHECK_THAT(failure, Contains("0.0.0.0"));
}

TEST_CASE("a port can be listened at again as soon as its server has gone") {
  boost::asio::io_context io;
  auto server = HttpServer::listen_tcp(io, kLoopback, 0, hello());
  REQUIRE(server);
  const std::uint16_t port = (*server)->port();
  // The server closes this connection first, so that its port goes into TIME-WAIT.
  Client client(port);
  REQUIRE(client.send(kGet));
  while (!client.has_something_within(std::chrono::milliseconds(0)))
    REQUIRE(io.run_one_for(Client::kDeadline) == 1);
  server->reset();
  io.run_for(Client::kDeadline);
  CHECK_THAT(client.read_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK(failure_at(kLoopback, port).empty());
}

TEST_CASE("0.0.0.0 is all addresses of the host") {
  boost::asio::io_context io;
  auto server = HttpServer::listen_tcp(io, Ipv4Address(), 0, hello());
  REQUIRE(server);
  Client client((*server)->port());
  REQUIRE(client.send(kGet));
  while (!client.has_something_within(std::chrono::milliseconds(0)))
    REQUIRE(io.run_one_for(Client::kDeadline) == 1);
  server->reset();
  CHECK_THAT(client.read_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace guideway::observe
