// Which kernel this is, and what it can do of what Guideway needs: found by trying, as what a
// version promises may be built out, backported or forbidden.
//
// Loads a BPF program of two instructions, makes maps of one entry, opens a socket of AF_XDP; all
// of it is gone when the function returns. A try that fails for lack of privilege says nothing of
// the kernel: unknown.
//
// Threads: one, as the log of libbpf is off meanwhile.
#pragma once

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

// `privilege`: of this process.
[[nodiscard]] KernelFacts read_kernel(const PrivilegeFacts& privilege, const Root& root);

// Fills major and minor by release: "6.1.0-18-amd64" is 6 and 1.
void parse_release(KernelFacts& kernel);

}  // namespace guideway::doctor
