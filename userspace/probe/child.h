// A program that runs for a question, in a process group of its own, all of which ends with this
// object. Private to this folder.
//
// A process that starts a session or a group of its own gets away.
//
// Owns: the process, until it is reaped, and a descriptor that says when it has ended
// (pidfd_open(2)). Threads: as ask(). Requires that nobody else reaps children of this process.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace guideway::probe {

struct Exit {
  std::optional<int> code;  // nullopt: ended by `signal`
  int signal = 0;
};

class Child {
 public:
  explicit Child(const boost::asio::any_io_executor& executor) : ended_(executor) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  // Kills the group. Waits for the death of a process that is not reaped, but not long, and not
  // again where somebody has waited already; one that stays is reaped by a later start().
  ~Child();

  // Executes command[0]: no shell, descriptors 0 to 2 are /dev/null and there are no others, no
  // signal is blocked or ignored. `environment`: "NAME=value". Fails while too many programs of
  // earlier children do not die. REQUIRES: called once.
  [[nodiscard]] Result<> start(const std::vector<std::string>& command,
                               const std::vector<std::string>& environment);

  // Becomes readable when the process has ended.
  [[nodiscard]] boost::asio::posix::stream_descriptor& ended() { return ended_; }
  // Nobody is to wait for it any more.
  void give_up() { waited_ = true; }
  // Makes a wait for ended() fail.
  void stop_waiting();

  // Kills all that is in the group. REQUIRES: not reaped yet; what is reaped may give its number to
  // somebody else.
  void kill_group() const;
  // How the process has ended. nullopt: it has not. REQUIRES: not reaped yet.
  [[nodiscard]] Result<std::optional<Exit>> reap();

 private:
  bool waited_ = false;
  pid_t pid_ = 0;  // and of the group; 0: none, or reaped
  boost::asio::posix::stream_descriptor ended_;
};

}  // namespace guideway::probe
