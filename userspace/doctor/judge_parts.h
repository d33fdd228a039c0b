// The parts of the judgement: each looks at one subject and writes what it finds to a Report of it.
// Only judge.cpp and the parts include this.
//
// Threads: none of their own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "doctor/judge.h"
#include "doctor/report.h"
#include "doctor/way.h"

namespace guideway::doctor {

// A Report for each subject that a part needs.
class Desk {
 public:
  // REQUIRES: both outlive it.
  Desk(Findings& findings, Unseen& unseen) : findings_(findings), unseen_(unseen) {}
  [[nodiscard]] Report report(std::string subject) {
    return {std::move(subject), findings_, unseen_};
  }

 private:
  Findings& findings_;
  Unseen& unseen_;
};

// Where a worker is, or will be.
struct Place {
  std::uint32_t queue = 0, cpu = 0;
};

// One interface, and all that the case has to say about it.
struct InterfaceCase {
  const Case& all;
  const InterfaceFacts& facts;
  const control::Interface& config;
  const RunningInterface* running = nullptr;
  std::vector<Place> places;          // of its workers
  std::vector<std::uint32_t> queues;  // that are served: sorted
  const std::string& name;            // for commands
};

// The best that this interface can do and the file allows, as far as is known.
[[nodiscard]] inline Way expected_way(const InterfaceCase& seen) {
  return expected_way(seen.facts, seen.config);
}

void judge_file(const Case& seen, Desk& desk);
void judge_daemon(const Case& seen, Desk& desk);   // judge_running.cpp
void judge_traffic(const Case& seen, Desk& desk);  // judge_traffic.cpp: its counters
void judge_pools(const Case& seen, Desk& desk);    // judge_pools.cpp: what its probes say
void judge_bgp(const Case& seen, Desk& desk);      // judge_bgp.cpp
void judge_kernel(const Case& seen, Desk& desk);
void judge_memory(const Case& seen, Desk& desk);
void judge_link(const InterfaceCase& seen, Report& report);      // judge_link.cpp: there, up, MTU
void judge_queues(const InterfaceCase& seen, Report& report);    // judge_queues.cpp
void judge_way(const InterfaceCase& seen, Report& report);       // judge_way.cpp: mode of XDP
void judge_offloads(const InterfaceCase& seen, Report& report);  // judge_offloads.cpp
void judge_program(const InterfaceCase& seen, Report& report);   // judge_program.cpp: XDP program
void judge_cpus(const InterfaceCase& seen, Report& report);      // judge_cpus.cpp
void judge_backends(const Case& seen, Desk& desk);

// The command line of `guideway` with these words, about the same daemon: with its socket where
// that is not the usual one.
[[nodiscard]] std::string guideway(const Case& seen, const std::string& words);

// The same judgement by root, who is told more.
[[nodiscard]] Mend as_root(const Case& seen);

// Packets of VIPs come back through the tunnel to be judged by this host's kernel.
[[nodiscard]] bool checks_through_tunnel(const control::Model& model);

}  // namespace guideway::doctor
