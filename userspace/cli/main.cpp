// The `guideway` client: what it understands, and where that goes.
//
// Exit codes: 0 done, 1 failed (the reason on standard error), 2 wrong use.
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/decap.h"
#include "cli/status_view.h"

namespace guideway::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

struct Arguments {
  std::string socket = kDefaultSocket;
  bool json = false;
  std::string interface;
  std::vector<std::string> locals, sources;
  std::function<Result<>(const Arguments&)> command;
};

Result<> status(const Arguments& arguments) {
  auto document = fetch_status(arguments.socket);
  if (!document) return std::unexpected(document.error());
  Result<std::string> text = arguments.json ? *document + "\n" : status_text(*document);
  if (!text) return std::unexpected(text.error());
  if (!(std::cout << *text << std::flush)) return fail("writing to standard output");
  return {};
}

// REQUIRES: each is an address (checked_address).
std::vector<Ipv4Address> addresses(const std::vector<std::string>& texts) {
  std::vector<Ipv4Address> out;
  for (const std::string& text : texts) out.push_back(Ipv4Address::parse(text).value());
  return out;
}

Result<> decap(const Arguments& arguments) {
  return run_decapsulation({.interface = arguments.interface,
                            .locals = addresses(arguments.locals),
                            .sources = addresses(arguments.sources)});
}

// What CLI11 prints of a value that is wrong; empty: it is right.
std::string checked_address(const std::string& text) {
  return Ipv4Address::parse(text) ? "" : "\"" + text + "\" is not an IPv4 address";
}

void add_status(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand("status", "Shows what a running guidewayd does");
  command->add_flag("--json", arguments.json, "Print the document as the daemon gives it");
  command->add_option("--socket", arguments.socket, "The daemon's socket (admin.socket)")
      ->type_name("PATH")
      ->capture_default_str();
  command->footer(
      "Example:\n  guideway status --json | jq .totals.drops\n\n"
      "What each number means is in docs/operations.md.");
  command->callback([&arguments] { arguments.command = status; });
}

void add_decap(CLI::App& app, Arguments& arguments) {
  CLI::App* command =
      app.add_subcommand("decap", "Decapsulates GRE on a backend, until SIGINT or SIGTERM");
  command->add_option("--interface", arguments.interface, "Where the packets arrive")
      ->required()
      ->type_name("IF");
  command
      ->add_option("--local", arguments.locals,
                   "Tunnel end on this host; may be given again. Default: all addresses of IF")
      ->type_name("ADDR")
      ->allow_extra_args(false)
      ->check(checked_address);
  command
      ->add_option("--from", arguments.sources,
                   "Load balancer that may send; may be given again. Default: any host")
      ->type_name("ADDR")
      ->allow_extra_args(false)
      ->check(checked_address);
  command->footer(
      "For kernels that have no GRE device.\n\nExample:\n  guideway decap --interface eth0 --from "
      "192.0.2.10 --from 192.0.2.11\n\n"
      "Needs root. At the end it prints what it has counted, one counter on each line.");
  command->callback([&arguments] { arguments.command = decap; });
}

int run(int argc, char** argv) {
  CLI::App app("The client of guidewayd, an AF_XDP layer-4 load balancer.", "guideway");
  Arguments arguments;
  app.set_version_flag("--version", "guideway " GUIDEWAY_VERSION, "Print the version and exit");
  app.require_subcommand(1);
  app.footer("Example:\n  guideway status\n\nguideway COMMAND --help tells about one command.");
  add_status(app, arguments);
  add_decap(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUse;
  }
  const Result<> done = arguments.command(arguments);
  if (done) return 0;
  std::cerr << "guideway: " << done.error().text() << std::endl;
  return kFailed;
}

}  // namespace
}  // namespace guideway::cli

int main(int argc, char** argv) {
  try {
    return guideway::cli::run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "guideway: " << failure.what() << std::endl;
    return guideway::cli::kFailed;
  }
}
