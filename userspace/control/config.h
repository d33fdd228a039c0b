// From a YAML file to a Model, or to everything that is wrong with the file.
//
// Errors: all of them at once, each with its place, in the order of the file. What does not parse
// as YAML at all is one error. Nothing is half-read: there is a Model or there are problems.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/model.h"
#include "control/own_addresses.h"

namespace guideway::control {

struct Problem {
  std::string file;
  int line = 0;      // from 1; 0: the file as a whole
  int column = 0;    // from 1
  std::string key;   // path of the key, such as "pools[0].backends[2].weight"; may be empty
  std::string what;  // what is wrong and what would be right

  // "file:line:column: key: what"
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

// A right file, and what is worth saying about it all the same.
struct Config {
  Model model;
  std::vector<Problem> warnings;
};

// Reads the file at `path`. An unreadable file is one Problem. `own` is what own_addresses() says
// of the host that the file is for: none of them can be a VIP.
[[nodiscard]] std::expected<Config, std::vector<Problem>> load_config(
    const std::string& path, std::span<const OwnAddress> own = {});

// The same for text at hand; `file` is what problems call it.
[[nodiscard]] std::expected<Config, std::vector<Problem>> parse_config(
    std::string_view yaml, const std::string& file, std::span<const OwnAddress> own = {});

}  // namespace guideway::control
