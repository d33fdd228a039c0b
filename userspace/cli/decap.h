// `guideway decap`: decapsulation on a backend, for as long as this process lives.
#pragma once

#include "core/result.h"
#include "xdp/decapsulation.h"

namespace guideway::cli {

// Attaches, says on standard output that it is ready, waits for SIGINT, SIGTERM or SIGHUP (unless
// that is ignored: nohup), detaches, prints the counters. Changes the signal mask of the process.
// REQUIRES: the process has one thread.
[[nodiscard]] Result<> run_decapsulation(const xdp::DecapsulationOptions& options);

}  // namespace guideway::cli
