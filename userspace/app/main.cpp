// guidewayd: options, logging, exit codes.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "app/daemon.h"
#include "app/log_level.h"
#include "control/config.h"
#include "control/own_addresses.h"

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

int run(const std::string& file, bool check_only) {
  // Who starts the daemon may have it ignored: the ends of exec checks would be lost.
  std::signal(SIGCHLD, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more is no reason to stop
  const auto own = control::own_addresses();
  if (!own) {
    std::fprintf(stderr, "guidewayd: %s\n", own.error().text().c_str());
    return kFailed;
  }
  auto config = control::load_config(file, *own);
  if (!config) {
    print(config.error(), "");
    std::fprintf(stderr, "guidewayd: %s: %zu problem(s); nothing was started\n", file.c_str(),
                 config.error().size());
    return kFailed;
  }
  if (check_only) {
    print(config->warnings, " (warning)");
    std::printf("%s: right\n", file.c_str());
    return 0;
  }
  log_to_stderr();
  apply(config->model.log.level);
  for (const auto& warning : config->warnings) spdlog::warn("{}", warning.text());
  auto daemon = Daemon::start(std::move(config->model), file);
  if (!daemon) {
    spdlog::error("cannot start: {}", daemon.error().text());
    return kFailed;
  }
  (*daemon)->run();
  daemon->reset();
  spdlog::info("stopped");
  return 0;
}

int start(int argc, char** argv) {
  CLI::App options("guidewayd: an AF_XDP layer-4 load balancer");
  options.footer(
      "Example: guidewayd --check /etc/guideway/guideway.yaml && guidewayd "
      "/etc/guideway/guideway.yaml");
  options.set_version_flag("--version", std::string("guidewayd ") + GUIDEWAY_VERSION);
  std::string file;
  bool check_only = false;
  options.add_option("FILE,-c,--config", file, "The configuration (docs/configuration.md)");
  options.add_flag("--check", check_only, "Only say whether the file is right");
  try {
    options.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return options.exit(error) == 0 ? 0 : kWrongUse;
  }
  if (file.empty()) {
    std::fprintf(stderr,
                 "guidewayd: no configuration file was named: guidewayd FILE (see --help)\n");
    return kWrongUse;
  }
  return run(file, check_only);
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
