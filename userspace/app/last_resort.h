// Ends the process if something that must not hang does: for as long as this object lives, but for
// `patience` at most. Around what waits for a worker to end, which nothing can make end. Time
// counts only while the process runs: one that is stopped as a whole (SIGSTOP, a frozen virtual
// machine) has nothing that hangs.
//
// What is left then is what SIGKILL leaves: the XDP program stays attached and drops packets of
// VIPs, until the next start takes it off (docs/operations.md, Stop).
//
// Threads: one of its own while it lives.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace guideway::app {

class LastResort {
 public:
  // `reason` is called on the own thread when the time is over, gives the line that is logged, and
  // may only touch what nobody changes meanwhile.
  LastResort(std::chrono::milliseconds patience, std::function<std::string()> reason);
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

 private:
  std::jthread thread_;  // asked to stop, and waited for, at destruction
};

}  // namespace guideway::app
