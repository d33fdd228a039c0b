// How a failure outside the packet path is reported: a value that is there, or an Error that says
// what was being done, what went wrong, and what would mend it.
#pragma once

#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace guideway {

// A failure for a person to read. `what` is "doing X: cause"; `hint`, where there is one, is the
// command or the setting that mends it.
struct Error {
  std::string what;
  std::string hint{};
  int number = 0;  // the errno value behind it; 0: none

  // The error of a step that failed because of this one: "doing: what".
  [[nodiscard]] Error within(const std::string& doing) && {
    return {doing + ": " + std::move(what), std::move(hint), number};
  }
  // One line, the hint behind it in parentheses.
  [[nodiscard]] std::string text() const { return hint.empty() ? what : what + " (" + hint + ")"; }
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(std::string what, std::string hint = {}) {
  return std::unexpected(Error{std::move(what), std::move(hint), 0});
}

// A failed system call: "doing: Permission denied". `error_number` is positive, as in errno.
[[nodiscard]] inline std::unexpected<Error> fail_errno(const std::string& doing, int error_number,
                                                       std::string hint = {}) {
  return std::unexpected(
      Error{doing + ": " + std::strerror(error_number), std::move(hint), error_number});
}

}  // namespace guideway
