// The right to attach a program of ours to an interface: one living process at a time has it.
//
// A lock on a file in /run/guideway (flock(2)), named after the program, the network namespace and
// the interface's index, so that another name of the same interface is the same lock. The kernel
// frees it when its owner dies, however that comes about. The file stays then, and tells the next
// owner which program is left on the interface.
//
// Threads: one. Owns: the lock, and the file, which goes with it, but after keep_note().
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
  // The file of that lock, whoever has it.
  [[nodiscard]] static Result<std::string> path_of(const std::string& program,
                                                   std::uint32_t interface_index);
  // Whether a living process has it. For a moment nobody can take it.
  [[nodiscard]] static bool is_held(const std::string& program, std::uint32_t interface_index);
  InterfaceLock() = default;  // of nothing
  InterfaceLock(InterfaceLock&&) noexcept = default;
  InterfaceLock& operator=(InterfaceLock&&) noexcept = default;
  ~InterfaceLock();

  // Writes into the file which program was attached, by its id in the kernel and the boot in which
  // it has that. One that cannot be written is taken off by hand after a crash.
  void note(std::uint32_t program_id) const;
  // What the last owner noted, if it died; 0: nothing, or in an earlier boot.
  [[nodiscard]] std::uint32_t noted() const;
  // The file stays when the lock goes: what it notes could not be taken off, and the next owner is
  // to know of it too.
  void keep_note() { note_stays_ = true; }

 private:
  InterfaceLock(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string path_;
  UniqueFd file_;
  bool note_stays_ = false;
};

}  // namespace guideway::xdp
