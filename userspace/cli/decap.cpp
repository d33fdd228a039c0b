#include "cli/decap.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <string>

namespace guideway::cli {
namespace {

// Those that end the process in an orderly way. From here on they wait for sigwait().
sigset_t block_signals() {
  sigset_t ending;
  ::sigemptyset(&ending);
  ::sigaddset(&ending, SIGINT);
  ::sigaddset(&ending, SIGTERM);
  struct sigaction hang_up {};
  ::sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) ::sigaddset(&ending, SIGHUP);
  ::sigprocmask(SIG_BLOCK, &ending, nullptr);
  // Who reads the output may have gone; the program is to be taken off the interface all the same.
  std::signal(SIGPIPE, SIG_IGN);
  return ending;
}

void say_ready(const xdp::Decapsulation& decapsulation, const std::string& interface) {
  std::cout << "decapsulating GRE on " << interface << " (" << xdp::name(decapsulation.mode())
            << ", dispatcher " << (decapsulation.dispatcher() ? "yes" : "no") << "), for ";
  const char* separator = "";
  for (const Ipv4Address& local : decapsulation.locals()) {
    std::cout << separator << local.text();
    separator = ", ";
  }
  std::cout << std::endl;
}

}  // namespace

Result<> run_decapsulation(const xdp::DecapsulationOptions& options) {
  // Standard output is for what scripts read.
  spdlog::set_default_logger(spdlog::stderr_logger_st("guideway"));
  const sigset_t ending = block_signals();
  auto decapsulation = xdp::Decapsulation::attach(options);
  if (!decapsulation) return std::unexpected(decapsulation.error());
  say_ready(**decapsulation, options.interface);
  int signal = 0;
  while (::sigwait(&ending, &signal) == EINTR) {
  }
  const auto counters = (*decapsulation)->counters();
  decapsulation->reset();
  for (const auto& [name, value] : counters) std::cout << name << " " << value << "\n";
  std::cout.flush();
  return {};
}

}  // namespace guideway::cli
