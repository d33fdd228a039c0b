// The socket of a service manager (sd_notify(3)), without the wait of libsystemd's sd_notify():
// that one blocks while the queue of the socket is full, which a service manager that stands still,
// or is started anew, leaves so. Here what has no room waits in memory for the next call.
//
// Threads: one. Errors: none are told; what cannot be delivered at all is dropped.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <deque>
#include <string>

#include "core/unique_fd.h"

namespace guideway::app {

class NotifySocket {
 public:
  // Messages that are kept; of more the oldest are lost. A status each second, and two of a reload.
  static constexpr std::size_t kMostKept = 64;

  // That of $NOTIFY_SOCKET: a path, or "@" and a name of Linux' abstract ones.
  NotifySocket();
  [[nodiscard]] bool listens() const { return socket_.valid(); }

  // Says it, behind what is kept; keeps it where there is no room.
  void say(std::string message);
  // Says it if there is room at this moment: for what a later one makes worthless.
  void say_now(const std::string& message);
  // Says what is kept, as far as there is room.
  void catch_up();

 private:
  [[nodiscard]] bool send(const std::string& message) const;  // false: no room

  UniqueFd socket_;
  sockaddr_un address_{};
  socklen_t address_bytes_ = 0;
  std::deque<std::string> kept_;
};

}  // namespace guideway::app
