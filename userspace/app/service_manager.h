// What the daemon tells the service manager that has started it (sd_notify(3)): that it is ready,
// what it is at, that it is alive. Without one ($NOTIFY_SOCKET is not set) nothing is said.
//
//   start    EXTEND_TIMEOUT_USEC before each step that may take long, READY=1 when packets are
//            taken; or ERRNO and STATUS, why not
//   running  STATUS when it has changed; WATCHDOG=1 (app/daemon.cpp decides whether)
//   reload   RELOADING=1, then READY=1 with the STATUS that results
//   stop     STOPPING=1 and EXTEND_TIMEOUT_USEC, for as long as it drains
//
// Threads: the control thread. Errors: none are told, as nobody could act on them: a service
// manager that does not listen will notice by itself. Nobody waits for one, but for a
// moment at the end (notify_socket.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/notify_socket.h"
#include "core/result.h"

namespace guideway::app {

// What one line says of the daemon.
struct Situation {
  enum class Phase { starting, forwarding, draining } phase = Phase::starting;
  struct Interface {
    std::string name;
    std::string attachment;  // "native", "generic", or "lost"
    std::string mode;        // of its sockets: "zero-copy", "copy"; of no meaning where lost
  };
  std::vector<Interface> interfaces{};
  std::size_t backends = 0, backends_up = 0;  // of all pools; those without checks count as up
  std::uint64_t generation = 0;
  bool reload_failed = false;          // the last one: the file is not what is in force
  std::vector<std::string> stalled{};  // names of workers that do not go on
};

// "forwarding on eth0 (native, zero-copy), 3 of 3 backends up, generation 12". What is wrong comes
// first.
[[nodiscard]] std::string status_line(const Situation& situation);

class ServiceManager {
 public:
  // Reads $NOTIFY_SOCKET and $WATCHDOG_USEC.
  ServiceManager();

  // The time within which it wants to hear alive() again and again. nullopt: it does not.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

  // The step that begins may take so long, whatever time-out the unit has. A longer one stays.
  void extend_timeout(std::chrono::microseconds time);
  void ready(const std::string& status);
  void failed(const Error& error);
  void reloading();
  void stopping(const std::string& status, std::chrono::microseconds time);
  // Says it if it is another than was said last; and what had no room before.
  void status(const std::string& status);
  void alive();

 private:
  NotifySocket socket_;
  std::optional<std::chrono::microseconds> watchdog_;
  std::string last_status_;
};

}  // namespace guideway::app
