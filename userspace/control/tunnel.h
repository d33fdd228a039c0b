// Probes through the tunnel: as a client's packet would get to a backend, so that one whose
// decapsulation or loopback VIP is broken is found out.
//
//     probe's socket ──▶ TUN device ──▶ here: which backend? ──▶ GRE, raw socket ──▶ backend
//           ▲            (tunnel_route.h)   by the socket's port                        │
//           └──────────── from the VIP, past the tunnel, by the kernel ◀────────────────┘
//
// The inner packets have this host's tunnel address (encapsulation.source) as their source, the VIP
// as their destination; the outer headers are those of net/encapsulation.h, which the workers write
// too. What comes back is addressed to this host: no VIP, so the XDP program passes it.
//
// Threads: everything on the thread that runs the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>

#include "core/result.h"
#include "net/address.h"

namespace guideway::control {

class Tunnel {
 public:
  // Makes the device and its route. Fails where the kernel has no TUN, or without the right to it.
  [[nodiscard]] static Result<std::unique_ptr<Tunnel>> open(boost::asio::io_context& io,
                                                            Ipv4Address source);
  ~Tunnel();

  // Another source, for sockets that enter from now on.
  void set_source(Ipv4Address source);

  // Binds a new socket to `source` and a free port, and has its packets go to `backend`: those of
  // this port, until another socket enters with the same one. Fails, too, once somebody has deleted
  // the device.
  [[nodiscard]] Result<> enter(int socket, Protocol protocol, Ipv4Address backend);

  // Looks after what others can take away: puts rule and route back, and says so in the log. False:
  // the device is gone, and with it this tunnel. To be called once a second or so.
  [[nodiscard]] bool look_after();

  struct Counts {
    std::uint64_t sent = 0;     // packets, encapsulated
    std::uint64_t refused = 0;  // of no socket that entered, or not sent by the kernel
  };
  [[nodiscard]] Counts counts() const;

 private:
  class Impl;
  explicit Tunnel(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace guideway::control
