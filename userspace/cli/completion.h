// Completion scripts for the shells, made of what the command line takes (cli/command_info.h).
//
// Names that only guidewayd knows are asked from it when they are wanted, by `guideway names KIND`.
// They are text of a configuration file: no script evaluates or expands them.
//
// Threads: none of its own. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/command_info.h"

namespace guideway::cli {

// For bash 4.4 and later; uses nothing of the package bash-completion.
[[nodiscard]] std::string bash_completion(const CommandInfo& program);

// For zsh 5; to be autoloaded as `_guideway`, or read by the shell that it is for.
[[nodiscard]] std::string zsh_completion(const CommandInfo& program);

// For fish 3.
[[nodiscard]] std::string fish_completion(const CommandInfo& program);

// The KIND of `guideway names` for values of this kind; empty: they are not the daemon's.
[[nodiscard]] std::string_view names_kind(ValueKind kind);

}  // namespace guideway::cli
