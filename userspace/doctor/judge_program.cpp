// The XDP program that is on an interface, and who serves it.
#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

Mend take_off(const InterfaceCase& seen, const XdpProgram& program) {
  switch (program.mode) {
    case XdpProgram::Mode::generic:
      return Mend::by_command("ip link set dev " + seen.name + " xdpgeneric off");
    case XdpProgram::Mode::hardware:
      return Mend::by_command("ip link set dev " + seen.name + " xdpoffload off");
    case XdpProgram::Mode::native:
      return Mend::by_command("ip link set dev " + seen.name + " xdpdrv off");
    case XdpProgram::Mode::several: break;
  }
  return Mend::by_command("xdp-loader unload --all " + seen.name);
}

std::string described(const XdpProgram& program) {
  return program.name.value_or("an XDP program") + " (id " + std::to_string(program.id) + ")";
}

bool served(const InterfaceCase& seen) {
  return seen.facts.served_by.known() && seen.facts.served_by->has_value();
}

// Behind a dispatcher, with others: they stay.
bool has_neighbours(const XdpProgram& program) {
  return program.shares.is(true) && program.behind.known() && program.behind->size() > 1;
}

void judge_ours(const InterfaceCase& seen, const XdpProgram& program, Report& report) {
  if (!seen.facts.served_by.known() || served(seen) || seen.running != nullptr) {
    report.ok("program", "Guideway's program is on it, " + std::string(name(program.mode)));
    return;
  }
  const bool neighbours = has_neighbours(program);
  report.say(
      Severity::warning, "program",
      "a guidewayd that was killed has left " +
          (neighbours ? "its program (id " + std::to_string(program.ours_id) + ") behind " : "") +
          described(program) + " on it, which drops packets of VIPs; the next start takes it off",
      neighbours ? Mend::by_command("xdp-loader unload " + seen.name + " --id " +
                                    std::to_string(program.ours_id))
                 : take_off(seen, program));
}

// A dispatcher's programs are pinned in a BPF file system. That of a process in a network namespace
// of `ip netns` goes with the process, and the programs with it.
bool is_left_empty(const InterfaceCase& seen, const XdpProgram& program) {
  return program.shares.is(true) && program.behind.is({}) && seen.facts.served_by.known() &&
         !served(seen) && seen.running == nullptr;
}

void judge_foreign(const InterfaceCase& seen, const XdpProgram& program, Report& report) {
  if (is_left_empty(seen, program)) {
    report.say(Severity::warning, "program",
               "a process that was killed has left " + described(program) +
                   " on it, without a program behind it; the next start takes it off",
               take_off(seen, program));
    return;
  }
  if (program.shares.is(true))
    report.say(Severity::note, "program",
               "it is shared with " +
                   (program.behind.known() && !program.behind->empty() ? listed(*program.behind)
                                                                       : described(program)) +
                   " in " + std::string(name(program.mode)) +
                   " mode, which may take packets before Guideway; to join it, guidewayd needs "
                   "cap_sys_admin, which its unit does not have, and that mode");
  else
    report.say(Severity::error, "program",
               "another XDP program is on it, " + described(program) +
                   ", and does not share: guidewayd cannot attach its own",
               take_off(seen, program));
}

// Another daemon than the one that was asked.
void judge_server(const InterfaceCase& seen, Report& report) {
  if (!report.seen(seen.facts.served_by, "served_by", "who serves " + seen.name) || !served(seen))
    return;
  const Server& server = **seen.facts.served_by;
  const Running* running = seen.all.running;
  if (running != nullptr && running->pid == server.pid) {
    report.ok("served_by", "it is served by the daemon that answers");
    return;
  }
  const std::string who = (server.program.empty() ? "a process" : server.program) + " (pid " +
                          std::to_string(server.pid) + ")";
  // Who may not open its socket knows no more than that.
  if (running == nullptr && seen.all.facts.host.privilege.uid != 0) {
    report.say(Severity::note, "served_by",
               "it is served by " + who + ", which this user has not reached", as_root(seen.all));
    return;
  }
  report.say(running != nullptr ? Severity::error : Severity::warning, "served_by",
             "it is served by " + who + ", which is " +
                 (running != nullptr ? "not the daemon that answers: only one of them can have it"
                                     : "not reached: what it says is not looked at"),
             Mend::by_hand(running != nullptr
                               ? "end one of the two, or give each an interface of its own"
                               : "guideway doctor --socket PATH, with its admin.socket; if that is "
                                 "what was asked, it hangs: journalctl -u guideway -n 20, "
                                 "then systemctl restart guideway"));
}

}  // namespace

void judge_program(const InterfaceCase& seen, Report& report) {
  judge_server(seen, report);
  if (!report.seen(seen.facts.xdp_program, "program",
                   "whether " + seen.name + " has an XDP program"))
    return;
  if (!seen.facts.xdp_program->has_value()) {
    if (seen.running == nullptr) report.ok("program", "no XDP program is on it");
    return;
  }
  const XdpProgram& program = **seen.facts.xdp_program;
  if (!report.seen(program.ours, "program", "which XDP program is on " + seen.name)) return;
  if (*program.ours)
    judge_ours(seen, program, report);
  else
    judge_foreign(seen, program, report);
}

}  // namespace guideway::doctor
