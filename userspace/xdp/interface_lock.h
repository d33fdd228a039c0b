// The right to attach a program of ours to an interface: one living process at a time has it.
//
// A lock on a file in /run/guideway (flock(2)), named after the program, the network namespace and
// the interface's index, so that another name of the same interface is the same lock. The kernel
// frees it when its owner dies, however that comes about.
//
// Threads: one. Owns: the lock, and the file, which goes with it.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/unique_fd.h"

namespace guideway::xdp {

class InterfaceLock {
 public:
  // Fails at once if somebody else has it. `interface` is the name for messages.
  [[nodiscard]] static Result<InterfaceLock> take(const std::string& program,
                                                  const std::string& interface,
                                                  std::uint32_t interface_index);
  InterfaceLock() = default;  // of nothing
  InterfaceLock(InterfaceLock&&) noexcept = default;
  InterfaceLock& operator=(InterfaceLock&&) noexcept = default;
  ~InterfaceLock();

 private:
  InterfaceLock(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string path_;
  UniqueFd file_;
};

}  // namespace guideway::xdp
