// Keeps events that others can cause (a backend that flaps, a network that goes) from filling the
// log: a token bucket. What is left out is counted, and said when there is room again.
//
// Pure: the time comes in. Threads: one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace guideway {

class LogLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `burst` lines at once, and one each `refill` on average.
  LogLimiter(std::uint32_t burst, std::chrono::milliseconds refill)
      : burst_(burst), refill_(refill), tokens_(burst) {}

  // Whether a line may be written now; one that may not is counted.
  [[nodiscard]] bool allow(Time now) {
    const auto earned = (now - last_) / refill_;
    if (earned > 0) {
      tokens_ = static_cast<std::uint32_t>(std::min<std::int64_t>(
          burst_, std::int64_t{tokens_} + std::min<std::int64_t>(earned, burst_)));
      last_ += earned * refill_;  // what is left of the time counts for the next one
    }
    if (tokens_ > 0) {
      --tokens_;
      return true;
    }
    ++suppressed_;
    ++untold_;
    return false;
  }

  // Lines that were left out, ever.
  [[nodiscard]] std::uint64_t suppressed() const { return suppressed_; }
  // Those since the last call.
  [[nodiscard]] std::uint64_t take_untold() { return std::exchange(untold_, 0); }

 private:
  std::uint32_t burst_;
  std::chrono::steady_clock::duration refill_;
  std::uint32_t tokens_;
  Time last_{};
  std::uint64_t suppressed_ = 0, untold_ = 0;
};

}  // namespace guideway
