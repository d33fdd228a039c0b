// What a reload changes, in words for the log and the command line, and what it cannot change while
// the daemon runs.
//
// Threads: none of its own.
#pragma once

#include <string>
#include <vector>

#include "control/model.h"

namespace guideway::control {

// Puts the values of `running` into `wanted` where a running daemon cannot take others: node seed,
// interfaces that are in both, flow table, admin socket. A line for each value that is kept.
[[nodiscard]] std::vector<std::string> keep_fixed(const Model& running, Model& wanted);

// A line for each thing that `after` has and `before` has not, has otherwise, or has no more, by
// name: "pool web: backend 10.0.1.13 added, weight 2". Of a password only that it is another one.
// Beyond kMaxChangeLines they are counted.
[[nodiscard]] std::vector<std::string> describe_changes(const Model& before, const Model& after);
inline constexpr std::size_t kMaxChangeLines = 200;

}  // namespace guideway::control
