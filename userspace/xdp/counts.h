// Reading per-CPU counters of a BPF map.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "core/result.h"

namespace guideway::xdp {

// Sums each entry of `map`, a per-CPU array of __u64, over all CPUs into `counts`.
[[nodiscard]] inline Result<> read_counts(const bpf_map* map, std::span<std::uint64_t> counts) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return fail_errno("counting CPUs", -cpus);
  std::vector<std::uint64_t> each(static_cast<std::size_t>(cpus));
  for (std::uint32_t i = 0; i < counts.size(); ++i) {
    if (const int error = bpf_map_lookup_elem(bpf_map__fd(map), &i, each.data()); error != 0)
      return fail_errno("reading counters of BPF map " + std::string(bpf_map__name(map)), -error);
    counts[i] = std::accumulate(each.begin(), each.end(), std::uint64_t{0});
  }
  return {};
}

}  // namespace guideway::xdp
