// Memory, and the limits on it: /proc/meminfo, transparent huge pages, RLIMIT_MEMLOCK
// (getrlimit(2)) and the control group's limit (Documentation/admin-guide/cgroup-v2.rst, and
// cgroup-v1).
//
// Threads: any. Units: bytes.
#pragma once

#include <string_view>

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

// All but what the configuration takes.
[[nodiscard]] MemoryFacts read_memory(const Root& root);

// The chosen word of "always [madvise] never"; "" if none is.
[[nodiscard]] std::string_view chosen_word(std::string_view text);

// Fills cgroup and cgroup_limit_bytes. `memberships` is a text like /proc/self/cgroup.
void read_cgroup_limit(MemoryFacts& memory, std::string_view memberships, const Root& root);

}  // namespace guideway::doctor
