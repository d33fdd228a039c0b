// bgp, role: what routers are told of this load balancer, and as what.
#include <memory>
#include <string_view>

#include "bgp/announcements.h"
#include "cli/bgp_view.h"
#include "cli/daemon_command.h"
#include "control/words.h"

namespace guideway::cli {
namespace {

struct RoleOptions : DaemonOptions {
  std::string role;  // empty: show it
};

// A word that a slip of the keyboard made is not asked of the daemon.
std::string checked_role(const std::string& word) {
  if (bgp::role_named(word)) return "";
  const auto near = control::nearest(word, bgp::kRoleNames);
  return "unknown role " + control::quoted(word) +
         (near ? ": did you mean " + std::string(*near) + "?"
               : "; there are " + control::joined(bgp::kRoleNames, "and"));
}

Outcome<> bgp(const DaemonOptions& options) {
  const auto document = ask_for_document(options, {.target = "/v1/bgp"}, "asking for BGP");
  if (!document) return std::unexpected(document.error());
  if (auto shown = show(options, *document, bgp_text); !shown) return shown;
  if (auto in_step = bgp_in_step(*document); !in_step) return failed(std::move(in_step.error()));
  return {};
}

Outcome<> role(const RoleOptions& options) {
  const Request request =
      options.role.empty()
          ? Request{.target = "/v1/bgp"}
          : Request{.method = "POST", .target = "/v1/role/" + percent_encoded(options.role)};
  const auto document = ask_for_document(
      options, request, options.role.empty() ? "asking for the role" : "setting the role");
  if (!document) return std::unexpected(document.error());
  return show(options, *document, role_text);
}

}  // namespace

void add_bgp(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "bgp", "Shows the BGP speaker, its sessions, and which VIPs are announced");
  const auto options = std::make_shared<DaemonOptions>();
  add_daemon_options(*command, *options);
  command->footer(
      "Example:\n  guideway bgp\n  guideway bgp --json | jq '.routes[] | select(.state != "
      "\"announced\") | .prefix, .why'\n\nWhat each column means is in docs/commands.md.\n\nExit "
      "codes: 0 the speaker holds what is wanted, 1 it does not, or nothing is announced (the "
      "reason is on standard error), 2 wrong use, 3 guidewayd cannot be reached.");
  command->callback([&chosen, options] { chosen = [options] { return bgp(*options); }; });
}

void add_role(CLI::App& app, Command& chosen) {
  CLI::App* command =
      app.add_subcommand("role", "Prints or sets as what this load balancer announces its VIPs");
  const auto options = std::make_shared<RoleOptions>();
  command
      ->add_option("ROLE", options->role,
                   "active: as the file says; passive: with worse attributes, so that another load "
                   "balancer is preferred; drain: not at all. Default: print the role")
      ->type_name("active|passive|drain")
      ->check(checked_role);
  add_daemon_options(*command, *options);
  command->footer(
      std::string("Example:\n  guideway role drain\n  guideway bgp\n\nFlows go on meanwhile. Lasts "
                  "until the end of guidewayd, or until a reload whose file has another bgp.role "
                  "than the file before.") +
      kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return role(*options); }; });
}

}  // namespace guideway::cli
