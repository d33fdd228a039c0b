#include "doctor/cpu.h"

#include <sched.h>

#include <array>
#include <cerrno>
#include <map>

namespace guideway::doctor {
namespace {

namespace fs = std::filesystem;

// The NUMA node of each CPU; none on a host without nodes.
std::map<std::uint32_t, std::uint32_t> nodes_of(const fs::path& system) {
  constexpr std::string_view kPrefix = "node";
  std::map<std::uint32_t, std::uint32_t> nodes;
  for (const std::string& name : names_in(system / "node")) {
    if (!name.starts_with(kPrefix)) continue;
    const auto node = parse_number(name.substr(kPrefix.size()));
    if (!node) continue;
    for (const std::uint32_t cpu : read_list(system / "node" / name / "cpulist").value_or({}))
      nodes[cpu] = static_cast<std::uint32_t>(*node);
  }
  return nodes;
}

Fact<std::vector<std::uint32_t>> allowed_cpus() {
  // More than CPU_SETSIZE are asked for, as the kernel refuses a set that is smaller than its own.
  std::array<cpu_set_t, 8> sets{};
  if (::sched_getaffinity(0, sizeof sets, sets.data()) != 0)
    return unknown_errno("asking which CPUs this process may use", errno);
  std::vector<std::uint32_t> cpus;
  for (std::uint32_t cpu = 0; cpu < sets.size() * CPU_SETSIZE; ++cpu)
    if (CPU_ISSET_S(cpu, sizeof sets, sets.data())) cpus.push_back(cpu);
  return cpus;
}

}  // namespace

CpuFacts read_cpus(const Root& root) {
  const fs::path system = root / "sys/devices/system";
  CpuFacts facts;
  facts.online = read_list(system / "cpu/online");
  facts.possible = read_list(system / "cpu/possible");
  facts.isolated = read_list(system / "cpu/isolated");
  facts.allowed = allowed_cpus();
  const auto nodes = nodes_of(system);
  for (const std::uint32_t number : facts.online.value_or({})) {
    CpuFacts::Cpu cpu{.number = number, .numa_node = {}, .siblings = {}};
    if (const auto node = nodes.find(number); node != nodes.end()) cpu.numa_node = node->second;
    const auto topology = system / "cpu" / ("cpu" + std::to_string(number)) / "topology";
    cpu.siblings = read_list(topology / "thread_siblings_list").value_or({number});
    facts.cpus.push_back(std::move(cpu));
  }
  return facts;
}

}  // namespace guideway::doctor
