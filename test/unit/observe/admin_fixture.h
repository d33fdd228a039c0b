// A folder that goes with the test, an admin server on a thread of its own, and clients that are
// plain sockets, so that they can be as rude as they like.
#pragma once

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/unique_fd.h"
#include "observe/admin_server.h"

namespace guideway::observe {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "guideway-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A server that answers with `document`, until the object goes.
class RunningServer {
 public:
  RunningServer(const std::string& path, AdminLimits limits, AdminServer::MakeStatus status) {
    auto server = AdminServer::listen(io_, path, std::move(status), limits);
    if (!server) throw std::runtime_error(server.error().text());
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
  }
  explicit RunningServer(const std::string& path, AdminLimits limits = {})
      : RunningServer(path, limits, [] { return std::string(R"({"hello":"world"})"); }) {}
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() {
    io_.stop();
    thread_.join();
  }

 private:
  boost::asio::io_context io_;
  std::unique_ptr<AdminServer> server_;
  std::thread thread_;
};

inline sockaddr_un socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

class Client {
 public:
  static constexpr std::chrono::seconds kDeadline{20};

  Client() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit Client(const std::string& path) : Client() { connect(path); }

  void connect(const std::string& path) {
    const sockaddr_un address = socket_address(path);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("connect " + path + ": " + std::strerror(errno));
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

}  // namespace guideway::observe
