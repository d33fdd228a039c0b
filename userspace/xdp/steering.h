// bpf/steer.bpf.c on one interface: which packets go to the workers. The program is embedded in the
// binary. Until set_vips() is called nothing is steered.
//
// Threads: one. Owns: program, maps, attachment, and the lock on the interface.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/abi.h"
#include "core/result.h"
#include "net/address.h"
#include "xdp/attachment.h"

namespace guideway::xdp {

// Indexed by enum gw_verdict.
inline constexpr auto kVerdictNames = std::to_array<std::string_view>({
#define GW_VERDICT_NAME(name) #name,
    GW_VERDICT_LIST(GW_VERDICT_NAME)
#undef GW_VERDICT_NAME
});
static_assert(kVerdictNames.size() == GW_VERDICTS);

// What the VIP map holds for these services: an entry for each, and one for each address.
[[nodiscard]] std::vector<gw_vip_key> vip_entries(const std::vector<Endpoint>& services);

class Steering {
 public:
  // Loads and attaches. REQUIRES: the caller holds the InterfaceLock of kProgram and the NIC.
  [[nodiscard]] static Result<std::unique_ptr<Steering>> attach(const Nic& nic, AttachMode mode);
  ~Steering();

  // The program's name in the kernel: what `ip link` and `bpftool net` show.
  static constexpr const char* kProgram = "guideway_steer";

  // Redirects what is steered and arrives on `queue` to the AF_XDP socket `fd`.
  [[nodiscard]] Result<> set_socket(std::uint32_t queue, int fd);

  // Steers these services and no others. Adds before it removes: what stays is never off.
  [[nodiscard]] Result<> set_vips(const std::vector<Endpoint>& services);

  // What the program would answer for `frame` on a queue with a worker, by the VIP map as it is in
  // the kernel now. Nothing is counted by it. An interface that the program was taken off passes
  // everything all the same: see holds().
  [[nodiscard]] Result<gw_verdict> verdict_of(std::span<const std::byte> frame) const;

  [[nodiscard]] AttachMode mode() const { return attachment_.mode(); }
  [[nodiscard]] bool dispatcher() const { return attachment_.dispatcher(); }
  [[nodiscard]] bool holds() const { return attachment_.holds(); }
  [[nodiscard]] std::uint32_t program_id() const { return attachment_.id(); }

  // How often each verdict was given, by enum gw_verdict, summed over CPUs.
  [[nodiscard]] Result<std::array<std::uint64_t, GW_VERDICTS>> verdicts() const;

 private:
  struct Program;  // the skeleton
  struct ProgramDelete {
    void operator()(Program* program) const;
  };
  using ProgramPointer = std::unique_ptr<Program, ProgramDelete>;
  Steering(ProgramPointer program, Attachment attachment);

  ProgramPointer program_;  // goes after the attachment
  Attachment attachment_;
  std::vector<gw_vip_key> entries_;  // what the VIP map holds, sorted
};

}  // namespace guideway::xdp
