// How packets get to user space: natively or not, copied or not, and what keeps an interface from
// the best that it could do.
#include <algorithm>

#include "doctor/judge_parts.h"
#include "xdp/driver_support.h"

namespace guideway::doctor {
namespace {

// SO_PREFER_BUSY_POLL.
constexpr std::uint32_t kBusyPollMajor = 5, kBusyPollMinor = 11;

using control::Mode;

xdp::KernelVersion kernel_of(const InterfaceCase& seen) {
  const KernelFacts& kernel = seen.all.facts.host.kernel;
  return {.major = kernel.major, .minor = kernel.minor};
}

// Whether a newer kernel would mend it: one that has come is not the reason.
bool to_come(const std::string& version, const InterfaceCase& seen) {
  return !version.empty() && !xdp::has_come(version, kernel_of(seen));
}

// "; its driver has it from Linux 6.14 on", of "6.14": the first version of the kernel's own
// driver.
std::string since(const std::string& version, const InterfaceCase& seen) {
  return to_come(version, seen) ? "; its driver has it from Linux " + version + " on" : "";
}

std::string driver_of(const InterfaceCase& seen) {
  return seen.facts.driver.known() ? seen.facts.driver->name : "of this interface";
}

DriverSupport support_of(const InterfaceCase& seen) {
  return seen.facts.driver_support.value_or(DriverSupport{});
}

// " has no zero-copy; its driver has it from ..", or what else is in the way of it.
std::string without_zero_copy(const InterfaceCase& seen, const XdpFeatures& xdp,
                              const std::string& demand) {
  if (!xdp.zero_copy)
    return " has no zero-copy" + demand + since(support_of(seen).zero_copy_since, seen);
  const std::string has = " has zero-copy" + demand + ", but ";
  if (const std::string missing = missing_of_virtio(seen.facts); !missing.empty())
    return has + "the virtual machine's host does not give the device " + missing;
  return has + "not for packets of its MTU in such frames, which it would split: they may have " +
         std::to_string(zero_copy_mtu_limit(seen.facts, seen.config)) + " bytes";
}

std::string without_native(const InterfaceCase& seen, const XdpFeatures& xdp,
                           const std::string& demand) {
  if (xdp.native)
    return " has XDP of its own, but none that gives packets to sockets (XDP_REDIRECT)" + demand +
           since(support_of(seen).redirect_since, seen);
  return " has no XDP of its own" + demand + since(support_of(seen).native_since, seen);
}

// Of a driver that has zero-copy, and an interface that does not get it.
Mend make_fit(const InterfaceCase& seen) {
  if (!missing_of_virtio(seen.facts).empty())
    return Mend::by_hand(
        "on the virtual machine's host: iommu_platform=on and queue_reset=on for the device "
        "(QEMU), iommu='on' in its driver element (libvirt)");
  if (seen.config.frame_bytes == control::FrameBytes::small)
    return Mend::by_hand("frame_size: auto for this interface in " + seen.all.file);
  return Mend::by_hand("an MTU of up to " +
                       std::to_string(zero_copy_mtu_limit(seen.facts, seen.config)));
}

Mend mode_auto(const InterfaceCase& seen) {
  return Mend::by_hand("mode: auto for this interface in " + seen.all.file);
}

// The file demands what the driver has not.
bool judge_demand(const InterfaceCase& seen, const XdpFeatures& xdp, Report& report) {
  const Mode mode = seen.config.mode;
  const std::string driver = "the driver " + driver_of(seen);
  if ((mode == Mode::copy || mode == Mode::zero_copy) && !has_native(xdp)) {
    report.say(Severity::error, "mode",
               driver + without_native(seen, xdp, ", which the file demands"), mode_auto(seen));
    return false;
  }
  if ((mode == Mode::copy || mode == Mode::zero_copy) && switches_queues_on(seen.facts))
    return false;  // said as spare_queues
  if (mode == Mode::zero_copy && !has_zero_copy(seen.facts, seen.config)) {
    report.say(Severity::error, "mode",
               driver + without_zero_copy(seen, xdp, ", which the file demands"), mode_auto(seen));
    return false;
  }
  return true;
}

void judge_expected(const InterfaceCase& seen, const XdpFeatures& xdp, Report& report) {
  const std::string driver = "the driver " + driver_of(seen);
  switch (expected_way(seen)) {
    case Way::generic:
      if (has_native(xdp) && seen.config.mode != Mode::generic) return;  // said as spare_queues
      if (has_native(xdp))
        report.say(Severity::warning, "mode",
                   "generic mode, as the file says, though " + driver +
                       " has XDP of its own: some times slower",
                   mode_auto(seen));
      else
        report.say(
            Severity::warning, "mode",
            "generic mode, which is some times slower: " + driver + without_native(seen, xdp, ""),
            Mend::by_hand(to_come(xdp.native ? support_of(seen).redirect_since
                                             : support_of(seen).native_since,
                                  seen)
                              ? "a kernel that has it"
                              : "a NIC whose driver has it"));
      return;
    case Way::copy:
      if (has_zero_copy(seen.facts, seen.config))
        report.say(Severity::note, "mode",
                   "each packet is copied, as the file says, though " + driver + " has zero-copy",
                   mode_auto(seen));
      else
        report.say(Severity::note, "mode",
                   "each packet is copied: " + driver + without_zero_copy(seen, xdp, ""),
                   xdp.zero_copy ? make_fit(seen) : Mend{});
      return;
    case Way::zero_copy: report.ok("mode", "zero-copy, natively, is to be expected"); return;
    case Way::unknown: return;
  }
}

void judge_obtained(const InterfaceCase& seen, Report& report) {
  if (seen.running == nullptr || seen.running->attachment == "lost") return;
  const Way expected = expected_way(seen);
  if (expected == Way::unknown) return;
  const Mend look = Mend::by_command("journalctl -u guideway -g 'trying the next mode'");
  if (seen.running->attachment == "generic" && expected != Way::generic) {
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

// While a program is attached natively virtio_net does not change its queues; and in generic mode
// the new ones would have no worker.
Mend use_all_queues(const InterfaceCase& seen) {
  const std::string all = std::to_string(seen.facts.channels->max_combined);
  const Mend mend = ethtool("-L " + seen.name + " combined " + all, "CombinedChannels=" + all);
  return seen.running != nullptr ? while_stopped(mend) : mend;
}

// For XDP virtio_net switches on one queue more for each CPU.
void judge_virtio_queues(const InterfaceCase& seen, Report& report) {
  const auto& channels = seen.facts.channels;
  if (seen.facts.queues_for_xdp == 0 || !channels.known() || seen.config.mode == Mode::generic ||
      !seen.facts.xdp.known() || !has_native(*seen.facts.xdp))
    return;
  if (!switches_queues_on(seen.facts)) {
    report.ok("spare_queues", "its driver has no queues to spare, which it would use for XDP");
    return;
  }
  report.say(
      seen.config.mode == Mode::automatic ? Severity::warning : Severity::error, "spare_queues",
      "it uses " + std::to_string(channels->combined) + " of " +
          std::to_string(channels->max_combined) +
          " queues, and for XDP its driver switches on one more for each CPU, which cannot "
          "be served: " +
          (seen.config.mode == Mode::automatic ? "generic mode" : "guidewayd does not start"),
      use_all_queues(seen));
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

void judge_way(const InterfaceCase& seen, Report& report) {
  judge_spare_queues(seen, report);
  judge_virtio_queues(seen, report);
  judge_busy_poll(seen, report);
  if (!seen.facts.xdp.known() && seen.facts.xdp.unknown().why == Why::not_supported)
    report.say(Severity::note, "mode",
               "what XDP the driver " + driver_of(seen) +
                   " has is not known here, and kernels before Linux 6.3 do not tell: guidewayd "
                   "tries, and logs what it gets");
  if (!report.seen(seen.facts.xdp, "mode", "what XDP the driver of " + seen.name + " has")) return;
  if (!judge_demand(seen, *seen.facts.xdp, report)) return;
  judge_expected(seen, *seen.facts.xdp, report);
  judge_obtained(seen, report);
  judge_ring(seen, report);
}

}  // namespace guideway::doctor
