// status, services, backends: what a running guidewayd tells about itself.
#include <memory>

#include "cli/daemon_command.h"
#include "cli/pool_view.h"
#include "cli/status_view.h"

namespace guideway::cli {
namespace {

struct BackendsOptions : DaemonOptions {
  std::string pool;  // empty: all
};

Outcome<> show_document(const DaemonOptions& options, const char* target, const char* doing,
                        const PaintedView& view) {
  const auto document = ask_for_document(options, {.target = target}, doing);
  if (!document) return std::unexpected(document.error());
  return show(options, *document, view);
}

Outcome<> backends(const BackendsOptions& options) {
  auto document = ask_for_document(options, {.target = "/v1/backends"}, "asking for the backends");
  if (!document) return std::unexpected(document.error());
  if (!options.pool.empty()) {
    auto only = only_pool(*document, options.pool);
    if (!only) return failed(std::move(only.error()));
    *document = std::move(*only);
  }
  return show(options, *document, backends_text);
}

}  // namespace

void add_status(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("status", "Shows what a running guidewayd does");
  const auto options = std::make_shared<DaemonOptions>();
  add_daemon_options(*command, *options);
  command->footer(
      std::string("Example:\n  guideway status\n  guideway status --json | jq .totals.drops\n\n"
                  "What each number means is in docs/operations.md.") +
      kExitCodes);
  command->callback([&chosen, options] {
    chosen = [options] {
      return show_document(*options, "/v1/status", "asking for the status", status_text);
    };
  });
}

void add_services(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("services", "Shows the services and their health");
  const auto options = std::make_shared<DaemonOptions>();
  add_daemon_options(*command, *options);
  command->footer(std::string("Example:\n  guideway services\n  guideway services --json | jq "
                              "'.services[] | select(.healthy | "
                              "not)'\n\nA service is healthy as its pool is.") +
                  kExitCodes);
  command->callback([&chosen, options] {
    chosen = [options] {
      return show_document(*options, "/v1/services", "asking for the services", services_text);
    };
  });
}

void add_backends(CLI::App& app, Command& chosen) {
  CLI::App* command =
      app.add_subcommand("backends", "Shows the health of pools, backends and their checks");
  const auto options = std::make_shared<BackendsOptions>();
  add_daemon_options(*command, *options);
  command
      ->add_option("--pool", options->pool, "Only this pool, with --json too. Default: all pools")
      ->type_name("NAME")
      ->check(checked_not_empty);
  command->footer(
      std::string("Example:\n  guideway backends --pool web\n\nThe table is the pool's "
                  "part of new flows, the digest the same on load balancers that choose "
                  "alike.") +
      kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return backends(*options); }; });
}

}  // namespace guideway::cli
