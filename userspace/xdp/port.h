// One interface in service: the steering program attached, and a socket on each queue, in the best
// mode of those that are allowed.
//
// The ladder: a rung is a way to attach and a way to bind. Rungs are tried in order until one holds
// for all queues. A failure that no other rung would mend (no privilege, a queue in use, no memory,
// the device down) ends the search.
//
// Threads: open() and the queries on the control thread; the sockets on their workers'.
// Owns: everything; what it opened is closed and detached when it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "xdp/interface_lock.h"
#include "xdp/nic.h"
#include "xdp/socket.h"
#include "xdp/steering.h"

namespace guideway::xdp {

struct Rung {
  AttachMode attach;
  BindMode bind;
};

// What `mode: auto` tries.
inline constexpr Rung kAutomaticLadder[] = {{AttachMode::native, BindMode::zero_copy},
                                            {AttachMode::native, BindMode::copy},
                                            {AttachMode::generic, BindMode::copy}};

struct PortOptions {
  std::string interface;
  std::span<const Rung> ladder = kAutomaticLadder;
  std::vector<std::uint32_t> queues;  // empty: all
  std::uint32_t frame_bytes = 0;      // 0: what the MTU needs, in the mode that is obtained
  SocketOptions socket;               // but for frame_bytes
};

class Port {
 public:
  // Nothing stays attached if it fails. Nothing is steered yet when it succeeds.
  [[nodiscard]] static Result<std::unique_ptr<Port>> open(const PortOptions& options);

  [[nodiscard]] const Nic& nic() const { return nic_; }
  [[nodiscard]] Steering& steering() { return *steering_; }
  [[nodiscard]] const Steering& steering() const { return *steering_; }
  // In the order of the queues asked for.
  [[nodiscard]] std::span<const std::unique_ptr<Socket>> sockets() const { return sockets_; }
  struct Health {
    bool attached;  // the steering program is still on the interface
    bool mtu_fits;  // the longest packets still fit the frames
  };
  // Looks again at what others can change while the port is in service; nic().mtu is of now then.
  // Says once what was found out meanwhile.
  [[nodiscard]] Health check();

  // Bytes of each frame of the UMEM.
  [[nodiscard]] std::uint32_t frame_bytes() const { return frame_bytes_; }

 private:
  [[nodiscard]] Result<> climb(const PortOptions& options, std::span<const std::uint32_t> queues);
  [[nodiscard]] Result<> bind_all(BindMode mode, const SocketOptions& options,
                                  std::span<const std::uint32_t> queues);

  Nic nic_;
  std::uint32_t frame_bytes_ = 0;
  InterfaceLock lock_;  // goes last
  std::unique_ptr<Steering> steering_;
  std::vector<std::unique_ptr<Socket>> sockets_;  // go first
  bool said_polling_ = false;
};

}  // namespace guideway::xdp
