// drain, undrain, reload, log: what changes a running guidewayd.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/answer_view.h"
#include "cli/daemon_command.h"
#include "cli/terminal.h"

namespace guideway::cli {
namespace {

struct DrainOptions : DaemonOptions {
  std::string verb;  // "drain" or "undrain"
  std::string backend;
  std::string pool;  // empty: all that have the backend
};

struct LogOptions : DaemonOptions {
  std::optional<std::string> level;
};

Outcome<> drain(const DrainOptions& options) {
  Request request{
      .method = "POST",
      .target = "/v1/backends/" + percent_encoded(options.backend) + "/" + options.verb};
  if (!options.pool.empty()) request.target += "?pool=" + percent_encoded(options.pool);
  const auto document = ask_for_document(options, request, options.verb + "ing " + options.backend);
  if (!document) return std::unexpected(document.error());
  return show(options, *document, drain_text);
}

Outcome<> reload(const DaemonOptions& options) {
  constexpr unsigned kOk = 200, kUnprocessable = 422;
  const auto answer =
      ask_daemon(options, {.method = "POST", .target = "/v1/reload"}, kReloadPatience);
  if (!answer) return std::unexpected(answer.error());
  const auto outcome = read_reload(answer->body);
  if (answer->status != kOk && (answer->status != kUnprocessable || !outcome))
    return failed(refusal("reloading", *answer));
  if (!outcome) return failed(outcome.error());
  if (options.json) {
    if (auto printed = print(answer->body + "\n"); !printed) return printed;
  }
  if (!outcome->succeeded) {
    for (const std::string& problem : outcome->problems)
      std::cerr << error_palette().bad(problem) << "\n";
    return failed({"reloading: refused, " + std::to_string(outcome->problems.size()) +
                       " problem(s); generation " + outcome->generation + " stays in force",
                   "mend the file and reload again"});
  }
  return options.json ? Outcome<>() : print(reload_text(*outcome, output_palette()));
}

Outcome<> log(const LogOptions& options) {
  Request request{.target = "/v1/log"};
  if (options.level) {
    request.method = "PUT";
    request.body = boost::json::serialize(boost::json::object{{"level", *options.level}});
  }
  const auto document = ask_for_document(
      options, request, options.level ? "setting the log level" : "asking for the log level");
  if (!document) return std::unexpected(document.error());
  return show(options, *document, log_text);
}

void add_drain_verb(CLI::App& app, Command& chosen, const std::string& verb,
                    const std::string& description, const std::string& footer) {
  CLI::App* command = app.add_subcommand(verb, description);
  const auto options = std::make_shared<DrainOptions>();
  options->verb = verb;
  command
      ->add_option("BACKEND", options->backend,
                   "The address of the backend, as in the configuration")
      ->required()
      ->type_name("ADDR")
      ->check(checked_address);
  // An empty name is refused, as from a script's variable that is not set: it would mean all pools.
  command
      ->add_option("--pool", options->pool,
                   "Only in this pool. Default: in all pools that have the backend")
      ->type_name("NAME")
      ->check(checked_not_empty);
  add_daemon_options(*command, *options);
  command->footer(footer + kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return drain(*options); }; });
}

}  // namespace

void add_drain(CLI::App& app, Command& chosen) {
  add_drain_verb(
      app, chosen, "drain", "Gives a backend no new flows; those that it has stay",
      "Example:\n  guideway drain 10.0.1.11 --pool web\n\nLasts over reloads, until `guideway "
      "undrain` or the end of guidewayd: the configuration file is not changed.");
}

void add_undrain(CLI::App& app, Command& chosen) {
  add_drain_verb(app, chosen, "undrain", "Takes a drain back",
                 "Example:\n  guideway undrain 10.0.1.11\n\nTakes back what `guideway drain` asked "
                 "for. A drain of the configuration file stays until the file is changed.");
}

void add_reload(CLI::App& app, Command& chosen) {
  CLI::App* command =
      app.add_subcommand("reload", "Has guidewayd read its configuration file again");
  const auto options = std::make_shared<DaemonOptions>();
  add_daemon_options(*command, *options);
  command->footer(std::string("Example:\n  guideway check /etc/guideway/guideway.yaml && guideway "
                              "reload\n\nWaits for the end of it, 60 seconds at most. A file that "
                              "is wrong changes nothing: its problems are on standard error.") +
                  kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return reload(*options); }; });
}

void add_log(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("log", "Prints or sets the log level of guidewayd");
  const auto options = std::make_shared<LogOptions>();
  command
      ->add_option("LEVEL", options->level,
                   "What to log: trace, debug, info, warning or error, each with those behind it. "
                   "Default: print the level in force")
      ->type_name("trace|debug|info|warning|error")
      ->check(checked_not_empty);
  add_daemon_options(*command, *options);
  command->footer(
      std::string("Example:\n  guideway log debug\n\nLasts until the end of guidewayd, or until a "
                  "reload that changes log.level.") +
      kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return log(*options); }; });
}

}  // namespace guideway::cli
