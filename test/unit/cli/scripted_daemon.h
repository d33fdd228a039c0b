// A folder that goes with the test, and a daemon that says what the test has it say.
#pragma once

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/unique_fd.h"
#include "support/scratch_folder.h"

namespace guideway::cli {

// A socket that listens, and nobody who accepts.
inline UniqueFd listen_at(const std::string& path, int backlog = 4) {
  const sockaddr_un address = socket_address(path);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), backlog) != 0)
    throw std::runtime_error("listening at " + path);
  return socket;
}

inline std::string http_answer(unsigned status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Reason\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Answers each request with the bytes that the script has for its "METHOD TARGET" (http_answer
// makes them), one with nothing of its own with a 404, and closes the connection.
class ScriptedDaemon {
 public:
  using Script = std::map<std::string, std::string>;

  struct Heard {
    std::string line;  // "GET /v1/status"
    std::string body;
  };

  ScriptedDaemon(const std::string& path, Script script)
      : script_(std::move(script)), socket_(listen_at(path)) {
    thread_ = std::thread([this] { serve(); });
  }
  ScriptedDaemon(const ScriptedDaemon&) = delete;
  ScriptedDaemon& operator=(const ScriptedDaemon&) = delete;
  ~ScriptedDaemon() {
    ::shutdown(socket_.get(), SHUT_RDWR);  // ends accept()
    thread_.join();
  }

  [[nodiscard]] std::vector<Heard> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  void serve() {
    for (;;) {
      const UniqueFd client(::accept(socket_.get(), nullptr, nullptr));
      if (!client.valid()) return;
      const Heard request = receive(client.get());
      {
        const std::lock_guard lock(mutex_);
        heard_.push_back(request);
      }
      const auto found = script_.find(request.line);
      send_all(client.get(), found != script_.end()
                                 ? found->second
                                 : http_answer(404, R"({"error":"not in the script"})"));
    }
  }

  static Heard receive(int client) {
    std::string bytes;
    char buffer[4096];
    while (bytes.size() < request_bytes(bytes)) {
      const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      bytes.append(buffer, static_cast<std::size_t>(got));
    }
    const std::size_t end = bytes.find("\r\n\r\n");
    return {bytes.substr(0, bytes.find(" HTTP/1.1\r\n")),
            end == std::string::npos ? "" : bytes.substr(end + 4)};
  }

  // Of the request in front; more than there are while that is not known yet.
  static std::size_t request_bytes(const std::string& bytes) {
    static constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) return bytes.size() + 1;
    const std::size_t length = bytes.find(kLength);
    return end + 4 + (length < end ? std::stoul(bytes.substr(length + kLength.size(), 20)) : 0);
  }

  static void send_all(int client, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  const Script script_;
  UniqueFd socket_;
  mutable std::mutex mutex_;
  std::vector<Heard> heard_;
  std::thread thread_;
};

}  // namespace guideway::cli
