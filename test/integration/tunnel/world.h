// Tunnels between two hosts, and who is asked through them: World has an open tunnel and a loop,
// FarServer is a service of the VIP.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "control/tunnel.h"
#include "integration/tunnel/two_hosts.h"
#include "net/wire.h"
#include "probe/probe.h"
#include "support/catch.h"
#include "support/patience.h"

namespace guideway::control::testing {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using test::Tunnelled;

inline Ipv4Address ip(const char* text) { return Ipv4Address::parse(text).value(); }

inline const Ipv4Address kSource = ip("10.77.0.1"), kOtherSource = ip("10.77.0.4");
inline const Ipv4Address kOne = ip("10.77.0.2"), kTwo = ip("10.77.0.3");
inline const Ipv4Address kVip = ip("198.51.100.1");

inline sockaddr_in address_of(Ipv4Address address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = address.wire().wire();
  result.sin_port = htons(port);
  return result;
}
inline const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

inline Ipv4Header ip_header(std::span<const std::byte> packet) {
  Ipv4Header header{};
  REQUIRE(packet.size() >= sizeof header);
  std::memcpy(&header, packet.data(), sizeof header);
  return header;
}
inline std::uint16_t source_port(std::span<const std::byte> packet) {
  const std::size_t at = ip_header(packet).header_bytes();
  REQUIRE(packet.size() >= at + sizeof(Be16));
  Be16 port;
  std::memcpy(&port, packet.data() + at, sizeof port);
  return port.host();
}

struct World {
  test::TwoHosts hosts;
  test::FarSide far{hosts};
  boost::asio::io_context io;
  std::unique_ptr<Tunnel> tunnel = open();

  std::unique_ptr<Tunnel> open() {
    auto opened = Tunnel::open(io, kSource);
    INFO((opened ? "" : opened.error().text()));
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }
  template <class Condition>
  bool eventually(const Condition& condition) {
    const auto deadline = Clock::now() + test::patient(20s);
    while (!condition()) {
      if (Clock::now() > deadline) return false;
      io.run_one_for(10ms);
    }
    return true;
  }
  // A non-blocking socket that has entered.
  UniqueFd socket(int type, Ipv4Address backend, Tunnel* by = nullptr) {
    UniqueFd made(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto protocol = type == SOCK_STREAM ? Protocol::tcp : Protocol::udp;
    const auto entered = (by == nullptr ? *tunnel : *by).enter(made.get(), protocol, backend);
    INFO((entered ? "" : entered.error().text()));
    REQUIRE(entered.has_value());
    return made;
  }
  // The packets that came to "far" from this port, once there is one.
  std::vector<Tunnelled> packets_from(std::uint16_t port) {
    std::vector<Tunnelled> found;
    CHECK(eventually([&] {
      found = far.seen();
      std::erase_if(found, [&](const Tunnelled& at) { return source_port(at.inner) != port; });
      return !found.empty();
    }));
    REQUIRE_FALSE(found.empty());
    return found;
  }
  probe::Answer ask(probe::Question question, Ipv4Address backend) {
    question.vip = kVip;
    question.timeout = 15s;
    const probe::EnterTunnel enter = [this](int socket, Protocol protocol, Ipv4Address to) {
      return tunnel->enter(socket, protocol, to);
    };
    std::optional<probe::Answer> answer;
    boost::asio::co_spawn(
        io, probe::ask(question, backend, enter),
        [&](const std::exception_ptr&, probe::Answer got) { answer = std::move(got); });
    REQUIRE(eventually([&] { return answer.has_value(); }));
    return *answer;
  }
  // The number of the one tunnel's rule, as operators see it.
  [[nodiscard]] std::uint32_t mark() const {
    const std::string rules = hosts.near_output("rule show");
    const auto at = rules.find("fwmark 0x67000");
    REQUIRE(at != std::string::npos);
    return static_cast<std::uint32_t>(std::stoul(rules.substr(at + 7), nullptr, 16));
  }
};

inline std::uint16_t local_port(const UniqueFd& socket) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
  return ntohs(own.sin_port);
}

inline void begin_to_connect(const UniqueFd& socket, std::uint16_t port) {
  const sockaddr_in to = address_of(kVip, port);
  REQUIRE(::connect(socket.get(), generic(to), sizeof to) == -1);
  REQUIRE(errno == EINPROGRESS);
}

inline void send_datagram(const UniqueFd& socket, std::string_view text) {
  const sockaddr_in to = address_of(kVip, 53);
  REQUIRE(::sendto(socket.get(), text.data(), text.size(), 0, generic(to), sizeof to) ==
          static_cast<ssize_t>(text.size()));
}

// A service of the VIP in "far", on a thread of its own until it ends.
class FarServer {
 public:
  FarServer(const test::TwoHosts& hosts, int type, std::uint16_t port,
            const std::function<void(int socket)>& serve)
      : socket_(hosts.far_socket(AF_INET, type)) {
    const sockaddr_in own = address_of(kVip, port);
    REQUIRE(::bind(socket_.get(), generic(own), sizeof own) == 0);
    if (type == SOCK_STREAM) REQUIRE(::listen(socket_.get(), 5) == 0);
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    thread_ = std::thread([this, serve, type] {
      if (type != SOCK_STREAM) return serve(socket_.get());
      const UniqueFd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.valid()) serve(client.get());
    });
  }
  FarServer(const FarServer&) = delete;
  FarServer& operator=(const FarServer&) = delete;
  ~FarServer() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  UniqueFd socket_;
  std::thread thread_;
};

}  // namespace guideway::control::testing
