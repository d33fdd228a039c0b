// What a running daemon says of itself: that it runs as the file says, and goes on.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

// As the document has it: 12 hexadecimal digits.
std::string digest_text(std::uint64_t digest) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%012llx", static_cast<unsigned long long>(digest));
  return text.data();
}

void judge_version(const Case& seen, Report& report) {
  if (seen.running->version == seen.version)
    report.ok("version", "it is " + seen.version + ", as this program is");
  else
    report.say(Severity::note, "version",
               "it is " + seen.running->version + ", and this program " + seen.version +
                   ": a restart takes the installed one; nothing is forwarded meanwhile",
               Mend::by_command("systemctl restart guideway"));
}

void judge_ready(const Case& seen, Report& report) {
  if (seen.running->ready)
    report.ok("ready", "it is ready");
  else
    report.say(Severity::error, "ready",
               "it is not ready: it starts, stops, a worker hangs, or an interface has lost its "
               "program",
               Mend::by_command("journalctl -u guideway -n 20"));
}

void judge_reload(const Case& seen, Report& report) {
  if (seen.running->last_reload_succeeded)
    report.ok("reload", "no reload has failed last");
  else
    report.say(Severity::warning, "reload",
               "the last reload was refused: what was in force before it still is",
               Mend::by_command("guideway check " + shell_word(seen.running->config_file) + " && " +
                                guideway(seen, "reload")));
}

// The file that it was started with, as it is now, against what it took of it.
void judge_in_force(const Case& seen, Report& report) {
  const Running& running = *seen.running;
  if (seen.file != running.config_file) {
    report.say(Severity::note, "in_force",
               "it was started with another file, " + running.config_file,
               Mend::by_command(guideway(seen, "doctor")));
    return;
  }
  if (seen.model == nullptr) return;
  std::vector<std::string> wanted, have;
  for (const control::Interface& one : seen.model->interfaces) wanted.push_back(one.name);
  for (const RunningInterface& one : running.interfaces) have.push_back(one.name);
  std::ranges::sort(wanted);
  std::ranges::sort(have);
  const bool same = digest_text(seen.model->fleet_digest()) == running.config_digest;
  if (same && wanted == have)
    report.ok("in_force", "pools, services and interfaces of the file are in force");
  else
    report.say(Severity::warning, "in_force",
               std::string("the file was changed and is not in force: ") +
                   (same ? "interfaces" : "pools or services") + " differ",
               Mend::by_command(guideway(seen, "reload")));
}

void judge_workers(const Case& seen, Report& report) {
  bool all_well = true;
  for (const RunningInterface& interface : seen.running->interfaces) {
    if (interface.attachment == "lost") {
      all_well = false;
      report.say(Severity::error, "attachment",
                 interface.name + " has lost its XDP program: nothing is taken from it",
                 Mend::by_command(guideway(seen, "reload")));
    }
    std::vector<std::uint32_t> behind;
    for (const RunningQueue& queue : interface.queues)
      if (queue.generation < seen.running->generation || queue.stalled_seconds != 0)
        behind.push_back(queue.queue);
    if (behind.empty()) continue;
    all_well = false;
    report.say(Severity::error, "progress",
               "the worker of " + interface.name + " queue " + ranges(behind) +
                   " makes no progress: it works by an earlier generation, or hangs",
               Mend::by_command("systemctl restart guideway"));
  }
  if (all_well) report.ok("progress", "every worker makes progress");
}

// One that was not started is no fault; one that has died, or does not answer, is.
Severity severity_of(const Error& unreached) {
  if (unreached.number == ETIMEDOUT) return Severity::error;
  return unreached.number == ECONNREFUSED ? Severity::warning : Severity::note;
}

}  // namespace

void judge_daemon(const Case& seen, Desk& desk) {
  Report report = desk.report("guidewayd");
  if (seen.running == nullptr) {
    report.say(severity_of(seen.unreached), "running", seen.unreached.what,
               Mend::by_hand(seen.unreached.hint));
    return;
  }
  report.ok("running", "it runs (pid " + std::to_string(seen.running->pid) + ")");
  judge_version(seen, report);
  judge_ready(seen, report);
  judge_reload(seen, report);
  judge_in_force(seen, report);
  judge_workers(seen, report);
}

}  // namespace guideway::doctor
