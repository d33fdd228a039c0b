#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <tuple>

#include "support/catch.h"
#include "unit/probe/probe_fixture.h"

namespace guideway::probe {
namespace {

namespace asio = boost::asio;

// A listening socket whose queue is full, so that the kernel drops each further SYN.
class DeafServer {
 public:
  DeafServer() : socket_(SOCK_STREAM) {
    if (::listen(socket_.get(), 0) != 0) throw std::runtime_error("listen");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(socket_.port());
    for (UniqueFd& client : clients_) {
      client = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      std::ignore =
          ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.port(); }

 private:
  BoundSocket socket_;
  std::array<UniqueFd, 4> clients_;
};

// How many descriptors there may be, at most what is wished for.
rlim_t allow_descriptors(rlim_t wished) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(wished, limit.rlim_max));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return std::min(limit.rlim_cur, wished);
}

}  // namespace

TEST_CASE("a TCP backend that accepts has passed, and sees a reset") {
  std::string end;
  {
    TcpServer server([&](const Connection& client) { end = client.read_to_end(); });
    const Answer answer = ask_now(question(TcpQuestion{}, server.port()));
    CHECK(answer.passed);
    CHECK(answer.why == "connected");
    CHECK(answer.took > 0us);
    CHECK(within_patience([&] { return server.served() == 1; }));
  }
  CHECK(end == "reset");
}

TEST_CASE("a port that nobody listens at is refused") {
  const BoundSocket closed(SOCK_STREAM);
  const Answer answer = ask_now(question(TcpQuestion{}, closed.port()));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "connection refused");
}

TEST_CASE("a backend that does not answer the SYN fails at the deadline") {
  const DeafServer server;
  const Answer answer = ask_now(question(TcpQuestion{}, server.port(), kShort));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "no answer within 100 ms, while connecting");
  CHECK(answer.took >= kShort);
}

TEST_CASE("an address that cannot be reached fails with the kernel's reason") {
  const Answer answer =
      ask_now(question(TcpQuestion{}, 80), {}, *Ipv4Address::parse("255.255.255.255"));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "network is unreachable");
}

TEST_CASE("through the tunnel, the VIP is connected to by a socket that has entered it") {
  TcpServer server([](const Connection& client) { std::ignore = client.read_to_end(); });
  Question asked = question(TcpQuestion{}, server.port());
  asked.vip = kLoopback;
  const Ipv4Address backend = *Ipv4Address::parse("192.0.2.7");
  int entered = 0;
  bool connected = true;
  const Answer answer = ask_now(
      asked,
      [&](int socket, Protocol protocol, Ipv4Address to) -> Result<> {
        ++entered;
        CHECK(protocol == Protocol::tcp);
        CHECK(to == backend);
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        connected = ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
        return {};
      },
      backend);
  CHECK(answer.passed);
  CHECK(entered == 1);
  CHECK_FALSE(connected);
}

TEST_CASE("a tunnel that cannot be entered is a failure that says why") {
  Question asked = question(TcpQuestion{}, 80);
  asked.vip = kLoopback;
  SECTION("it fails") {
    const Answer answer = ask_now(asked, [](int, Protocol, Ipv4Address) -> Result<> {
      return fail("setting SO_MARK: Operation not permitted", "needs CAP_NET_ADMIN");
    });
    CHECK_FALSE(answer.passed);
    CHECK_FALSE(answer.asked);
    CHECK(answer.why ==
          "not asked: setting SO_MARK: Operation not permitted (needs CAP_NET_ADMIN)");
  }
  SECTION("it throws") {
    const Answer answer = ask_now(asked, [](int, Protocol, Ipv4Address) -> Result<> {
      throw std::runtime_error("out of marks");
    });
    CHECK_FALSE(answer.passed);
    CHECK(answer.why == "out of marks");
  }
  SECTION("there is none") {
    const Answer answer = ask_now(asked);
    CHECK_FALSE(answer.passed);
    CHECK_FALSE(answer.asked);
    CHECK(answer.why == "not asked: there is no tunnel to ask through");
  }
}

TEST_CASE("a question without a VIP does not enter the tunnel") {
  TcpServer server([](const Connection& client) { std::ignore = client.read_to_end(); });
  const Answer answer = ask_now(question(TcpQuestion{}, server.port()),
                                [](int, Protocol, Ipv4Address) -> Result<> { return fail("no"); });
  CHECK(answer.passed);
}

TEST_CASE(
    "ten thousand questions at once, or as many as the limit allows, are all answered and leave no "
    "descriptor") {
  const int count = static_cast<int>(allow_descriptors(10'100)) - 100;
  const BoundSocket closed(SOCK_STREAM);
  const Question asked = question(TcpQuestion{}, closed.port());
  const EnterTunnel none;
  const std::size_t before = open_descriptors();
  {
    asio::io_context io;
    int refused = 0;
    for (int i = 0; i < count; ++i) {
      asio::co_spawn(io, ask(asked, kLoopback, none),
                     [&](const std::exception_ptr&, const Answer& answer) {
                       if (answer.why == "connection refused") ++refused;
                     });
    }
    io.run_for(kPatience);
    CHECK(refused == count);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("questions that are pending when the loop goes leave no descriptor") {
  const DeafServer server;
  const Question asked = question(TcpQuestion{}, server.port());
  const EnterTunnel none;
  const std::size_t before = open_descriptors();
  {
    asio::io_context io;
    for (int i = 0; i < 100; ++i) asio::co_spawn(io, ask(asked, kLoopback, none), asio::detached);
    for (int i = 0; i < 100; ++i) io.poll_one();
    CHECK(open_descriptors() >= before + 50);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a question that is cancelled is a failure, not an exception") {
  const DeafServer server;
  const Question asked = question(TcpQuestion{}, server.port());
  const EnterTunnel none;
  asio::io_context io;
  asio::cancellation_signal cancel;
  std::optional<Answer> answer;
  std::exception_ptr thrown;
  asio::co_spawn(
      io, ask(asked, kLoopback, none),
      asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& what, Answer got) {
        thrown = what;
        answer = std::move(got);
      }));
  io.poll();
  REQUIRE_FALSE(answer);
  cancel.emit(asio::cancellation_type::terminal);
  io.run_for(kPatience);
  CHECK_FALSE(thrown);
  REQUIRE(answer);
  CHECK_FALSE(answer->passed);
  CHECK(answer->why == "operation canceled");
}

}  // namespace guideway::probe
