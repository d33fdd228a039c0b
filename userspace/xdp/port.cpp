#include "xdp/port.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>

namespace guideway::xdp {
namespace {

Result<std::vector<std::uint32_t>> choose_queues(const Nic& nic,
                                                 std::vector<std::uint32_t> wanted) {
  const std::string doing = "interface " + nic.name;
  if (nic.receive_queues > GW_MAX_QUEUES)
    return fail(doing + ": it has " + std::to_string(nic.receive_queues) +
                    " receive queues, at most " + std::to_string(GW_MAX_QUEUES) + " are supported",
                "ethtool -L " + nic.name + " combined " + std::to_string(GW_MAX_QUEUES));
  if (wanted.empty()) {
    wanted.resize(nic.receive_queues);
    std::iota(wanted.begin(), wanted.end(), 0U);
  }
  for (const std::uint32_t queue : wanted) {
    // In copy mode the kernel sends nothing from such a queue, and says nothing.
    if (queue >= nic.transmit_queues)
      return fail(doing + ": receive queue " + std::to_string(queue) +
                      " has no transmit queue beside it, as there are only " +
                      std::to_string(nic.transmit_queues),
                  "ethtool -L " + nic.name + " with as many transmit as receive queues");
    if (queue >= nic.receive_queues)
      return fail(doing + ": there is no receive queue " + std::to_string(queue),
                  "it has " + std::to_string(nic.receive_queues) + ", counted from 0");
  }
  if (wanted.size() < nic.receive_queues)
    spdlog::warn(
        "{}: {} of {} receive queues are served; VIP packets that arrive on the others are dropped "
        "(no_socket)",
        nic.name, wanted.size(), nic.receive_queues);
  return wanted;
}

Result<> check_driver_mtu(const Nic& nic, std::span<const Rung> ladder) {
  const std::uint32_t limit = native_mtu_limit(nic.driver);
  const bool native =
      std::ranges::any_of(ladder, [](Rung rung) { return rung.attach == AttachMode::native; });
  if (!native || limit == 0 || nic.mtu <= limit) return {};
  return fail("interface " + nic.name + ": its MTU of " + std::to_string(nic.mtu) +
                  " is more than native XDP of the driver " + nic.driver + " takes (" +
                  std::to_string(limit) + ")",
              "ip link set dev " + nic.name + " mtu " + std::to_string(limit) +
                  ", or set mode: generic for this interface, which is slow");
}

}  // namespace

Result<> Port::bind_all(BindMode mode, const SocketOptions& options,
                        std::span<const std::uint32_t> queues) {
  sockets_.clear();
  for (const std::uint32_t queue : queues) {
    auto socket = Socket::open(nic_, queue, mode, options);
    if (socket) {
      if (auto steered = steering_->set_socket(queue, (*socket)->fd()); !steered) return steered;
      sockets_.push_back(std::move(*socket));
      continue;
    }
    sockets_.clear();
    return std::unexpected(std::move(socket).error());
  }
  return {};
}

Result<> Port::climb(const PortOptions& options, std::span<const std::uint32_t> queues) {
  SocketOptions socket_options = options.socket;
  socket_options.frame_bytes = frame_bytes_;
  Error best_refused;  // why the best rung failed: the others are second choice
  const auto refused = [&](Error error) {
    if (options.ladder.size() > 1) spdlog::info("{}; trying the next mode", error.what);
    if (best_refused.what.empty()) best_refused = std::move(error);
  };
  bool native_refused = false;
  for (const Rung rung : options.ladder) {
    if (native_refused && rung.attach == AttachMode::native) continue;
    if (!steering_ || steering_->mode() != rung.attach) {
      steering_.reset();
      auto steering = Steering::attach(nic_, rung.attach);
      if (!steering) {
        if (no_mode_helps(steering.error())) return std::unexpected(std::move(steering).error());
        native_refused = rung.attach == AttachMode::native;
        refused(std::move(steering).error());
        continue;
      }
      steering_ = std::move(*steering);
      lock_.note(steering_->program_id());
    }
    auto bound = bind_all(rung.bind, socket_options, queues);
    if (bound) return {};
    if (no_mode_helps(bound.error())) return bound;
    refused(std::move(bound).error());
  }
  return std::unexpected(std::move(best_refused));
}

Result<std::unique_ptr<Port>> Port::open(const PortOptions& options) {
  std::unique_ptr<Port> port(new Port);
  auto nic = find_nic(options.interface);
  if (!nic) return std::unexpected(std::move(nic).error());
  port->nic_ = std::move(*nic);
  if (!port->nic_.up)
    return fail("interface " + options.interface + ": it is down",
                "ip link set dev " + options.interface + " up");
  auto queues = choose_queues(port->nic_, options.queues);
  if (!queues) return std::unexpected(std::move(queues).error());
  auto frame_bytes = choose_frame_bytes(port->nic_, options.frame_bytes);
  if (!frame_bytes) return std::unexpected(std::move(frame_bytes).error());
  port->frame_bytes_ = *frame_bytes;
  if (auto fits = check_driver_mtu(port->nic_, options.ladder); !fits)
    return std::unexpected(fits.error());
  auto lock = InterfaceLock::take(Steering::kProgram, options.interface, port->nic_.index);
  if (!lock) return std::unexpected(std::move(lock).error());
  port->lock_ = std::move(*lock);
  if (auto clean = detach_by_id(Steering::kProgram, port->nic_, port->lock_.noted()); !clean) {
    port->lock_.keep_note();
    return std::unexpected(std::move(clean).error());
  }
  if (auto climbed = port->climb(options, *queues); !climbed)
    return std::unexpected(climbed.error());
  return port;
}

Port::Health Port::check() {
  Health health{.attached = steering_->holds(), .mtu_fits = true};
  if (const auto now = find_nic(nic_.name); now && now->index == nic_.index) {
    nic_.mtu = now->mtu;
    health.mtu_fits = kPacketHeadroom + longest_frame(nic_.mtu) <= frame_bytes_;
  }
  return health;
}

}  // namespace guideway::xdp
