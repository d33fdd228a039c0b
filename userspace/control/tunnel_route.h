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
  // "gw" in the upper bytes; below them the device's index.
  static constexpr std::uint32_t kMarkBase = 0x67770000;
  static constexpr std::uint32_t kMarkMask = 0xffff0000;

  // Needs /dev/net/tun and CAP_NET_ADMIN.
  [[nodiscard]] static Result<TunnelRoute> open();
  TunnelRoute(TunnelRoute&& other) noexcept;
  TunnelRoute& operator=(TunnelRoute&&) = delete;
  // Removes the rule; the rest goes by itself.
  ~TunnelRoute();

  // Reads whole IPv4 packets; non-blocking.
  [[nodiscard]] int fd() const { return device_.get(); }
  // What SO_MARK is to be.
  [[nodiscard]] std::uint32_t mark() const { return mark_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  explicit TunnelRoute(netlink::Requests requests) : requests_(std::move(requests)) {}
  [[nodiscard]] Result<> make_device();
  [[nodiscard]] Result<> remove_leftovers();
  [[nodiscard]] Result<> make_route();

  netlink::Requests requests_;
  UniqueFd device_;
  std::string name_;
  std::uint32_t index_ = 0;
  std::uint32_t mark_ = 0;
  bool has_rule_ = false;
};

}  // namespace guideway::control
