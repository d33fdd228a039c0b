// Whether a BPF program can replace a function of another one (freplace, BPF_PROG_TYPE_EXT): by
// that, libxdp's dispatcher lets several XDP programs share an interface. Kernels differ in it by
// version, by processor and by how they were built, so it is tried.
//
// Threads: one. Nothing is attached to an interface; both programs are gone when it returns.
#pragma once

#include "doctor/fact.h"

namespace guideway::doctor {

// `privileged`: this process has CAP_PERFMON or CAP_SYS_ADMIN, so that a refusal for lack of
// privilege is the kernel's last word: there are kernels that forbid it to everybody.
[[nodiscard]] Fact<bool> try_extension(bool privileged);

}  // namespace guideway::doctor
