// The receive queues of an interface: as many as can be served, all of them served, and packets
// spread over them.
#include <algorithm>
#include <set>

#include "bpf/abi.h"
#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

// ethtool -L with as many queues of the kind that the device has.
Mend set_queues(const InterfaceCase& seen, std::uint32_t number) {
  const std::string count = std::to_string(number);
  const bool combined = !seen.facts.channels.known() || seen.facts.channels->combined > 0;
  return combined ? ethtool("-L " + seen.name + " combined " + count, "CombinedChannels=" + count)
                  : ethtool("-L " + seen.name + " rx " + count + " tx " + count,
                            "RxChannels=" + count + " and TxChannels=" + count);
}

bool judge_numbers(const InterfaceCase& seen, Report& report) {
  const std::uint32_t receive = seen.facts.receive_queues, transmit = seen.facts.transmit_queues;
  if (receive > GW_MAX_QUEUES) {
    report.say(Severity::error, "queues",
               "it has " + std::to_string(receive) + " receive queues, and at most " +
                   std::to_string(GW_MAX_QUEUES) + " are supported",
               set_queues(seen, GW_MAX_QUEUES));
    return false;
  }
  const std::uint32_t last = seen.queues.empty() ? 0 : seen.queues.back();
  if (last >= receive) {
    report.say(Severity::error, "queues",
               "there is no receive queue " + std::to_string(last) + ": it has " +
                   counted(receive, "queue") + ", counted from 0",
               seen.running != nullptr && seen.config.queues.empty()
                   ? set_queues(seen, last + 1)
                   : Mend::by_hand("interfaces[].queues: all in " + seen.all.file));
    return false;
  }
  if (last >= transmit) {
    report.say(Severity::error, "queues",
               "receive queue " + std::to_string(last) +
                   " has no transmit queue beside it: it has " + std::to_string(receive) +
                   " to receive and " + std::to_string(transmit) + " to transmit",
               set_queues(seen, std::min(receive, transmit)));
    return false;
  }
  return true;
}

bool served(const InterfaceCase& seen, std::uint32_t queue) {
  return std::ranges::binary_search(seen.queues, queue);
}

// Queues that packets come to, and nobody takes them from.
void judge_spread(const InterfaceCase& seen, Report& report) {
  std::vector<std::uint32_t> reached;
  const bool known = seen.facts.indirection.known();
  if (known)
    reached = seen.facts.indirection->queues;
  else
    for (std::uint32_t queue = 0; queue < seen.facts.receive_queues; ++queue)
      reached.push_back(queue);
  std::vector<std::uint32_t> unserved, idle;
  for (const std::uint32_t queue : reached)
    if (!served(seen, queue)) unserved.push_back(queue);
  for (const std::uint32_t queue : seen.queues)
    if (!std::ranges::binary_search(reached, queue)) idle.push_back(queue);
  if (unserved.empty()) report.ok("unserved_queues", "every queue that packets come to is served");
  if (!unserved.empty()) {
    const bool first_ones = seen.queues.back() + 1 == seen.queues.size();
    const std::string count = std::to_string(seen.queues.size());
    report.say(Severity::error, "unserved_queues",
               "no worker serves queue " + ranges(unserved) +
                   ", and packets of VIPs that come to it are dropped (no_socket)",
               known && first_ones ? ethtool("-X " + seen.name + " equal " + count)
               : first_ones ? set_queues(seen, static_cast<std::uint32_t>(seen.queues.size()))
                            : Mend::by_hand("interfaces[].queues: all in " + seen.all.file));
  }
  if (!idle.empty() && known)
    report.say(Severity::warning, "idle_queues",
               "the NIC sends no packets to queue " + ranges(idle) +
                   ": workers of these have nothing to do, and the others have more",
               ethtool("-X " + seen.name + " equal " + std::to_string(seen.facts.receive_queues)));
}

// Ports have to be hashed, too: else all flows between two addresses are one worker's.
void judge_hash(const InterfaceCase& seen, Report& report) {
  if (seen.queues.size() < 2) return;
  const auto has = [&](Protocol protocol) {
    return std::ranges::any_of(seen.all.model->endpoints(), [&](const Endpoint& endpoint) {
      return endpoint.protocol == protocol;
    });
  };
  struct Kind {
    const Fact<HashFields>& fields;
    Protocol protocol;
    const char *check, *flow, *word;
  };
  for (const Kind& kind : {Kind{seen.facts.hash_tcp4, Protocol::tcp, "hash_tcp", "tcp4", "TCP"},
                           Kind{seen.facts.hash_udp4, Protocol::udp, "hash_udp", "udp4", "UDP"}}) {
    if (!has(kind.protocol)) continue;
    if (!report.seen(kind.fields, kind.check, "what " + seen.name + " hashes of " + kind.word))
      continue;
    if (kind.fields->raw == 0)  // such as virtio without RSS, of which the host spreads packets
      report.say(Severity::note, kind.check,
                 "the NIC does not say by what it spreads " + std::string(kind.word) +
                     ": whether the workers get like parts shows when it flows (guideway watch)");
    else if (kind.fields->ports)
      report.ok(kind.check, std::string(kind.word) + " is spread by addresses and ports");
    else
      report.say(kind.protocol == Protocol::tcp ? Severity::warning : Severity::note, kind.check,
                 "the NIC spreads " + std::string(kind.word) +
                     " by addresses alone: all flows of one client come to one worker",
                 ethtool("-N " + seen.name + " rx-flow-hash " + kind.flow + " sdfn"));
  }
}

void judge_workers(const InterfaceCase& seen, Report& report) {
  std::set<std::uint32_t> cpus;
  for (const Place& place : seen.places) cpus.insert(place.cpu);
  if (cpus.empty()) return;
  const std::size_t workers = seen.places.size();
  if (workers <= cpus.size())
    report.ok("workers", "each worker has a CPU of its own on this interface");
  else
    report.say(Severity::warning, "workers",
               counted(workers, "worker") + " share " + counted(cpus.size(), "CPU") +
                   (seen.config.busy_poll ? ", which each of them wants for itself (busy_poll)"
                                          : ": more queues than CPUs make nothing faster"),
               seen.config.cpus.empty()
                   ? set_queues(seen, static_cast<std::uint32_t>(cpus.size()))
                   : Mend::by_hand("interfaces[].cpus: with " + std::to_string(workers) +
                                   " CPUs in " + seen.all.file + ", or fewer queues"));
}

}  // namespace

void judge_queues(const InterfaceCase& seen, Report& report) {
  if (!judge_numbers(seen, report)) return;
  judge_spread(seen, report);
  judge_hash(seen, report);
  judge_workers(seen, report);
}

}  // namespace guideway::doctor
