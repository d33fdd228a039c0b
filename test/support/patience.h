// Deadlines of tests on a machine that is slow, such as an emulated one: $GUIDEWAY_PATIENCE is how
// often as long as usual to wait. The same as patient() of process.py.
//
// Errors: std::runtime_error for what is not a number that is 1 or more.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace guideway::test {

inline double patience() {
  const char* set = std::getenv("GUIDEWAY_PATIENCE");
  if (set == nullptr) return 1;
  const std::string_view text = set;
  double value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc() || end != text.end() || !(value >= 1))
    throw std::runtime_error("GUIDEWAY_PATIENCE is '" + std::string(text) +
                             "': it has to be a number that is 1 or more, such as 4");
  return value;
}

// A time to wait at most, for the machine that this is.
inline std::chrono::steady_clock::duration patient(std::chrono::steady_clock::duration time) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time * patience());
}

}  // namespace guideway::test
