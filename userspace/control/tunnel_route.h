// The kernel's part of the tunnel for probes: a TUN device (Documentation/networking/tuntap.rst of
// the kernel), and a policy rule (ip-rule(8)) that sends into it what has a mark of our own.
//
//     socket with SO_MARK ──rule: fwmark M lookup M──▶ default dev gwprobeN ──▶ read() of the
//     device
//
// Mark and table are one number, made of kMarkBase and the device's index, so that several daemons
// of a network namespace do not meet. Device and route go with the process that made them; a rule
// stays after SIGKILL, leads nowhere, and is removed by the next daemon that opens a tunnel.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/netlink.h"
#include "core/result.h"
#include "core/unique_fd.h"

namespace guideway::control {

class TunnelRoute {
 public:
  // 'g' in the upper byte; below it the device's index.
  static constexpr std::uint32_t kMarkBase = 0x67000000;
  static constexpr std::uint32_t kMarkMask = 0xff000000;

  // Needs /dev/net/tun and CAP_NET_ADMIN.
  [[nodiscard]] static Result<TunnelRoute> open();
  TunnelRoute(TunnelRoute&& other) noexcept;
  TunnelRoute& operator=(TunnelRoute&&) = delete;
  // Removes the rule; the rest goes by itself.
  ~TunnelRoute();

  // Puts back what somebody has taken away (a network manager that removes rules that are not its
  // own): without the rule, probes would leave for the VIP as anybody's packets do, and some other
  // backend would answer. Returns whether anything was missing.
  [[nodiscard]] Result<bool> restore();

  // Reads whole IPv4 packets; non-blocking.
  [[nodiscard]] int fd() const { return device_.get(); }
  // What SO_MARK is to be.
  [[nodiscard]] std::uint32_t mark() const { return mark_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  explicit TunnelRoute(netlink::Requests requests) : requests_(std::move(requests)) {}
  [[nodiscard]] Result<> make_device();
  [[nodiscard]] Result<> remove_leftovers();
  [[nodiscard]] Result<> set_up();
  [[nodiscard]] Result<bool> add_route();
  [[nodiscard]] Result<bool> add_rule();

  netlink::Requests requests_;
  UniqueFd device_;
  std::string name_;
  std::uint32_t index_ = 0;
  std::uint32_t mark_ = 0;
  bool has_rule_ = false;
};

}  // namespace guideway::control
