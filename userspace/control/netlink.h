// rtnetlink (rtnetlink(7)) in typed values: the requests that next hops need, and the notifications
// that keep them current. Bytes and attributes end here; what the values mean is routes.h's.
//
// Errors: a request that the kernel refuses is an Error, except where an answer is a refusal.
//
// Threads: an object of each class is one thread's. The network namespace is that of the thread
// that opened it, for good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "net/address.h"

struct mnl_socket;
struct nlmsghdr;

namespace guideway::control::netlink {

// A network device.
struct Link {
  std::uint32_t device = 0;  // interface index
  std::string name;
  MacAddress mac{};
  std::uint32_t mtu = 0;  // bytes of an IP packet
  bool running = false;   // set up by the operator, and with carrier
  bool ethernet = false;  // has MAC addresses

  friend bool operator==(const Link&, const Link&) = default;
};

// An entry of the kernel's neighbour table.
struct Neighbour {
  std::uint32_t device = 0;
  Ipv4Address address{};
  MacAddress mac{};         // of `usable()` ones
  std::uint16_t state = 0;  // NUD_*
  bool has_mac = false;

  // Packets can be sent to `mac`.
  [[nodiscard]] bool usable() const;
  // Usable, and the kernel has nothing to find out: fresh, or not for the kernel to doubt.
  [[nodiscard]] bool confirmed() const;
  // Was asked, and did not answer.
  [[nodiscard]] bool failed() const;
};

// Where packets to an address go.
struct Route {
  enum class Kind : std::uint8_t {
    none,         // no route, or one that leads to no host: blackhole, prohibited, broadcast
    local,        // an address of this host
    unsupported,  // by an IPv6 gateway
    unicast,
  };
  Kind kind = Kind::none;
  std::uint32_t device = 0;
  std::optional<Ipv4Address> gateway;  // none: the address is on the link
  std::uint32_t mtu = 0;               // of the route, or learnt for the path; 0: the device's

  friend bool operator==(const Route&, const Route&) = default;
};

struct LinkGone {
  std::uint32_t device = 0;
};
struct NeighbourGone {
  std::uint32_t device = 0;
  Ipv4Address address{};
};
struct RoutingChanged {};  // routes, rules, nexthop objects or own addresses: any lookup may differ
using Event = std::variant<Link, LinkGone, Neighbour, NeighbourGone, RoutingChanged>;

struct CloseSocket {
  void operator()(mnl_socket* socket) const;
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

// Questions to the kernel, which it answers at once: a call blocks for no longer than that, and
// fails after a second.
class Requests {
 public:
  [[nodiscard]] static Result<Requests> open();

  [[nodiscard]] Result<std::vector<Link>> links();
  [[nodiscard]] Result<std::vector<Neighbour>> neighbours();
  // The entry of one neighbour; nullopt if there is none.
  [[nodiscard]] Result<std::optional<Neighbour>> neighbour(std::uint32_t device,
                                                           Ipv4Address address);

  // The route of packets to `destination`; where `source` is not 0.0.0.0, of those that have it, as
  // policy rules may tell. The kernel has no route for a source that is no address of this host.
  [[nodiscard]] Result<Route> route(Ipv4Address destination, Ipv4Address source);

  // Has the kernel resolve a neighbour, or confirm it, as if there were a packet to send to it.
  // With `only_new`, an entry that exists is left as it is (EEXIST). Returns 0 or an errno.
  // REQUIRES: the entry is not permanent, as the kernel would make an ordinary one of it.
  [[nodiscard]] int resolve(std::uint32_t device, Ipv4Address address, bool only_new);

  // For requests that are others' to make (tunnel_route.h). All return 0 or an errno.
  using OnMessage = std::function<void(const nlmsghdr*)>;
  // Sends `request` and reads its answer to the end. EINTR: a dump that is not of one moment.
  [[nodiscard]] int exchange(nlmsghdr* request, const OnMessage& on_message);
  // Asks for a whole table, beginning anew, by `on_begin`, when it changed under way.
  [[nodiscard]] int dump(std::uint16_t type, std::uint8_t family,
                         const std::function<void()>& on_begin, const OnMessage& on_message);

 private:
  explicit Requests(Socket socket);

  Socket socket_;
  std::uint32_t sequence_ = 0;
  std::vector<char> buffer_;
};

// What the kernel tells without being asked.
class Notifications {
 public:
  enum class Read : std::uint8_t {
    some,     // one datagram was read; there may be more
    nothing,  // none was there
    lost,     // some were lost before those that can be read now
  };

  // Subscribes to links, IPv4 neighbours, addresses, routes, rules and nexthop objects, with room
  // for `buffer_bytes` of them.
  [[nodiscard]] static Result<Notifications> open(std::size_t buffer_bytes);

  // Non-blocking; owned by this object.
  [[nodiscard]] int fd() const;
  // Calls `on_event` for each event of the next datagram.
  [[nodiscard]] Read read(const std::function<void(const Event&)>& on_event);

 private:
  explicit Notifications(Socket socket);

  Socket socket_;
  std::vector<char> buffer_;
};

}  // namespace guideway::control::netlink
