// decap: the command line of cli/decap.h.
#include <memory>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/decap.h"

namespace guideway::cli {
namespace {

struct DecapOptions {
  std::string interface;
  std::vector<std::string> locals, sources;
};

// REQUIRES: each is an address (checked_address).
std::vector<Ipv4Address> addresses(const std::vector<std::string>& texts) {
  std::vector<Ipv4Address> out;
  for (const std::string& text : texts) out.push_back(Ipv4Address::parse(text).value());
  return out;
}

Outcome<> decap(const DecapOptions& options) {
  auto done = run_decapsulation({.interface = options.interface,
                                 .locals = addresses(options.locals),
                                 .sources = addresses(options.sources)});
  if (!done) return failed(std::move(done.error()));
  return {};
}

}  // namespace

std::string checked_address(const std::string& text) {
  return Ipv4Address::parse(text) ? "" : "\"" + text + "\" is not an IPv4 address";
}

void add_decap(CLI::App& app, Command& chosen) {
  CLI::App* command =
      app.add_subcommand("decap", "Decapsulates GRE on a backend, until SIGINT or SIGTERM");
  const auto options = std::make_shared<DecapOptions>();
  command->add_option("--interface", options->interface, "The interface that the packets arrive at")
      ->required()
      ->type_name("IF");
  command
      ->add_option(
          "--local", options->locals,
          "A destination of the tunnel that is this host's. May be given again. Default: all "
          "addresses of IF")
      ->type_name("ADDR")
      ->allow_extra_args(false)
      ->check(checked_address);
  command
      ->add_option(
          "--from", options->sources,
          "A load balancer that is trusted. May be given again. Default: any host, which is "
          "unsafe where others can reach this one")
      ->type_name("ADDR")
      ->allow_extra_args(false)
      ->check(checked_address);
  command->footer(
      "For kernels that have no GRE device.\n\nExample:\n  guideway decap --interface eth0 --from "
      "192.0.2.10 --from 192.0.2.11\n\n"
      "Needs root. At the end it prints what it has counted, one counter on each line.\n\n"
      "Exit codes: 0 ended by a signal, 1 failed, 2 wrong use.");
  command->callback([&chosen, options] { chosen = [options] { return decap(*options); }; });
}

}  // namespace guideway::cli
