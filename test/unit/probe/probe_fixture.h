// Backends to be asked, on loopback, in this process: TCP and UDP servers that do as a test tells
// them, each on a thread of its own; and the asking.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/unique_fd.h"
#include "probe/probe.h"
#include "support/scratch_folder.h"

namespace guideway::probe {

using namespace std::chrono_literals;

// When a test gives up.
inline constexpr std::chrono::seconds kPatience{20};
// Of a question that is to be answered, and of one that is not.
inline constexpr std::chrono::milliseconds kLong{15'000}, kShort{100};
inline const Ipv4Address kLoopback = *Ipv4Address::parse("127.0.0.1");

template <class Kind>
Question question(Kind kind, std::uint16_t port, std::chrono::milliseconds timeout = kLong) {
  Question result;
  result.kind = std::move(kind);
  result.port = port;
  result.timeout = timeout;
  return result;
}

// Runs until the question is answered and nothing of it is left on the loop.
inline Answer ask_now(const Question& asked, const EnterTunnel& enter_tunnel = {},
                      Ipv4Address backend = kLoopback) {
  boost::asio::io_context io;
  std::optional<Answer> answer;
  boost::asio::co_spawn(io, ask(asked, backend, enter_tunnel),
                        [&](const std::exception_ptr& thrown, Answer got) {
                          if (thrown) std::rethrow_exception(thrown);
                          answer = std::move(got);
                        });
  io.run_for(kPatience);
  if (!answer) throw std::runtime_error("ask() did not answer");
  if (!io.stopped()) throw std::runtime_error("ask() left something on the loop");
  return *answer;
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

template <class Condition>
bool within_patience(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

// A socket that is bound to a free port of 127.0.0.1.
class BoundSocket {
 public:
  explicit BoundSocket(int type) : socket_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), generic, size) != 0 ||
        ::getsockname(socket_.get(), generic, &size) != 0)
      throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] int get() const { return socket_.get(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  UniqueFd socket_;
  std::uint16_t port_ = 0;
};

// The server's side of one TCP connection.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  [[nodiscard]] int get() const { return socket_; }
  // False once the client is gone.
  bool say(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Everything up to and with the empty line.
  [[nodiscard]] std::string read_request() const {
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && ::recv(socket_, &byte, 1, 0) == 1) request += byte;
    return request;
  }
  // How the client ends it.
  [[nodiscard]] std::string read_to_end() const {
    std::array<char, 4096> scratch;
    for (;;) {
      const ssize_t bytes = ::recv(socket_, scratch.data(), scratch.size(), 0);
      if (bytes == 0) return "closed";
      if (bytes < 0) return errno == ECONNRESET ? "reset" : std::strerror(errno);
    }
  }
  // False if the client has gone within `time`.
  [[nodiscard]] bool pause(std::chrono::milliseconds time) const {
    pollfd poll_for{socket_, POLLRDHUP, 0};
    return ::poll(&poll_for, 1, static_cast<int>(time.count())) == 0;
  }
  void reset() const {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  int socket_;
};

// Serves one connection after another with `script`, and closes it behind that. When the object
// goes, the script's connection is shut down and the rest is refused.
class TcpServer {
 public:
  using Script = std::function<void(const Connection&)>;

  explicit TcpServer(Script script) : socket_(SOCK_STREAM), script_(std::move(script)) {
    if (::listen(socket_.get(), SOMAXCONN) != 0) throw std::runtime_error("listen");
    thread_ = std::thread([this] { serve(); });
  }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;
  ~TcpServer() {
    stopping_ = true;
    ::shutdown(socket_.get(), SHUT_RDWR);
    if (const int client = client_; client >= 0) ::shutdown(client, SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.port(); }
  [[nodiscard]] int served() const { return served_; }

 private:
  void serve() {
    while (!stopping_) {
      const UniqueFd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) continue;
      client_ = client.get();
      if (!stopping_) script_(Connection(client.get()));
      client_ = -1;
      ++served_;
    }
  }

  BoundSocket socket_;
  Script script_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> client_ = -1;
  std::atomic<int> served_ = 0;
  std::thread thread_;
};

// Answers each datagram with those that `script` makes of it.
class UdpServer {
 public:
  using Script = std::function<std::vector<std::string>(const std::string&)>;

  explicit UdpServer(Script script) : socket_(SOCK_DGRAM), script_(std::move(script)) {
    thread_ = std::thread([this] { serve(); });
  }
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;
  ~UdpServer() {
    stopping_ = true;
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.port(); }

 private:
  void serve() {
    while (!stopping_) {
      pollfd poll_for{socket_.get(), POLLIN, 0};
      if (::poll(&poll_for, 1, 10) == 1) answer_one();
    }
  }
  void answer_one() {
    std::array<char, 65536> buffer;
    sockaddr_in client{};
    socklen_t size = sizeof client;
    auto* generic = reinterpret_cast<sockaddr*>(&client);
    const ssize_t bytes =
        ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, generic, &size);
    if (bytes < 0) return;
    for (const std::string& reply : script_({buffer.data(), static_cast<std::size_t>(bytes)}))
      ::sendto(socket_.get(), reply.data(), reply.size(), 0, generic, size);
  }

  BoundSocket socket_;
  Script script_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace guideway::probe
