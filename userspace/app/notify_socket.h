// The socket of a service manager (sd_notify(3)), without the wait of libsystemd's sd_notify():
// that one blocks while the queue of the socket is full, which a service manager that stands still,
// or is started anew, leaves so. Here what has no room waits in memory for the next call, and at
// the end of this object for kLastWait at most.
//
// Threads: one. Errors: none are told; what cannot be delivered at all is dropped.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>

#include "core/unique_fd.h"

namespace guideway::app {

class NotifySocket {
 public:
  static constexpr std::chrono::milliseconds kLastWait{100};

  // That of $NOTIFY_SOCKET: a path, or "@" and a name of Linux' abstract ones.
  NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  // Tries once more to say what is kept and must not be lost.
  ~NotifySocket();
  [[nodiscard]] bool listens() const { return socket_.valid(); }

  // Says it, behind what is kept; keeps it where there is no room. For what must not be lost, and
  // is seldom: that the state is another, or why there is none.
  void say(std::string message);
  // The same, of which only the newest is kept: what the next one replaces.
  void say_passing(std::string message);
  // Says it if there is room at this moment: for what a later one makes worthless.
  void say_now(const std::string& message);
  // Says what is kept, as far as there is room.
  void catch_up();

 private:
  struct Message {
    std::string text;
    bool passing = false;
  };
  void keep(Message message);
  // False: no room. With `flags` 0 it waits for that, as long as the socket's time-out is.
  [[nodiscard]] bool send(const std::string& message, int flags) const;

  UniqueFd socket_;
  sockaddr_un address_{};
  socklen_t address_bytes_ = 0;
  std::deque<Message> kept_;
};

}  // namespace guideway::app
