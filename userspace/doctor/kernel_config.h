// How the kernel was built, as far as it matters here: its configuration file, where there is one
// that can be read.
//
// Threads: any.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

using KernelOptions = std::map<std::string, std::string, std::less<>>;

// The options that are looked for, without CONFIG_. One that a file does not have is "n" of it.
inline constexpr auto kKernelOptions = std::to_array<std::string_view>(
    {"BPF_SYSCALL", "BPF_JIT", "BPF_JIT_ALWAYS_ON", "XDP_SOCKETS", "DEBUG_INFO_BTF",
     "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "TUN", "NET_IPGRE", "IP_MULTIPLE_TABLES",
     "NET_RX_BUSY_POLL", "TRANSPARENT_HUGEPAGE"});

// Of a text like /boot/config-*.
[[nodiscard]] KernelOptions parse_kernel_config(std::string_view text);

// Fills `config` and `config_file` of `kernel`, whose `release` is set: of /proc/config.gz, or of
// the files that distributions install with a kernel.
void read_kernel_config(KernelFacts& kernel, const Root& root);

}  // namespace guideway::doctor
