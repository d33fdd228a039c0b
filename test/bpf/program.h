// Running an XDP program over bytes with BPF_PROG_TEST_RUN: what it answers, what it counts, and
// what it makes of the packet.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "support/bytes.h"
#include "support/catch.h"

namespace guideway::test {

// Ends the program as "skipped" where it may not load BPF programs. (Catch2 version 2 has no SKIP.)
inline void need_bpf_privilege() {
  if (::geteuid() == 0) return;
  std::cout << "SKIP: loading BPF programs needs root" << std::endl;
  std::exit(77);
}

struct Outcome {
  std::uint32_t action = 0;  // XDP_*
  Bytes packet;              // after the program
};

// Runs `program` once over `packet`. REQUIRES: at least 14 bytes; the kernel takes no fewer.
inline Outcome run_xdp(const bpf_program* program, Bytes packet) {
  Outcome outcome;
  outcome.packet.resize(packet.size() + 256);
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
              .data_out = outcome.packet.data(), .data_size_in = static_cast<__u32>(packet.size()),
              .data_size_out = static_cast<__u32>(outcome.packet.size()), .repeat = 1);
  INFO("BPF_PROG_TEST_RUN: " << std::strerror(errno));
  REQUIRE(bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0);
  outcome.action = options.retval;
  outcome.packet.resize(options.data_size_out);
  return outcome;
}

// All entries of a per-CPU array of counters.
inline std::vector<std::uint64_t> counts(const bpf_map* map, std::size_t entries) {
  std::vector<std::uint64_t> each(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  std::vector<std::uint64_t> sums(entries);
  for (std::uint32_t i = 0; i < entries; ++i) {
    REQUIRE(bpf_map_lookup_elem(bpf_map__fd(map), &i, each.data()) == 0);
    sums[i] = std::accumulate(each.begin(), each.end(), std::uint64_t{0});
  }
  return sums;
}

// The one entry that grew by one between two readings; the number of entries if it was another
// change.
inline std::size_t counted_once(const std::vector<std::uint64_t>& before,
                                const std::vector<std::uint64_t>& after) {
  std::size_t found = before.size();
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (after[i] == before[i]) continue;
    if (after[i] != before[i] + 1 || found != before.size()) return before.size();
    found = i;
  }
  return found;
}

}  // namespace guideway::test
