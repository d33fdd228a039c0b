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
#include "cli/palette.h"

namespace guideway::cli {

inline constexpr const char* kExitCodes =
    "\n\nExit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong use, 3 "
    "guidewayd cannot be reached.";

struct DaemonOptions {
  std::string socket = kDefaultSocket;
  bool json = false;
};

// --socket, and its variable GUIDEWAY_SOCKET. REQUIRES: `socket` outlives the parsing of the
// command line.
void add_socket_option(CLI::App& command, std::string& socket);

// --socket and --json. REQUIRES: `options` outlives the parsing of the command line.
void add_daemon_options(CLI::App& command, DaemonOptions& options);

// The answer to `request`, whatever its status. Fails with ExitCode::unreachable.
[[nodiscard]] Outcome<Answer> ask_daemon(const DaemonOptions& options, const Request& request,
                                         std::chrono::milliseconds patience = kPatience);

// The same, where only a 200 is no failure; "doing: what the daemon says" for the others. A daemon
// that does not know the path is one of another version, and is told as that.
[[nodiscard]] Outcome<std::string> ask_for_document(const DaemonOptions& options,
                                                    const Request& request,
                                                    const std::string& doing);

// Prints a document of the daemon: as it is with --json, as `view` shows it otherwise.
using View = std::function<Result<std::string>(std::string_view document)>;
[[nodiscard]] Outcome<> show(const DaemonOptions& options, const std::string& document,
                             const View& view);

// The same with a view that has colours: it is given those of standard output.
using PaintedView =
    std::function<Result<std::string>(std::string_view document, const Palette& palette)>;
[[nodiscard]] Outcome<> show(const DaemonOptions& options, const std::string& document,
                             const PaintedView& view);

}  // namespace guideway::cli
