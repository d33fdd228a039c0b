// Where workers run, and where the interrupts of their queues do.
//
// A packet passes from the CPU that handles the interrupt of its queue, and runs the XDP program
// there, to that of the worker. The same CPU, or a thread of the same core, finds it in its own
// cache; another core has to fetch it; another NUMA node has to fetch it from afar.
#include <algorithm>
#include <map>
#include <set>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

const CpuFacts::Cpu* find(const CpuFacts& cpus, std::uint32_t number) {
  const auto found = std::ranges::find(cpus.cpus, number, &CpuFacts::Cpu::number);
  return found == cpus.cpus.end() ? nullptr : &*found;
}

std::optional<std::uint32_t> node_of(const CpuFacts& cpus, std::uint32_t number) {
  const CpuFacts::Cpu* cpu = find(cpus, number);
  return cpu == nullptr ? std::nullopt : cpu->numa_node;
}

bool same_core(const CpuFacts& cpus, std::uint32_t one, std::uint32_t other) {
  if (one == other) return true;
  const CpuFacts::Cpu* cpu = find(cpus, one);
  return cpu != nullptr && std::ranges::find(cpu->siblings, other) != cpu->siblings.end();
}

// The CPUs of the file that are not in `usable`.
std::vector<std::uint32_t> not_in(const std::vector<std::uint32_t>& usable,
                                  const InterfaceCase& seen) {
  std::set<std::uint32_t> out;
  for (const std::uint32_t cpu : seen.config.cpus)
    if (!std::ranges::binary_search(usable, cpu)) out.insert(cpu);
  return {out.begin(), out.end()};
}

Mend other_cpus(const InterfaceCase& seen, const std::vector<std::uint32_t>& good) {
  return Mend::by_hand("interfaces[].cpus: of " + ranges(good) + " in " + seen.all.file);
}

void judge_pinned(const InterfaceCase& seen, Report& report) {
  if (seen.config.cpus.empty()) return;
  const CpuFacts& cpus = seen.all.facts.host.cpu;
  if (!report.seen(cpus.online, "cpus", "which CPUs are online")) return;
  const auto offline = not_in(*cpus.online, seen);
  const auto forbidden =
      cpus.allowed.known() ? not_in(*cpus.allowed, seen) : std::vector<std::uint32_t>{};
  if (!offline.empty())
    report.say(Severity::error, "cpus",
               "no worker can run on CPU " + ranges(offline) + " of the file: online are " +
                   ranges(*cpus.online),
               other_cpus(seen, *cpus.online));
  else if (!forbidden.empty() && seen.running == nullptr)
    report.say(Severity::error, "cpus",
               "CPU " + ranges(forbidden) +
                   " of the file is not for this process and what it "
                   "starts: it may use " +
                   ranges(*cpus.allowed),
               other_cpus(seen, *cpus.allowed));
  else
    report.ok("cpus", "the CPUs of the file are there");
}

void judge_numa(const InterfaceCase& seen, Report& report) {
  if (!report.seen(seen.facts.numa_node, "numa", "the NUMA node of " + seen.name)) return;
  if (!seen.facts.numa_node->has_value()) return;
  const CpuFacts& cpus = seen.all.facts.host.cpu;
  const std::uint32_t own = **seen.facts.numa_node;
  std::set<std::uint32_t> far, near;
  for (const CpuFacts::Cpu& cpu : cpus.cpus)
    if (cpu.numa_node == own) near.insert(cpu.number);
  for (const Place& place : seen.places)
    if (const auto node = node_of(cpus, place.cpu); node.has_value() && *node != own)
      far.insert(place.cpu);
  if (far.empty() || near.empty()) {
    report.ok("numa", "workers are on the NUMA node of the NIC");
    return;
  }
  report.say(Severity::warning, "numa",
             "the NIC is of NUMA node " + std::to_string(own) + ", and workers on CPU " +
                 ranges({far.begin(), far.end()}) + " of another: each packet crosses between them",
             other_cpus(seen, {near.begin(), near.end()}));
}

// The one CPU that handles it; none: several may, or it is not known.
std::optional<std::uint32_t> handled_on(const Interrupt& interrupt) {
  for (const auto* cpus : {&interrupt.effective_cpus, &interrupt.allowed_cpus})
    if (cpus->known() && (*cpus)->size() == 1) return (*cpus)->front();
  return std::nullopt;
}

struct Apart {
  std::uint32_t interrupt, queue, from, to;
};

// Of served queues, whose interrupt is handled on another core than the worker's.
std::vector<Apart> apart(const InterfaceCase& seen) {
  std::map<std::uint32_t, std::uint32_t> cpu_of;
  for (const Place& place : seen.places) cpu_of[place.queue] = place.cpu;
  std::vector<Apart> out;
  for (const Interrupt& interrupt : *seen.facts.interrupts) {
    if (interrupt.serves != Interrupt::Serves::receive &&
        interrupt.serves != Interrupt::Serves::both)
      continue;
    const auto from = handled_on(interrupt);
    if (!from || !interrupt.queue || !cpu_of.contains(*interrupt.queue)) continue;
    const std::uint32_t to = cpu_of[*interrupt.queue];
    if (!same_core(seen.all.facts.host.cpu, *from, to))
      out.push_back({interrupt.number, *interrupt.queue, *from, to});
  }
  return out;
}

Mend move_interrupts(const std::vector<Apart>& interrupts) {
  std::string command;
  for (const Apart& one : interrupts)
    command += (command.empty() ? "" : " && ") + ("echo " + std::to_string(one.to)) +
               " > /proc/irq/" + std::to_string(one.interrupt) + "/smp_affinity_list";
  return Mend::by_command(command, "the same command at each boot, and no irqbalance for them");
}

void judge_interrupts(const InterfaceCase& seen, Report& report) {
  if (!report.seen(seen.facts.interrupts, "interrupts", "the interrupts of " + seen.name)) return;
  if (seen.facts.interrupts->empty() || seen.places.empty()) return;
  const std::vector<Apart> interrupts = apart(seen);
  if (interrupts.empty()) {
    report.ok("interrupts", "interrupts of its queues are handled where their workers are");
    return;
  }
  std::vector<std::string> texts;
  for (const Apart& one : interrupts)
    texts.push_back("queue " + std::to_string(one.queue) + " on CPU " + std::to_string(one.from) +
                    ", its worker on " + std::to_string(one.to));
  report.say(Severity::note, "interrupts",
             "interrupts are handled on another core than the worker's, so that each packet is "
             "fetched from that core's cache: " +
                 listed(texts, 4),
             move_interrupts(interrupts));
}

void judge_irqbalance(const InterfaceCase& seen, Report& report) {
  if (!seen.facts.interrupts.known() || seen.facts.interrupts->empty()) return;
  const auto& runs = seen.all.facts.host.irqbalance;
  if (!report.seen(runs, "irqbalance", "whether irqbalance runs")) return;
  if (!*runs)
    report.ok("irqbalance", "irqbalance does not run, which would move interrupts");
  else
    report.say(seen.config.cpus.empty() ? Severity::note : Severity::warning, "irqbalance",
               "irqbalance moves the interrupts of its queues away from their workers now and then",
               Mend::by_command("systemctl disable --now irqbalance"));
}

}  // namespace

void judge_cpus(const InterfaceCase& seen, Report& report) {
  judge_pinned(seen, report);
  judge_numa(seen, report);
  judge_interrupts(seen, report);
  judge_irqbalance(seen, report);
}

}  // namespace guideway::doctor
