#include "app/service_manager.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace guideway::app {
namespace {

// An assignment ends with its line.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string status_assignment(const std::string& status) {
  return "STATUS=" + one_line(status) + "\n";
}

std::string extend_assignment(std::chrono::microseconds time) {
  return "EXTEND_TIMEOUT_USEC=" + std::to_string(time.count()) + "\n";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string doing(Situation::Phase phase) {
  switch (phase) {
    case Situation::Phase::starting: return "starting";
    case Situation::Phase::forwarding: return "forwarding";
    case Situation::Phase::draining: return "stopping, still forwarding";
  }
  return {};
}

}  // namespace

std::string status_line(const Situation& situation) {
  std::vector<std::string> interfaces, lost;
  for (const auto& [name, attachment, mode] : situation.interfaces)
    if (attachment == "lost")
      lost.push_back(name);
    else
      interfaces.push_back(name + " (" + attachment + ", " + mode + ")");
  std::string line;
  if (!lost.empty()) line += "out of service: " + joined(lost) + " (guideway reload); ";
  if (!situation.stalled.empty()) line += "hanging: " + joined(situation.stalled) + "; ";
  if (situation.reload_failed) line += "the last reload failed; ";
  line += doing(situation.phase);
  if (!interfaces.empty()) line += " on " + joined(interfaces);
  if (interfaces.empty() && !lost.empty()) line += " on no interface";
  return line + ", " + std::to_string(situation.backends_up) + " of " +
         std::to_string(situation.backends) + " backends up, generation " +
         std::to_string(situation.generation);
}

ServiceManager::ServiceManager() {
  std::uint64_t interval_us = 0;
  if (socket_.listens() && ::sd_watchdog_enabled(0, &interval_us) > 0)
    watchdog_ = std::chrono::microseconds(interval_us);
}

void ServiceManager::extend_timeout(std::chrono::microseconds time) {
  socket_.say(extend_assignment(time));
}

void ServiceManager::ready(const std::string& status) {
  last_status_ = status;
  socket_.say("READY=1\n" + status_assignment(status));
}

void ServiceManager::failed(const Error& error) {
  socket_.say(status_assignment(error.text()) +
              "ERRNO=" + std::to_string(error.number == 0 ? EINVAL : error.number) + "\n");
}

void ServiceManager::reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto time = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  socket_.say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us) + "\n");
}

void ServiceManager::stopping(const std::string& status, std::chrono::microseconds time) {
  last_status_ = status;
  socket_.say("STOPPING=1\n" + status_assignment(status) + extend_assignment(time));
}

void ServiceManager::status(const std::string& status) {
  if (status == last_status_) return socket_.catch_up();
  last_status_ = status;
  socket_.say_passing(status_assignment(status));
}

void ServiceManager::alive() { socket_.say_now("WATCHDOG=1\n"); }

}  // namespace guideway::app
