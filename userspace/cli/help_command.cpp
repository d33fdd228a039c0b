// help: as --help.
#include <memory>

#include "cli/commands.h"
#include "cli/help_text.h"
#include "cli/wrong_use.h"

namespace guideway::cli {
namespace {

Outcome<> help(const CLI::App& app, const std::string& name) {
  if (name.empty()) return print(help_text(command_info(app), terminal_columns()));
  for (const CLI::App* command : app.get_subcommands(std::function<bool(const CLI::App*)>()))
    if (command->get_name() == name) return print(command->help());
  return std::unexpected(
      Failure{ExitCode::wrong_use, {unknown_command(app, name), "see guideway --help"}});
}

}  // namespace

void add_help(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("help", "Tells about guideway, or about a command");
  const auto name = std::make_shared<std::string>();
  command->add_option("COMMAND", *name, "The command. Default: all of them, in short");
  command->footer("Example:\n  guideway help drain\n\nExit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&app, &chosen, name] { chosen = [&app, name] { return help(app, *name); }; });
}

}  // namespace guideway::cli
