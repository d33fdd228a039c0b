// check: is a configuration file right? Needs no daemon.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>
#include <utility>

#include "cli/commands.h"
#include "control/config.h"
#include "control/own_addresses.h"

namespace guideway::cli {
namespace {

using Problems = std::vector<control::Problem>;

struct CheckOptions {
  std::string file = kDefaultFile;
  bool json = false;
};

boost::json::array document(const Problems& problems) {
  boost::json::array out;
  for (const control::Problem& problem : problems) {
    out.push_back(boost::json::object{{"file", problem.file},
                                      {"line", problem.line},
                                      {"column", problem.column},
                                      {"key", problem.key},
                                      {"what", problem.what}});
  }
  return out;
}

void complain(const Problems& problems, const char* kind) {
  for (const control::Problem& problem : problems) std::cerr << problem.text() << kind << "\n";
}

// The words of `guidewayd --check`, which does the same.
Outcome<> check(const CheckOptions& options) {
  const auto own = control::own_addresses();
  if (!own) return failed(own.error());
  const auto config = control::load_config(options.file, *own);
  const Problems errors = config ? Problems{} : config.error();
  const Problems warnings = config ? config->warnings : Problems{};
  if (options.json) {
    const boost::json::object report{{"file", options.file},
                                     {"right", config.has_value()},
                                     {"errors", document(errors)},
                                     {"warnings", document(warnings)}};
    if (auto printed = print(boost::json::serialize(report) + "\n"); !printed) return printed;
  } else {
    complain(errors, "");
    complain(warnings, " (warning)");
  }
  if (!config) return failed({options.file + ": " + std::to_string(errors.size()) + " problem(s)"});
  return options.json ? Outcome<>() : print(options.file + ": right\n");
}

}  // namespace

void add_check(CLI::App& app, Command& chosen) {
  CLI::App* command =
      app.add_subcommand("check", "Says whether a configuration file is right; needs no daemon");
  const auto options = std::make_shared<CheckOptions>();
  command
      ->add_option(
          "FILE", options->file,
          std::string("The configuration file: see guideway.yaml(5). Default: ") + kDefaultFile)
      ->type_name("PATH");
  command->add_flag("--json", options->json, "Print errors and warnings as one document, in JSON");
  command->footer(
      "Example:\n  guideway check /etc/guideway/guideway.yaml && guideway reload\n\nErrors and "
      "warnings are on "
      "standard error, each with its place.\n\nExit codes: 0 right, 1 wrong, 2 wrong use.");
  command->callback([&chosen, options] { chosen = [options] { return check(*options); }; });
}

}  // namespace guideway::cli
