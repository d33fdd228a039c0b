// What a running daemon has counted of packets that were lost. Counters are since its start, so a
// loss is worth a warning where it is a part of the traffic, and a note where it is a trace.
#include <algorithm>
#include <array>
#include <cstdio>

#include "doctor/judge_parts.h"
#include "net/encapsulation.h"

namespace guideway::doctor {
namespace {

// Above one in so many it is more than what a moment of overload leaves.
constexpr std::uint64_t kTracePackets = 10'000;

Severity weight(std::uint64_t lost, std::uint64_t of) {
  return lost * kTracePackets > of ? Severity::warning : Severity::note;
}

std::string share(std::uint64_t part, std::uint64_t of) {
  std::array<char, 48> text{};
  const double percent =
      of == 0 ? 100.0 : 100 * static_cast<double>(part) / static_cast<double>(of);
  std::snprintf(text.data(), text.size(), " (%.2g %% of those taken)", std::min(percent, 100.0));
  return text.data();
}

void judge_interface(const RunningInterface& interface, const Case& seen, Report& report) {
  const std::uint64_t redirected = count(interface.steering, "redirected");
  const std::uint64_t unserved = count(interface.steering, "no_socket");
  if (unserved != 0)
    report.say(Severity::warning, "no_socket",
               interface.name + ": " + counted(unserved, "packet") +
                   " of services came to a queue that no worker serves, and were dropped",
               Mend::by_hand("interfaces[].queues: all in " + seen.file +
                             ", or see what is said of the interface"));
  std::uint64_t lost = 0;
  std::vector<std::uint32_t> queues;
  for (const RunningQueue& queue : interface.queues) {
    const std::uint64_t own =
        count(queue.socket, "rx_dropped") + count(queue.socket, "rx_ring_full");
    if (own != 0) queues.push_back(queue.queue);
    lost += own;
  }
  if (lost != 0)
    report.say(
        weight(lost, redirected), "rx_dropped",
        interface.name + " queue " + ranges(queues) + ": " + counted(lost, "packet") +
            share(lost, redirected) +
            " found no room at its worker: too slow, too few frames, or packets larger than "
            "a frame",
        Mend::by_hand("more queues, or interfaces[].frames and ring higher in " + seen.file));
  if (unserved == 0 && lost == 0)
    report.ok("rx_dropped", interface.name + ": every packet of a service came to its worker");
}

void judge_drops(const Case& seen, Report& report) {
  struct Kind {
    const char *reason, *text;
    Mend mend;
  };
  const Running& running = *seen.running;
  const std::uint64_t received = count(running.counters, "received");
  bool none = true;
  for (const Kind& kind :
       {Kind{"no_backend", "of a pool that had no backend for new flows",
             Mend::by_command(guideway(seen, "backends"))},
        Kind{"no_next_hop", "to a backend whose next hop was not known, or is on another interface",
             Mend::by_command(guideway(seen, "backends"))},
        Kind{"too_big", "too large for the way to the backend with the outer headers",
             Mend::by_hand("an MTU of " + std::to_string(1500 + kOuterIpBytes) +
                           " towards the backends, or a lower MSS of the services")},
        Kind{"tx_ring_full", "that the kernel had no room for to send",
             Mend::by_hand("more queues, or interfaces[].ring higher in " + seen.file)}}) {
    const std::uint64_t lost = count(running.drops, kind.reason);
    if (lost == 0) continue;
    none = false;
    report.say(weight(lost, received), kind.reason,
               counted(lost, "packet") + share(lost, received) + " " + kind.text + " (" +
                   kind.reason + ")",
               kind.mend);
  }
  if (none) report.ok("drops", "workers have dropped nothing that a client needs");
}

void judge_flow_table(const Case& seen, Report& report) {
  const std::uint64_t refused = count(seen.running->counters, "flow_table_full");
  if (refused == 0)
    report.ok("flow_table", "no flow table has been full");
  else
    report.say(weight(refused, count(seen.running->counters, "received")), "flow_table",
               counted(refused, "packet") +
                   " of flows found the flow table full: such flows move when a pool changes",
               Mend::by_hand("flow_table.entries higher in " + seen.file +
                             ", at the next start of guidewayd"));
}

void judge_transmit(const Case& seen, Report& report) {
  const std::uint64_t errors = count(seen.running->counters, "transmit_errors");
  if (errors == 0)
    report.ok("transmit", "the kernel has refused nothing that was to be sent");
  else
    report.say(Severity::note, "transmit",
               counted(errors, "call") + " to send failed: an interface was down for a while");
}

}  // namespace

void judge_traffic(const Case& seen, Desk& desk) {
  Report report = desk.report("traffic since the start of guidewayd");
  for (const RunningInterface& interface : seen.running->interfaces)
    judge_interface(interface, seen, report);
  judge_drops(seen, report);
  judge_flow_table(seen, report);
  judge_transmit(seen, report);
}

}  // namespace guideway::doctor
