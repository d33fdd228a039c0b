// completion, and (hidden) manual: what is made of the command line itself (cli/command_info.h).
#include <memory>

#include "cli/completion.h"
#include "cli/daemon_command.h"
#include "cli/manual_page.h"

namespace guideway::cli {
namespace {

// Without the empty lines that stand before it in a footer.
std::string exit_codes() {
  const std::string text = kExitCodes;
  return text.substr(text.find_first_not_of('\n'));
}

std::string script_for(const std::string& shell, const CommandInfo& program) {
  if (shell == "zsh") return zsh_completion(program);
  return shell == "fish" ? fish_completion(program) : bash_completion(program);
}

void add_manual(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("manual", "Prints the manual page guideway(1)");
  command->group("");
  const auto date = std::make_shared<std::string>();
  command->add_option("--date", *date, "The date that the page bears, YYYY-MM-DD")
      ->type_name("DATE");
  command->footer("Example:\n  guideway manual | man -l -");
  command->callback([&app, &chosen, date] {
    chosen = [&app, date] {
      return print(
          manual_page(command_info(app),
                      {.version = GUIDEWAY_VERSION, .date = *date, .exit_codes = exit_codes()}));
    };
  });
}

}  // namespace

void add_completion(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("completion", "Prints the completion script of a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "Which one: bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Example:\n  source <(guideway completion bash)\n  guideway completion fish | source\n\n"
      "The Debian package installs them all. Backends, pools, services and interfaces are asked "
      "from guidewayd, where it runs and the user may open its socket.\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&app, &chosen, shell] {
    chosen = [&app, shell] { return print(script_for(*shell, command_info(app))); };
  });
  add_manual(app, chosen);
}

}  // namespace guideway::cli
