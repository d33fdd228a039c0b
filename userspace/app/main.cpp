// guidewayd: options, logging, exit codes.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "app/daemon.h"
#include "app/log_level.h"
#include "app/privileges.h"
#include "app/service_manager.h"
#include "app/withdrawal.h"
#include "control/config.h"
#include "control/own_addresses.h"
#include "control/words.h"

namespace guideway::app {
namespace {

// 0: stopped by a signal, or the file is right. 1: could not start, or the file is wrong. 2: wrong
// use.
constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

void log_to_stderr() {
  auto logger = spdlog::stderr_logger_mt("guidewayd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void print(const std::vector<control::Problem>& problems, const char* kind) {
  for (const auto& problem : problems) std::fprintf(stderr, "%s%s\n", problem.text().c_str(), kind);
}

// As the log says it, and so does `systemctl status`.
int cannot_start(ServiceManager& manager, const Error& error) {
  spdlog::error("cannot start: {}", error.text());
  manager.failed(std::move(Error(error)).within("cannot start"));
  return kFailed;
}

// The errno value behind a code; 0: it stands for none.
template <class Code, class Category>
int number_of(const Code& code, const Category& generic) {
  const auto condition = code.default_error_condition();
  return condition.category() == generic ? condition.value() : 0;
}

// An exception that nobody has caught, such as for want of memory or of threads.
Error unexpected(const std::exception& failure) {
  Error error{.what = std::string("unexpected: ") + failure.what()};
  if (dynamic_cast<const std::bad_alloc*>(&failure) != nullptr) error.number = ENOMEM;
  if (const auto* of_std = dynamic_cast<const std::system_error*>(&failure))
    error.number = number_of(of_std->code(), std::generic_category());
  if (const auto* of_boost = dynamic_cast<const boost::system::system_error*>(&failure))
    error.number = number_of(of_boost->code(), boost::system::generic_category());
  return error;
}

// What a predecessor announced must not attract packets that nobody forwards.
int cannot_start(ServiceManager& manager, const Error& error, const Withdrawal& withdrawal) {
  const int code = cannot_start(manager, error);
  if (const auto told = withdrawal.withdraw(); !told)
    spdlog::error("{}", told.error().text());
  else if (!told->empty())
    spdlog::info("{}", *told);
  return code;
}

enum class Task { serve, check, withdraw };

// Where the file does not say what was announced. Often there is nothing.
void withdraw_without_file(Task task) {
  if (task == Task::withdraw)
    std::fprintf(stderr,
                 "guidewayd: routes are looked for at %s only, as the file does not say where\n",
                 std::string(control::kUsualBgpApi).c_str());
  if (const auto told = Withdrawal().withdraw(); told && !told->empty())
    std::fprintf(stderr, "guidewayd: %s\n", told->c_str());
}

int withdraw(const control::Model& model) {
  log_to_stderr();
  const auto told = Withdrawal(model).withdraw();
  if (!told) {
    std::fprintf(stderr, "guidewayd: %s\n", told.error().text().c_str());
    return kFailed;
  }
  std::printf("%s\n",
              told->empty() ? "nothing is announced: the file has no bgp section" : told->c_str());
  return 0;
}

int serve(const std::string& file, Task task, ServiceManager& manager) {
  const bool check_only = task != Task::serve;
  const auto own = control::own_addresses();
  if (!own) {
    std::fprintf(stderr, "guidewayd: %s\n", own.error().text().c_str());
    if (!check_only) manager.failed(Error(own.error()).within("cannot start"));
    return kFailed;
  }
  auto config = control::load_config(file, *own);
  if (!config) {
    print(config.error(), "");
    std::fprintf(stderr, "guidewayd: %s: %zu problem(s); nothing was started\n", file.c_str(),
                 config.error().size());
    if (task == Task::serve)
      manager.failed({.what = "cannot start: " + config.error().front().text()});
    if (task != Task::check) withdraw_without_file(task);
    return kFailed;
  }
  if (task == Task::withdraw) return withdraw(config->model);
  if (check_only) {
    print(config->warnings, " (warning)");
    std::printf("%s: right\n", file.c_str());
    return 0;
  }
  log_to_stderr();
  apply(config->model.log.level);
  for (const auto& warning : config->warnings) spdlog::warn("{}", warning.text());
  const Withdrawal withdrawal(config->model);
  if (auto settled = settle_privileges(); !settled)
    return cannot_start(manager, settled.error(), withdrawal);
  auto daemon = Daemon::start(std::move(config->model), file, manager);
  if (!daemon) return cannot_start(manager, daemon.error(), withdrawal);
  (*daemon)->run();
  daemon->reset();
  spdlog::info("stopped");
  return 0;
}

int run(const std::string& file, Task task) {
  // Who starts the daemon may have it ignored: the ends of exec checks would be lost.
  std::signal(SIGCHLD, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more is no reason to stop
  ServiceManager manager;
  try {
    return serve(file, task, manager);
  } catch (const std::exception& failure) {
    const Error error = unexpected(failure);
    std::fprintf(stderr, "guidewayd: %s\n", error.text().c_str());
    if (task == Task::serve) manager.failed(error);
    return kFailed;
  }
}

constexpr const char* kFooter =
    "Example:\n  guidewayd --check /etc/guideway/guideway.yaml\n  guidewayd "
    "/etc/guideway/guideway.yaml\n\nRuns in the foreground, until SIGTERM or SIGINT; SIGHUP has it "
    "read the file again.\nThe client is guideway: see guideway --help.\n\nExit codes: 0 stopped "
    "by a signal, or what was asked for is so; 1 the file is wrong, or the\ndaemon could not start "
    "or withdraw; 2 wrong use.";

// What the command line has that is not understood, and what was probably meant.
std::string wrong_use(const CLI::App& options, const CLI::ParseError& error) {
  std::vector<std::string_view> names;
  for (const CLI::Option* option : options.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  for (const std::string& word : options.remaining()) {
    if (!word.starts_with('-'))
      return control::quoted(word) + " is one word too many: there is one FILE";
    const std::string name = word.substr(word.find_first_not_of('-') % word.size());
    const auto near = control::nearest(name, names);
    return "unknown option " + control::printable(word) +
           (near ? ": did you mean --" + std::string(*near) + "?" : "");
  }
  return control::printable(error.what());
}

int start(int argc, char** argv) {
  CLI::App options("guidewayd: an AF_XDP layer-4 load balancer", "guidewayd");
  options.footer(kFooter);
  options.set_help_flag("-h,--help", "Print this help and exit");
  options.set_version_flag("--version", std::string("guidewayd ") + GUIDEWAY_VERSION,
                           "Print the version and exit");
  std::string file;
  bool check_only = false, withdraw_only = false;
  options.add_option("FILE,-c,--config", file, "The configuration file: see guideway.yaml(5)")
      ->type_name("PATH");
  options.add_flag("--check", check_only,
                   "Only say whether the file is right; needs no privilege, starts nothing");
  options.add_flag("--withdraw", withdraw_only,
                   "Only take the routes of a guidewayd that is gone from the BGP speaker of the "
                   "file");
  try {
    options.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return options.exit(error);
    std::fprintf(stderr, "guidewayd: %s (see guidewayd --help)\n",
                 wrong_use(options, error).c_str());
    return kWrongUse;
  }
  if (file.empty()) {
    std::fprintf(stderr,
                 "guidewayd: no configuration file was named: guidewayd FILE (see --help)\n");
    return kWrongUse;
  }
  if (check_only && withdraw_only) {
    std::fprintf(stderr, "guidewayd: --check or --withdraw, not both (see --help)\n");
    return kWrongUse;
  }
  return run(file, check_only ? Task::check : withdraw_only ? Task::withdraw : Task::serve);
}

}  // namespace
}  // namespace guideway::app

int main(int argc, char** argv) {
  try {
    return guideway::app::start(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "guidewayd: %s\n", error.what());
    return guideway::app::kFailed;
  }
}
