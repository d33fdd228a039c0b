// Where each value of a kind stands first in a file: for "is already at line 7".
#pragma once

#include <map>
#include <optional>
#include <string>

#include "control/config_reader.h"

namespace guideway::control {

[[nodiscard]] inline std::string at_line(int line) { return "at line " + std::to_string(line); }

// Remembers the line where each value stands first.
template <class Value>
class FirstLines {
 public:
  // The line of an earlier `value`, if there is one.
  std::optional<int> earlier(const Value& value, const Place& place) {
    const auto [first, is_new] = lines_.try_emplace(value, place.mark.line);
    return is_new ? std::nullopt : std::optional(first->second);
  }
  // The line of `value`, if it was given to earlier().
  [[nodiscard]] std::optional<int> find(const Value& value) const {
    const auto found = lines_.find(value);
    return found == lines_.end() ? std::nullopt : std::optional(found->second);
  }
  // All values, sorted, each with its line.
  [[nodiscard]] const std::map<Value, int>& all() const { return lines_; }

 private:
  std::map<Value, int> lines_;
};

}  // namespace guideway::control
