// Memory: what the workers need, what there is, and how much of it may be locked.
#include <linux/capability.h>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

// From here on BPF maps are charged to the control group, not to RLIMIT_MEMLOCK.
constexpr std::uint32_t kCgroupChargedMajor = 5, kCgroupChargedMinor = 11;

std::string needed_text(const MemoryFacts& memory) {
  return size_text(memory.umem_bytes) + " for packets and " + size_text(memory.flow_tables_bytes) +
         " for flow tables";
}

Mend smaller() {
  return Mend::by_hand(
      "flow_table.entries or interfaces[].frames lower, fewer queues, or more memory");
}

// A daemon that runs has got what it needs already.
void judge_locked(const Case& seen, Report& report) {
  const HostFacts& host = seen.facts.host;
  const MemoryFacts& memory = host.memory;
  if (seen.running != nullptr || seen.model == nullptr) return;
  if (host.privilege.has(CAP_IPC_LOCK) || host.privilege.has(CAP_SYS_RESOURCE)) {
    report.ok("memlock", "guidewayd may lock as much memory as it needs");
    return;
  }
  // Another user's limit says nothing about the daemon's.
  if (host.privilege.uid != 0) return;
  if (!report.seen(memory.locked_hard_bytes, "memlock", "the limit of locked memory")) return;
  const auto& limit = *memory.locked_hard_bytes;
  if (!limit.has_value() || *limit >= memory.umem_bytes) {
    report.ok("memlock", "the limit of locked memory is high enough");
    return;
  }
  const bool maps = !host.kernel.at_least(kCgroupChargedMajor, kCgroupChargedMinor);
  report.say(Severity::error, "memlock",
             size_text(*limit) + " may be locked, and the memory for packets is " +
                 size_text(memory.umem_bytes) + (maps ? ", besides BPF maps" : "") +
                 ": the sockets will be refused",
             Mend::by_hand("LimitMEMLOCK=infinity in the unit of guidewayd; by hand, ulimit -l "
                           "unlimited before it"));
}

void judge_amount(const Case& seen, Report& report) {
  const MemoryFacts& memory = seen.facts.host.memory;
  if (seen.running != nullptr || seen.model == nullptr) return;
  const std::uint64_t needed = memory.umem_bytes + memory.flow_tables_bytes;
  if (report.seen(memory.available_bytes, "memory", "free memory")) {
    if (*memory.available_bytes < needed)
      report.say(Severity::error, "memory",
                 "guidewayd needs " + needed_text(memory) + ", and " +
                     size_text(*memory.available_bytes) + " are available",
                 smaller());
    else
      report.ok("memory", "there is memory enough: " + needed_text(memory));
  }
  if (!report.seen(memory.cgroup_limit_bytes, "cgroup", "the memory limit of the control group"))
    return;
  const auto& limit = *memory.cgroup_limit_bytes;
  if (limit.has_value() && *limit < needed)
    report.say(Severity::note, "cgroup",
               "the control group " + memory.cgroup + " may use " + size_text(*limit) +
                   ", and guidewayd needs " + needed_text(memory) +
                   ": it would be killed if started here",
               Mend::by_hand("MemoryMax= of the unit higher, or another control group"));
  else
    report.ok("cgroup", "no control group limits the memory to less than is needed");
}

void judge_huge_pages(const MemoryFacts& memory, Report& report) {
  if (!report.seen(memory.transparent_hugepages, "huge_pages", "transparent huge pages")) return;
  if (*memory.transparent_hugepages != "never")
    report.ok("huge_pages", "flow tables and packets can be in huge pages");
  else
    report.say(Severity::warning, "huge_pages",
               "transparent huge pages are off: flow tables and packets are in small pages, and "
               "looking up flows costs more",
               Mend::by_command("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
                                "transparent_hugepage=madvise on the kernel's command line"));
}

}  // namespace

void judge_memory(const Case& seen, Desk& desk) {
  Report report = desk.report("host");
  judge_locked(seen, report);
  judge_amount(seen, report);
  judge_huge_pages(seen.facts.host.memory, report);
}

}  // namespace guideway::doctor
