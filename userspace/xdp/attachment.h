// An XDP program of ours on an interface, through libxdp, for as long as this object lives.
//
// libxdp shares an interface among programs by a dispatcher, where the kernel lets programs
// replace one another (freplace); where it does not, the program is attached by itself, and
// dispatcher() says so. Either attachment outlives a process that is killed: so attaching first
// takes off what an earlier process of ours has left. That it really is left over, and not
// another process that is alive, is known by the lock of interface_lock.h.
//
// Threads: one. Owns: the attachment; not the bpf_object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "xdp/attach_mode.h"
#include "xdp/nic.h"

struct bpf_object;
struct xdp_program;

namespace guideway::xdp {

// Sends what libbpf and libxdp say to the log, at levels debug and trace. Called before either is
// used.
void route_library_output();

// Takes a program that is on the interface by itself off, if it has this id in the kernel.
// `program` is its name, for the log. Needs CAP_NET_ADMIN, and not CAP_SYS_ADMIN, as finding it by
// its name does: so a daemon that has not got that gets rid of what one that was killed has left.
// REQUIRES: the caller holds the InterfaceLock of both, and has the id from it.
[[nodiscard]] Result<> detach_by_id(const std::string& program, const Nic& nic, std::uint32_t id);

// Whether a failure to attach or to bind is of a kind that no other mode would mend: no privilege,
// no memory, taken by somebody else, down, or an MTU that has to be changed.
[[nodiscard]] bool no_mode_helps(const Error& error);

// Behind libxdp's dispatcher, if the kernel has what that takes, or by itself in any case.
enum class Sharing : std::uint8_t { if_possible, never };

class Attachment {
 public:
  // Loads `object` and attaches its program `program` to the interface in `mode`, after detaching
  // what bears the same name there. REQUIRES: the caller holds the InterfaceLock of both; `object`
  // is opened, not loaded, and outlives the Attachment. An object can be attached once only. With
  // Sharing::never no other thread uses the environment meanwhile.
  [[nodiscard]] static Result<Attachment> attach(bpf_object* object, const std::string& program,
                                                 const Nic& nic, AttachMode mode,
                                                 Sharing sharing = Sharing::if_possible);
  Attachment(Attachment&& other) noexcept;
  Attachment& operator=(Attachment&& other) noexcept;
  ~Attachment();

  [[nodiscard]] AttachMode mode() const { return mode_; }
  [[nodiscard]] bool dispatcher() const { return dispatcher_; }
  // The program's id in the kernel.
  [[nodiscard]] std::uint32_t id() const;
  // Whether the program is still where it was attached: the interface may have been deleted, or
  // somebody may have taken the program off, or removed the pins that keep it behind a dispatcher.
  // Another dispatcher, with ours behind it, is what a program that comes or goes beside it leaves.
  [[nodiscard]] bool holds() const;

 private:
  Attachment(xdp_program* program, int interface_index, AttachMode mode);
  void look_again(std::uint32_t present_id) const;
  xdp_program* program_ = nullptr;
  int interface_index_ = 0;
  AttachMode mode_{};
  bool dispatcher_ = false;
  // What the kernel had on the interface at the last look (ours, a dispatcher, another's), whether
  // ours was that, or behind it, and by which link it was behind it.
  mutable std::uint32_t seen_id_ = 0;
  mutable bool seen_ours_ = true;
  mutable std::uint32_t seen_link_id_ = 0;
};

}  // namespace guideway::xdp
