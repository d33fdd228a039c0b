// The CPUs of the host: /sys/devices/system/cpu and /sys/devices/system/node
// (Documentation/admin-guide/cputopology.rst), and which of them this process may use.
//
// Threads: any.
#pragma once

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

[[nodiscard]] CpuFacts read_cpus(const Root& root);

}  // namespace guideway::doctor
