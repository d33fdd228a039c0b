#include "xdp/port.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>

#include "xdp/driver_support.h"

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

// virtio_net switches queues of its own on for XDP where it has some to spare, and packets come to
// those as to the others. They cannot be served: in copy mode the kernel sends nothing from them;
// and with zero-copy a queue that is switched off before the kernel has freed its closed socket
// keeps the memory of that, which crashes Linux 7.3 when the next program is attached. Which they
// are shows after attaching only: the program of somebody else may have had them switched on
// before.
Result<> check_queues_kept(const Nic& nic) {
  const auto now = find_nic(nic.name);
  if (!now) return std::unexpected(now.error());
  const std::uint32_t sending = kernel_transmit_queues(nic.name);
  const bool some_are_for_xdp =
      nic.driver == "virtio_net" && sending > 0 && now->receive_queues > sending;
  if (!some_are_for_xdp && now->receive_queues <= nic.receive_queues) return {};
  return fail("interface " + nic.name + ": with XDP the driver " + nic.driver + " receives on " +
                  std::to_string(now->receive_queues) +
                  " queues, of which some are its own for XDP and cannot be served",
              "use all its queues: ethtool -L " + nic.name +
                  " combined N, with the maximum that ethtool -l " + nic.name + " shows");
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

// Such a driver would take the program, and lose what it gives to sockets.
Result<> check_redirect(const Nic& nic) {
  const KernelVersion kernel = running_kernel();
  if (redirects(nic.driver, kernel)) return {};
  return fail("interface " + nic.name + ": " + why_no_native(nic.driver, kernel),
              "set mode: auto or generic for this interface");
}

Result<std::unique_ptr<Steering>> attach(const Nic& nic, AttachMode mode) {
  if (mode == AttachMode::native)
    if (auto usable = check_redirect(nic); !usable) return std::unexpected(usable.error());
  return Steering::attach(nic, mode);
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
  Error best_refused;  // why the best rung failed: the others are second choice
  const auto refused = [&](Error error) {
    if (options.ladder.size() > 1) spdlog::info("{}; trying the next mode", error.what);
    if (best_refused.what.empty()) best_refused = std::move(error);
  };
  bool native_refused = false;
  for (const Rung rung : options.ladder) {
    if (native_refused && rung.attach == AttachMode::native) continue;
    const auto frame_bytes = choose_frame_bytes(nic_, options.frame_bytes, rung.bind);
    if (!frame_bytes) {
      if (rung.bind == BindMode::copy) return std::unexpected(frame_bytes.error());
      refused(frame_bytes.error());
      continue;
    }
    if (!steering_ || steering_->mode() != rung.attach) {
      steering_.reset();
      auto steering = attach(nic_, rung.attach);
      if (!steering) {
        if (no_mode_helps(steering.error())) return std::unexpected(std::move(steering).error());
        native_refused = rung.attach == AttachMode::native;
        refused(std::move(steering).error());
        continue;
      }
      steering_ = std::move(*steering);
      lock_.note(steering_->program_id());
      if (auto kept = check_queues_kept(nic_); !kept) {
        native_refused = rung.attach == AttachMode::native;
        refused(std::move(kept).error());
        continue;
      }
    }
    SocketOptions socket_options = options.socket;
    socket_options.frame_bytes = frame_bytes_ = *frame_bytes;
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
  if (!said_polling_ && std::ranges::any_of(sockets_, &Socket::polls_receiving_only)) {
    said_polling_ = true;
    spdlog::info(
        "{}: busy polling does not send, as the driver {} has an interrupt of its own for that; "
        "sending is by wake-ups from now on",
        nic_.name, nic_.driver);
  }
  if (const auto now = find_nic(nic_.name); now && now->index == nic_.index) {
    nic_.mtu = now->mtu;
    health.mtu_fits =
        longest_frame(nic_.mtu) <= packet_room(nic_.driver, frame_bytes_, sockets_.front()->mode());
  }
  return health;
}

}  // namespace guideway::xdp
