// An XDP program of ours on an interface, through libxdp, for as long as this object lives.
//
// libxdp shares an interface among programs by a dispatcher, where the kernel lets programs
// replace one another (freplace); where it does not, the program is attached by itself, and
// dispatcher() says so. Either attachment outlives a process that is killed: so attaching first
// takes off what an earlier process of ours has left. That it really is left over, and not
// another process that is alive, is known by a lock: an abstract Unix socket, named after the
// program and the interface, in the network namespace, which the kernel frees when its owner dies.
//
// Threads: one. Owns: the attachment and the lock; not the bpf_object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/unique_fd.h"

struct bpf_object;
struct xdp_program;

namespace guideway::xdp {

// Where in the kernel the program runs: in the driver, or in the network stack, after the driver
// has built a socket buffer.
enum class AttachMode : std::uint8_t { native, generic };
[[nodiscard]] std::string_view name(AttachMode mode);

// Sends what libbpf and libxdp say to the log, at levels debug and trace. Called before either is
// used.
void route_library_output();

// The right to attach `program` to `interface` in this network namespace. Fails if a living process
// has it.
[[nodiscard]] Result<UniqueFd> lock_interface(const std::string& program,
                                              const std::string& interface);

class Attachment {
 public:
  // Loads `object` and attaches its program `program` to the interface in `mode`, after detaching
  // what bears the same name there. REQUIRES: the caller holds lock_interface(); `object` is
  // opened, not loaded, and outlives the Attachment. An object can be attached once only.
  [[nodiscard]] static Result<Attachment> attach(bpf_object* object, const std::string& program,
                                                 const std::string& interface, AttachMode mode);
  Attachment(Attachment&& other) noexcept;
  Attachment& operator=(Attachment&& other) noexcept;
  ~Attachment();

  [[nodiscard]] AttachMode mode() const { return mode_; }
  [[nodiscard]] bool dispatcher() const { return dispatcher_; }

 private:
  Attachment(xdp_program* program, int interface_index, AttachMode mode, bool dispatcher)
      : program_(program),
        interface_index_(interface_index),
        mode_(mode),
        dispatcher_(dispatcher) {}
  xdp_program* program_ = nullptr;
  int interface_index_ = 0;
  AttachMode mode_{};
  bool dispatcher_ = false;
};

}  // namespace guideway::xdp
