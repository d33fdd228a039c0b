// What --help prints: a command's description, usage, arguments, options and footer, in lines that
// fit the terminal. Pure, but for terminal_columns().
//
// Threads: none of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/command_info.h"

namespace guideway::cli {

// Of the terminal that is standard output, within what text is laid out for; 80 where there is
// none.
[[nodiscard]] std::size_t terminal_columns();

// `text` in lines of up to `columns`, each ended, all but the first indented by `indent`, a longer
// word on a line of its own. `used`: so much of the first line is taken already.
[[nodiscard]] std::string filled(std::string_view text, std::size_t columns, std::size_t indent,
                                 std::size_t used);

[[nodiscard]] std::string help_text(const CommandInfo& command, std::size_t columns);

// What is printed to who names no command: usage and commands, in their groups.
[[nodiscard]] std::string overview(const CommandInfo& program, std::size_t columns);

// help_text() for CLI11.
class HelpFormatter : public CLI::FormatterBase {
 public:
  [[nodiscard]] std::string make_help(const CLI::App* app, std::string name,
                                      CLI::AppFormatMode mode) const override;
};

}  // namespace guideway::cli
