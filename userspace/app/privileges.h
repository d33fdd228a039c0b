// Which capabilities (capabilities(7)) the daemon needs, keeps and gives away.
//
// It gives away all but kCapabilities before its first thread is made: so no thread of it has
// another. What it keeps it keeps until it ends, as a reload may attach to one more interface, and
// the stop detaches. Workers, which read what strangers send, have none at all
// (run_without_capabilities), and neither has a program of an exec check: the bounding and the
// ambient set are emptied, and no_new_privs is set, so that a set-user-ID or file capability
// changes nothing.
//
// Capabilities are of a thread, not of the process: a new thread has those of the one that makes
// it.
//
// Threads: settle_privileges() before any other thread is made; the others on any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"

namespace guideway::app {

// Bit n stands for capability n (linux/capability.h).
using CapabilitySet = std::uint64_t;

struct Capability {
  int number;
  const char* name;
  enum class Use {
    needed,           // the daemon does not start without
    kept,             // for what it can do besides, where it was given
    if_memory_locks,  // kept as long as locked memory is limited
  } use;
  const char* why;
};

// docs/operations.md has this table. CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, as in the
// kernel.
[[nodiscard]] const std::vector<Capability>& capabilities();

// "cap_net_admin", .. by number; "cap_40" where this program knows no name.
[[nodiscard]] std::vector<std::string> capability_names(CapabilitySet set);

// Names what is missing in `permitted`.
[[nodiscard]] Result<> check_capabilities(CapabilitySet permitted);
[[nodiscard]] CapabilitySet capabilities_to_keep(CapabilitySet permitted, bool memory_is_limited);

// Lifts the limit of locked memory where it may, gives away what is not needed. Fails where one
// that is needed is missing.
[[nodiscard]] Result<> settle_privileges();

// Runs `work` on a thread without any capability, and waits for it. Threads that it makes have
// none either.
void run_without_capabilities(const std::function<void()>& work);

// Of the calling thread: effective ones.
[[nodiscard]] CapabilitySet capabilities_in_force();
// Who this process runs as: a name, or a number where there is none.
[[nodiscard]] std::string user_name();

}  // namespace guideway::app
