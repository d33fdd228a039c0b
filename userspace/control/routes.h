// Next hops from the kernel: for each backend, the device, its MAC address and that of the
// neighbour that packets to the backend are to be sent to. Nobody writes a MAC address into a file.
//
// Asks the kernel over rtnetlink (netlink.h): RTM_GETROUTE for the route of each destination, the
// neighbour table for the MAC address (neighbours.h), links for device address, MTU and state. Kept
// current by multicast notifications; after an overrun (ENOBUFS) everything is asked anew.
//
// Notifications that come in a burst make one round of questions and at most one call of the
// listener. Routes are also asked for once a minute, as a path MTU comes and goes unannounced.
//
// Errors: while running, what the kernel refuses is logged once, and tried again; until then the
// next hops stay as they were.
//
// Threads: everything on the thread that runs the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "net/address.h"

namespace guideway::control {

// How to reach one address.
struct NextHop {
  enum class State : std::uint8_t {
    resolved,
    no_route,     // unreachable, prohibited, local to this host, by an IPv6 gateway, or no route at
                  // all
    device_down,  // the route's device is down, without carrier, or gone
    resolving,    // the neighbour was asked for and has not answered yet
    failed,       // the neighbour does not answer; asked again from time to time
    no_ethernet,  // the device has no MAC addresses
  };
  State state = State::no_route;
  std::uint32_t device = 0;  // interface index; 0 with no_route
  std::string device_name;
  std::uint16_t mtu = 0;  // bytes of an IP packet: the smaller of the route's and the device's
  MacAddress device_mac{};
  Ipv4Address via{};  // the neighbour: a gateway, or the address itself
  MacAddress mac{};   // of the neighbour, when resolved

  friend bool operator==(const NextHop&, const NextHop&) = default;
};
[[nodiscard]] std::string_view name(NextHop::State state);

class Routes {
 public:
  using Listener = std::function<void()>;

  // Room for notifications that were not read yet. A thousand routes that change at once take about
  // 1 MiB (the kernel counts its own overhead); too little costs a full dump, nothing else.
  static constexpr std::size_t kNotificationBufferBytes = 4 << 20;

  // Opens the netlink sockets in this thread's network namespace. `changed` is called, on the
  // io_context, after next hops of watched addresses changed (several changes may be one call).
  [[nodiscard]] static Result<std::unique_ptr<Routes>> open(
      boost::asio::io_context& io, Listener changed,
      std::size_t notification_buffer_bytes = kNotificationBufferBytes);
  // May be destroyed from within the listener; it is not called again.
  ~Routes();

  // Watches these addresses and no others, asks for what is missing. The next hops are known to the
  // kernel's present answer when it returns, without a call of `changed`; unresolved neighbours
  // follow by `changed`. `source`, where given, is the source address of the packets, which policy
  // rules may look at. On failure the addresses are watched all the same, and asked for again.
  [[nodiscard]] Result<> watch(const std::vector<Ipv4Address>& addresses, Ipv4Address source = {});

  // nullptr: not watched. Valid until control returns to the io_context, or watch() is called.
  [[nodiscard]] const NextHop* find(Ipv4Address address) const;

 private:
  class Impl;
  explicit Routes(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // handlers of the io_context hold it weakly
};

}  // namespace guideway::control
