// How packets get to user space: natively or not, copied or not, and what keeps an interface from
// the best that it could do.
#include <algorithm>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

// SO_PREFER_BUSY_POLL.
constexpr std::uint32_t kBusyPollMajor = 5, kBusyPollMinor = 11;

using control::Mode;

bool native(const XdpFeatures& xdp) { return xdp.native && xdp.redirect; }

// "; its driver has it from Linux 6.14 on", of "4.20": the first version of the kernel's own
// driver.
std::string since(const std::string& version) {
  return version.empty() ? "" : "; its driver has it from Linux " + version + " on";
}

std::string driver_of(const InterfaceCase& seen) {
  return seen.facts.driver.known() ? seen.facts.driver->name : "of this interface";
}

DriverSupport support_of(const InterfaceCase& seen) {
  return seen.facts.driver_support.value_or(DriverSupport{});
}

Mend mode_auto(const InterfaceCase& seen) {
  return Mend::by_hand("mode: auto for this interface in " + seen.all.file);
}

// The file demands what the driver has not.
bool judge_demand(const InterfaceCase& seen, const XdpFeatures& xdp, Report& report) {
  const Mode mode = seen.config.mode;
  const std::string driver = "the driver " + driver_of(seen);
  if ((mode == Mode::copy || mode == Mode::zero_copy) && !native(xdp)) {
    report.say(Severity::error, "mode",
               driver + " has no XDP of its own, which the file demands" +
                   since(support_of(seen).native_since),
               mode_auto(seen));
    return false;
  }
  if (mode == Mode::zero_copy && !xdp.zero_copy) {
    report.say(Severity::error, "mode",
               driver + " has no zero-copy, which the file demands" +
                   since(support_of(seen).zero_copy_since),
               mode_auto(seen));
    return false;
  }
  return true;
}

void judge_expected(const InterfaceCase& seen, const XdpFeatures& xdp, Report& report) {
  const std::string driver = "the driver " + driver_of(seen);
  const DriverSupport support = support_of(seen);
  switch (expected_way(seen)) {
    case Way::generic:
      if (native(xdp))
        report.say(Severity::warning, "mode",
                   "generic mode, as the file says, though " + driver +
                       " has XDP of its own: some times slower",
                   mode_auto(seen));
      else
        report.say(Severity::warning, "mode",
                   driver + " has no XDP of its own: generic mode, which is some times slower" +
                       since(support.native_since),
                   Mend::by_hand(support.native_since.empty() ? "a NIC whose driver has it"
                                                              : "a kernel that has it"));
      return;
    case Way::copy:
      if (xdp.zero_copy)
        report.say(Severity::note, "mode",
                   "each packet is copied, as the file says, though " + driver + " has zero-copy",
                   mode_auto(seen));
      else
        report.say(Severity::note, "mode",
                   "each packet is copied: " + driver + " has no zero-copy" +
                       since(support.zero_copy_since));
      return;
    case Way::zero_copy: report.ok("mode", "zero-copy, natively, is to be expected"); return;
    case Way::unknown: return;
  }
}

void judge_obtained(const InterfaceCase& seen, Report& report) {
  if (seen.running == nullptr || seen.running->attachment == "lost") return;
  const Way expected = expected_way(seen);
  if (expected == Way::unknown || expected == Way::generic) return;
  const Mend look = Mend::by_command("journalctl -u guideway -g 'trying the next mode'");
  if (seen.running->attachment == "generic") {
    report.say(Severity::warning, "obtained",
               "guidewayd got generic mode, where " + std::string(name(expected)) +
                   " was to be expected: its log says why",
               look);
    return;
  }
  std::vector<std::uint32_t> copied;
  for (const RunningQueue& queue : seen.running->queues)
    if (queue.mode == "copy") copied.push_back(queue.queue);
  if (expected == Way::zero_copy && !copied.empty())
    report.say(Severity::warning, "obtained",
               "guidewayd got copies on queue " + ranges(copied) +
                   ", where zero-copy was to be expected: its log says why",
               look);
  else
    report.ok("obtained", "guidewayd got the mode that was to be expected");
}

// The amazon driver keeps as many queues again for XDP.
void judge_spare_queues(const InterfaceCase& seen, Report& report) {
  const auto& channels = seen.facts.channels;
  if (driver_of(seen) != "ena" || !channels.known() || seen.config.mode == Mode::generic) return;
  if (channels->combined * 2 <= channels->max_combined) {
    report.ok("spare_queues", "half of its queues are free, which the driver ena needs for XDP");
    return;
  }
  const std::string half = std::to_string(std::max(channels->max_combined / 2, 1U));
  report.say(Severity::warning, "spare_queues",
             "the driver ena refuses XDP while more than half of its " +
                 std::to_string(channels->max_combined) + " queues are in use: generic mode",
             ethtool("-L " + seen.name + " combined " + half, "CombinedChannels=" + half));
}

// In zero-copy mode the NIC's own ring is filled with frames of the worker.
void judge_ring(const InterfaceCase& seen, Report& report) {
  if (expected_way(seen) != Way::zero_copy) return;
  if (!report.seen(seen.facts.rings, "nic_ring", "the rings of " + seen.name)) return;
  const std::uint32_t ring = seen.facts.rings->receive;
  if (ring + seen.config.ring <= seen.config.frames)
    report.ok("nic_ring", "there are frames enough for the ring of the NIC");
  else
    report.say(Severity::warning, "nic_ring",
               "the NIC's receive ring of " + std::to_string(ring) + " takes most of the " +
                   std::to_string(seen.config.frames) +
                   " frames of a queue: under load none is left for what is being sent",
               Mend::by_hand("interfaces[].frames: " +
                             std::to_string(std::min(65536U, seen.config.frames * 2)) + " in " +
                             seen.all.file + ", or ethtool -G " + seen.name + " rx " +
                             std::to_string(seen.config.frames / 4)));
}

void judge_busy_poll(const InterfaceCase& seen, Report& report) {
  if (!seen.config.busy_poll) return;
  if (!seen.all.facts.host.kernel.at_least(kBusyPollMajor, kBusyPollMinor)) {
    report.say(Severity::error, "busy_poll",
               "busy polling, as the file demands, is there from Linux 5.11 on",
               Mend::by_hand("busy_poll: false for this interface in " + seen.all.file));
    return;
  }
  const auto& irqs = seen.facts.napi_defer_hard_irqs;
  const auto& timeout = seen.facts.gro_flush_timeout_ns;
  if (!report.seen(irqs, "busy_poll", "napi_defer_hard_irqs of " + seen.name) ||
      !report.seen(timeout, "busy_poll", "gro_flush_timeout of " + seen.name))
    return;
  if (*irqs != 0 && *timeout != 0)
    report.ok("busy_poll", "the kernel's own polling is put off");
  else
    report.say(Severity::warning, "busy_poll",
               "busy polling has its full effect only where the kernel's own is put off",
               Mend::by_command("echo 2 > /sys/class/net/" + seen.name +
                                    "/napi_defer_hard_irqs && echo 200000 > /sys/class/net/" +
                                    seen.name + "/gro_flush_timeout",
                                "the same command at each boot"));
}

}  // namespace

std::string_view name(Way way) {
  switch (way) {
    case Way::generic: return "generic mode";
    case Way::copy: return "native mode with copies";
    case Way::zero_copy: return "native mode with zero-copy";
    case Way::unknown: break;
  }
  return "unknown";
}

Way expected_way(const InterfaceCase& seen) {
  if (seen.config.mode == Mode::generic) return Way::generic;
  if (!seen.facts.xdp.known()) return Way::unknown;
  if (!native(*seen.facts.xdp)) return Way::generic;
  return seen.facts.xdp->zero_copy && seen.config.mode != Mode::copy ? Way::zero_copy : Way::copy;
}

void judge_way(const InterfaceCase& seen, Report& report) {
  judge_spare_queues(seen, report);
  judge_busy_poll(seen, report);
  if (!report.seen(seen.facts.xdp, "mode", "what XDP the driver of " + seen.name + " has")) return;
  if (!judge_demand(seen, *seen.facts.xdp, report)) return;
  judge_expected(seen, *seen.facts.xdp, report);
  judge_obtained(seen, report);
  judge_ring(seen, report);
}

}  // namespace guideway::doctor
