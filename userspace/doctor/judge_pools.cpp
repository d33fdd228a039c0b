// What a running daemon says of its pools and backends.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

void judge_pool(const Case& seen, const RunningPool& pool, Report& report) {
  const Mend look = Mend::by_command(guideway(seen, "backends --pool " + shell_word(pool.name)));
  if (pool.empty)
    report.say(pool.on_empty == "all" ? Severity::warning : Severity::error, "pool",
               "pool " + pool.name + " has no backend that takes new flows: " +
                   (pool.on_empty == "all" ? "each is used as if it were up (on_empty: all)"
                                           : "they are dropped (no_backend)"),
               look);
  else if (!pool.healthy)
    report.say(Severity::warning, "pool",
               "pool " + pool.name + " has " + counted(pool.healthy_backends, "healthy backend") +
                   ", fewer than min_healthy, which is " + std::to_string(pool.min_healthy),
               look);
  else
    report.ok("pool", "pool " + pool.name + " has backends enough");
}

// What is said of many backends in the same words is one finding.
void judge_health(const Running& running, Report& report) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> down, unknown;
  for (const RunningBackend& backend : running.backends) {
    const std::string why = backend.why.empty() ? "" : ": " + backend.why;
    if (backend.health == "down") down[{backend.pool, why}].push_back(backend.address);
    if (backend.health == "unknown") unknown[{backend.pool, why}].push_back(backend.address);
  }
  for (const auto& [where, backends] : down)
    report.say(Severity::warning, "backend",
               listed(backends) + " in pool " + where.first +
                   (backends.size() == 1 ? " is down" : " are down") + where.second,
               Mend::by_hand(backends.size() == 1 ? "on that host, what the check asks for"
                                                  : "on those hosts, what the check asks for"));
  for (const auto& [where, backends] : unknown)
    report.say(Severity::note, "backend",
               listed(backends) + " in pool " + where.first +
                   (backends.size() == 1 ? " has" : " have") + " not been asked by all checks yet" +
                   where.second);
}

// One that is down gets no packets that could be dropped, and is told as that.
void judge_next_hops(const Running& running, Report& report) {
  std::map<std::string, std::vector<std::string>> unresolved;
  for (const RunningBackend& backend : running.backends)
    if (backend.next_hop != "resolved" && gets_packets(running, backend))
      unresolved[backend.next_hop].push_back(backend.address);
  for (const auto& [why, backends] : unresolved)
    report.say(Severity::error, "resolved",
               "the next hop of " + listed(backends) + " is not known (" + why +
                   "): packets are dropped (no_next_hop)",
               Mend::by_command("ip route get " + backends.front() + "; ip neigh"));
  if (unresolved.empty())
    report.ok("resolved", "the next hop of every backend that gets packets is known");
}

}  // namespace

void judge_pools(const Case& seen, Desk& desk) {
  Report report = desk.report("pools");
  for (const RunningPool& pool : seen.running->pools) judge_pool(seen, pool, report);
  judge_health(*seen.running, report);
  judge_next_hops(*seen.running, report);
}

}  // namespace guideway::doctor
