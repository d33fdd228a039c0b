// Who has an interface: the XDP program that is on it, and the living process of ours that serves
// it.
//
// Threads: one. Nothing is changed, and no lock is taken, as that would stop a daemon that starts
// at this moment: who has the lock is read from /proc/locks (proc(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

[[nodiscard]] Fact<std::optional<XdpProgram>> read_xdp_program(std::uint32_t interface_index);

// Who has xdp::InterfaceLock of the steering program on this interface.
[[nodiscard]] Fact<std::optional<Server>> read_server(std::uint32_t interface_index,
                                                      const Root& root);

// The process that has an exclusive flock(2) on a file, by a text like /proc/locks.
struct FileId {
  std::uint32_t device_major = 0, device_minor = 0;
  std::uint64_t inode = 0;
};
[[nodiscard]] std::optional<std::uint32_t> find_lock_owner(std::string_view locks, FileId file);

// Bytes that a process may lock, by a text like /proc/PID/limits; nullopt in the Fact: no limit.
[[nodiscard]] Fact<std::optional<std::uint64_t>> parse_locked_limit(std::string_view limits);

}  // namespace guideway::doctor
