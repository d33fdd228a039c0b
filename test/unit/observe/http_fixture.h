// A folder that goes with the test, an HTTP server on a thread of its own, and clients that are
// plain sockets, so that they can be as rude as they like.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/unique_fd.h"
#include "observe/http_server.h"
#include "support/scratch_folder.h"

namespace guideway::observe {

// Which of the two listeners; tests of what both must do run once for each.
enum class Kind { unix_socket, tcp };

inline constexpr Ipv4Address kLoopback{Be32(INADDR_LOOPBACK)};

// A handler that takes no time.
inline HttpHandler answering(std::function<HttpAnswer(const HttpRequest&)> function) {
  return
      [function = std::move(function)](HttpRequest request) -> boost::asio::awaitable<HttpAnswer> {
        co_return function(request);
      };
}

inline HttpHandler hello() {
  return answering([](const HttpRequest&) { return HttpAnswer{.body = R"({"hello":"world"})"}; });
}

// A server that answers by `handler`, until the object goes.
class RunningServer {
 public:
  explicit RunningServer(Kind kind, HttpHandler handler = hello(), HttpLimits limits = {})
      : RunningServer(kind, std::make_unique<ScratchFolder>(), std::move(handler), limits) {}
  // At a Unix socket.
  explicit RunningServer(std::string path) : path_(std::move(path)) {
    run(HttpServer::listen_unix(io_, path_, hello()));
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() {
    io_.stop();
    thread_.join();
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] bool is_tcp() const { return path_.empty(); }
  // Runs it on the server's thread.
  void on_its_thread(std::function<void()> what) { boost::asio::post(io_, std::move(what)); }
  // What it says there.
  bool asked_on_its_thread(std::function<bool()> what) {
    std::packaged_task<bool()> task(std::move(what));
    std::future<bool> said = task.get_future();
    boost::asio::post(io_, [&task] { task(); });
    return said.get();
  }

 private:
  RunningServer(Kind kind, std::unique_ptr<ScratchFolder> folder, HttpHandler handler,
                HttpLimits limits)
      : folder_(std::move(folder)), path_(kind == Kind::tcp ? "" : *folder_ / "s") {
    run(kind == Kind::tcp ? HttpServer::listen_tcp(io_, kLoopback, 0, std::move(handler), limits)
                          : HttpServer::listen_unix(io_, path_, std::move(handler), limits));
  }
  void run(Result<std::unique_ptr<HttpServer>> server) {
    if (!server) throw std::runtime_error(server.error().text());
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
  }

  std::unique_ptr<ScratchFolder> folder_;  // null: the test's
  std::string path_;                       // empty: TCP
  boost::asio::io_context io_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

using guideway::socket_address;
inline sockaddr_in socket_address(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Client {
 public:
  static constexpr std::chrono::seconds kDeadline{20};

  explicit Client(Kind kind)
      : socket_(::socket(kind == Kind::tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit Client(const std::string& path) : Client(Kind::unix_socket) {
    connect(socket_address(path));
  }
  explicit Client(std::uint16_t port) : Client(Kind::tcp) { connect(socket_address(port)); }
  explicit Client(const RunningServer& server)
      : Client(server.is_tcp() ? Kind::tcp : Kind::unix_socket) {
    connect(server);
  }

  void connect(const RunningServer& server) {
    server.is_tcp() ? connect(socket_address(server.port()))
                    : connect(socket_address(server.path()));
  }
  // False once the server has closed the connection.
  bool send(std::string_view bytes) {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  void finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

  // Everything up to the end that the server makes; "(deadline)" behind it if there was none.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(received_, {}) + (ended_ ? "" : "(deadline)");
  }
  // One answer with a Content-Length; "(deadline)" or "(end)" behind what there was otherwise.
  std::string read_answer() {
    for (;;) {
      const std::size_t bytes = answer_bytes();
      if (bytes != 0 && received_.size() >= bytes) {
        const std::string answer = received_.substr(0, bytes);
        received_.erase(0, bytes);
        return answer;
      }
      if (!read_some()) return received_ + (ended_ ? "(end)" : "(deadline)");
    }
  }
  [[nodiscard]] bool has_something_within(std::chrono::milliseconds time) const {
    pollfd poll_for{socket_.get(), POLLIN, 0};
    return ::poll(&poll_for, 1, static_cast<int>(time.count())) == 1;
  }

 private:
  template <class Address>
  void connect(const Address& address) {
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  bool read_some() {
    char buffer[4096];
    if (!has_something_within(kDeadline)) return false;
    const ssize_t bytes = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (bytes > 0) received_.append(buffer, static_cast<std::size_t>(bytes));
    ended_ = bytes <= 0;
    return bytes > 0;
  }
  // Of the answer in front; 0: not known yet.
  [[nodiscard]] std::size_t answer_bytes() const {
    static constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t end = received_.find("\r\n\r\n");
    const std::size_t length = received_.find(kLength);
    if (end == std::string::npos || length == std::string::npos || length > end) return 0;
    return end + 4 + std::stoul(received_.substr(length + kLength.size(), 20));
  }

  UniqueFd socket_;
  std::string received_;
  bool ended_ = false;
};

// What a client was told.
struct Answer {
  std::string head, body;
  [[nodiscard]] unsigned status() const {
    return head.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(head.substr(9, 3)));
  }
};

// Sends one request on a connection of its own, with a body where there is one.
inline Answer ask(const RunningServer& server, const std::string& method_and_target,
                  const std::string& body = "") {
  Client client(server);
  client.send(method_and_target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string answer = client.read_all();
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return {answer, ""};
  return {answer.substr(0, end + 2), answer.substr(end + 4)};
}

}  // namespace guideway::observe
