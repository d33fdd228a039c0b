// The daemon's answers to what changes something (POST /v1/reload, drain and undrain, /v1/log), and
// its refusals, as text for a person. Pure.
//
// Threads: none of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/client.h"
#include "cli/palette.h"
#include "core/result.h"

namespace guideway::cli {

// An answer that is no success: "doing: the daemon's words", or its status and the beginning of
// what it says where those are not there.
[[nodiscard]] Error refusal(const std::string& doing, const Answer& answer);

struct Reload {
  bool succeeded = false;
  std::string generation;             // that is in force
  std::vector<std::string> changes;   // what is different now
  std::vector<std::string> warnings;  // such as what keeps its old value until a restart
  std::vector<std::string> problems;  // why not
};

// Fails if `document` is no answer to a reload.
[[nodiscard]] Result<Reload> read_reload(std::string_view document);

// What is printed of one that succeeded: the generation, a line for each change and warning.
[[nodiscard]] std::string reload_text(const Reload& reload, const Palette& palette = {});

// "10.0.0.2: drained by operator (pools: blue)". Fails if `document` is no answer to drain or
// undrain.
[[nodiscard]] Result<std::string> drain_text(std::string_view document);

// The level alone, for scripts. Fails if `document` has none.
[[nodiscard]] Result<std::string> log_text(std::string_view document);

}  // namespace guideway::cli
