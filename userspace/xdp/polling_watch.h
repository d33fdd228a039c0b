// Whether a socket's packets are being sent, for one that relies on busy polling to send them.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>

namespace guideway::xdp {

class PollingWatch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kPatience = std::chrono::milliseconds(100);

  // After each try to send. `taken`: how many packets the kernel has taken from the TX ring, a
  // number that wraps; `waiting`: whether some are left. True: some have waited for kPatience, and
  // none of them was taken; it is true once only, until as long has passed again.
  bool stands_still(std::uint32_t taken, bool waiting, Clock::time_point now) {
    if (taken != taken_ || !waiting || !watching_) {
      taken_ = taken;
      watching_ = waiting;
      since_ = now;
      return false;
    }
    if (now - since_ < kPatience) return false;
    since_ = now;
    return true;
  }

 private:
  std::uint32_t taken_ = 0;
  bool watching_ = false;
  Clock::time_point since_;
};

}  // namespace guideway::xdp
