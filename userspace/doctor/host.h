// What is of the host as a whole and neither kernel, CPU nor memory: privilege of this process,
// rp_filter, addresses, the BPF file system, irqbalance, versions of libraries.
//
// Threads: one, as kernel.h.
#pragma once

#include <string_view>

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

// All of HostFacts, but for what the configuration takes of the memory.
[[nodiscard]] HostFacts read_host(const Root& root);

// Of a text like /proc/self/status.
[[nodiscard]] PrivilegeFacts parse_privilege(std::string_view status);

// Whether a process of this name is there, by /proc/PID/comm.
[[nodiscard]] Fact<bool> runs(std::string_view program, const Root& root);

// "libxdp.so.1.3.1" is "1.3.1"; "" if it is no such name.
[[nodiscard]] std::string version_of(std::string_view library_file);

}  // namespace guideway::doctor
