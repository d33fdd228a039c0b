// interfaces: all that is known of the interfaces in service and of their queues.
#include <memory>

#include "cli/daemon_command.h"
#include "cli/interfaces_view.h"

namespace guideway::cli {
namespace {

struct InterfacesOptions : DaemonOptions {
  std::string interface;  // empty: all
};

Outcome<> interfaces(const InterfacesOptions& options) {
  auto document =
      ask_for_document(options, {.target = "/v1/interfaces"}, "asking for the interfaces");
  if (!document) return std::unexpected(document.error());
  if (!options.interface.empty()) {
    auto only = only_interface(*document, options.interface);
    if (!only) return failed(std::move(only.error()));
    *document = std::move(*only);
  }
  return show(options, *document, interfaces_text);
}

}  // namespace

void add_interfaces(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "interfaces", "Shows the interfaces, their queues, rings, sockets and flow tables");
  const auto options = std::make_shared<InterfacesOptions>();
  add_daemon_options(*command, *options);
  command
      ->add_option("NAME", options->interface,
                   "Only this interface (with --json, too). Default: all")
      ->type_name("IF")
      ->check(checked_not_empty);
  command->footer(
      std::string("Example:\n  guideway interfaces eth0\n\n"
                  "What each number means is in docs/operations.md. Numbers from ten millions on "
                  "are rounded: --json has them all.") +
      kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return interfaces(*options); }; });
}

}  // namespace guideway::cli
