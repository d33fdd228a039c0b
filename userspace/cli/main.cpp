// The `guideway` client: which commands there are, and how it exits (cli/failure.h).
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#include "cli/commands.h"
#include "cli/help_text.h"
#include "cli/terminal.h"
#include "cli/wrong_use.h"

namespace guideway::cli {
namespace {

constexpr int number(ExitCode code) { return static_cast<int>(code); }

using Add = void (*)(CLI::App& app, Command& chosen);

// In the order of --help and of the manual.
struct Group {
  const char* title;
  std::vector<Add> commands;
};
const std::vector<Group> kGroups = {
    {"Look",
     {add_status, add_services, add_backends, add_interfaces, add_flows, add_bgp, add_watch}},
    {"Change", {add_drain, add_undrain, add_role, add_reload, add_log}},
    {"Find out", {add_check, add_explain, add_doctor}},
    {"On a backend", {add_decap}},
    {"About guideway", {add_help, add_completion, add_names}}};

// A standard stream that the caller has closed must not become the socket or the map that is opened
// next: what is printed would go there.
void hold_standard_streams() {
  for (const int stream : {0, 1, 2})
    if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
}

void add_commands(CLI::App& app, Command& chosen) {
  const std::string not_grouped = "Subcommands";  // CLI11's
  for (const Group& group : kGroups) {
    for (const Add add : group.commands) add(app, chosen);
    for (CLI::App* command : app.get_subcommands(std::function<bool(CLI::App*)>()))
      if (command->get_group() == not_grouped) command->group(group.title);
  }
}

int end(const Outcome<>& outcome) {
  if (outcome) return number(ExitCode::done);
  const std::string text = outcome.error().error.text();
  if (!text.empty()) std::cerr << error_palette().bad("guideway:") << " " << text << std::endl;
  return number(outcome.error().code);
}

// Standard error is where it goes, as nothing was asked for.
int show_overview(const CLI::App& app) {
  std::cerr << overview(command_info(app), terminal_columns()) << std::flush;
  return number(ExitCode::wrong_use);
}

int run(int argc, char** argv) {
  CLI::App app("The client of guidewayd, an AF_XDP layer-4 load balancer.", "guideway");
  Command chosen;
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", "guideway " GUIDEWAY_VERSION, "Print the version and exit");
  app.footer(
      "Example:\n  guideway status\n\nguideway help COMMAND tells about one command.\n\n"
      "Exit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong use, 3 "
      "guidewayd cannot be reached.");
  add_commands(app, chosen);
  if (argc < 2) return show_overview(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return end(print(app.help()));
  } catch (const CLI::CallForVersion& version) {
    return end(print(std::string(version.what()) + "\n"));
  } catch (const CLI::ParseError& error) {
    return end(std::unexpected(Failure{ExitCode::wrong_use, {wrong_use(app, error)}}));
  }
  return chosen ? end(chosen()) : show_overview(app);
}

}  // namespace
}  // namespace guideway::cli

int main(int argc, char** argv) {
  // A reader that has gone, as of `guideway status | head -1`, ends the program quietly, also where
  // the caller ignores the signal.
  std::signal(SIGPIPE, SIG_DFL);
  guideway::cli::hold_standard_streams();
  try {
    return guideway::cli::run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "guideway: " << failure.what() << std::endl;
    return guideway::cli::number(guideway::cli::ExitCode::failed);
  }
}
