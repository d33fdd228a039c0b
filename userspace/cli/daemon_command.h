// What the commands that ask a running guidewayd have in common.
//
// Threads: one.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "cli/client.h"
#include "cli/commands.h"

namespace guideway::cli {

inline constexpr const char* kExitCodes =
    "\n\nExit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong use, 3 "
    "guidewayd cannot be reached.";

struct DaemonOptions {
  std::string socket = kDefaultSocket;
  bool json = false;
};

// --socket and --json. REQUIRES: `options` outlives the parsing of the command line.
void add_daemon_options(CLI::App& command, DaemonOptions& options);

// The answer to `request`, whatever its status. Fails with ExitCode::unreachable.
[[nodiscard]] Outcome<Answer> ask_daemon(const DaemonOptions& options, const Request& request,
                                         std::chrono::milliseconds patience = kPatience);

// The same, where only a 200 is no failure; "doing: what the daemon says" for the others.
[[nodiscard]] Outcome<std::string> ask_for_document(const DaemonOptions& options,
                                                    const Request& request,
                                                    const std::string& doing);

// Prints a document of the daemon: as it is with --json, as `view` shows it otherwise.
using View = std::function<Result<std::string>(std::string_view document)>;
[[nodiscard]] Outcome<> show(const DaemonOptions& options, const std::string& document,
                             const View& view);

}  // namespace guideway::cli
