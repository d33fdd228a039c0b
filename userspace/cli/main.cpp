// The `guideway` client: which commands there are, and how it exits (cli/failure.h).
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "cli/commands.h"

namespace guideway::cli {
namespace {

constexpr int number(ExitCode code) { return static_cast<int>(code); }

int run(int argc, char** argv) {
  CLI::App app("The client of guidewayd, an AF_XDP layer-4 load balancer.", "guideway");
  Command chosen;
  app.set_version_flag("--version", "guideway " GUIDEWAY_VERSION, "Print the version and exit");
  app.require_subcommand(1);
  app.footer(
      "Example:\n  guideway status\n\nguideway COMMAND --help tells about one command.\n\n"
      "Exit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong use, 3 "
      "guidewayd cannot be reached.");
  for (const auto add : {add_status, add_services, add_backends, add_drain, add_undrain, add_reload,
                         add_log, add_check, add_decap})
    add(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? number(ExitCode::done) : number(ExitCode::wrong_use);
  }
  const Outcome<> done = chosen();
  if (done) return number(ExitCode::done);
  std::cerr << "guideway: " << done.error().error.text() << std::endl;
  return number(done.error().code);
}

}  // namespace
}  // namespace guideway::cli

int main(int argc, char** argv) {
  try {
    return guideway::cli::run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "guideway: " << failure.what() << std::endl;
    return guideway::cli::number(guideway::cli::ExitCode::failed);
  }
}
