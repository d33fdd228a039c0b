#include "control/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace guideway::control::netlink {
namespace {

// The kernel makes datagrams of at most 32 KiB, larger ones only for the links of many virtual
// functions, which are not asked for.
constexpr std::size_t kBufferBytes = 64 << 10;
constexpr timeval kAnswerTime{.tv_sec = 1, .tv_usec = 0};
// A dump during which the table changed is begun again, so often at most.
constexpr int kDumpAttempts = 8;

// The attributes of one message by their type, nullptr where there is none; of the types below N.
template <std::size_t N>
using Attributes = std::array<const nlattr*, N>;

template <std::size_t N>
int keep_attribute(const nlattr* attribute, void* attributes) {
  const std::uint16_t type = mnl_attr_get_type(attribute);
  if (type < N) (*static_cast<Attributes<N>*>(attributes))[type] = attribute;
  return MNL_CB_OK;
}

template <std::size_t N>
Attributes<N> attributes_of(const nlmsghdr* message, std::size_t header_bytes) {
  Attributes<N> result{};
  mnl_attr_parse(message, static_cast<unsigned>(header_bytes), keep_attribute<N>, &result);
  return result;
}

template <std::size_t N>
Attributes<N> attributes_in(const nlattr* nest) {
  Attributes<N> result{};
  mnl_attr_parse_nested(nest, keep_attribute<N>, &result);
  return result;
}

// The value of an attribute that has this very size.
template <class T>
std::optional<T> value(const nlattr* attribute) {
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != sizeof(T)) return std::nullopt;
  T result;
  std::memcpy(&result, mnl_attr_get_payload(attribute), sizeof result);
  return result;
}

std::optional<Ipv4Address> address(const nlattr* attribute) {
  const auto wire = value<std::uint32_t>(attribute);
  return wire ? std::optional(Ipv4Address(Be32::from_wire(*wire))) : std::nullopt;
}

// The fixed header of a message, or nullptr if the message is too short to have it.
template <class Header>
const Header* header_of(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(Header)) return nullptr;
  return static_cast<const Header*>(mnl_nlmsg_get_payload(message));
}

std::optional<Link> parse_link(const nlmsghdr* message) {
  const auto* header = header_of<ifinfomsg>(message);
  // Bridges tell of their ports in messages of AF_BRIDGE, which are no devices of their own.
  if (header == nullptr || header->ifi_family != AF_UNSPEC) return std::nullopt;
  const auto attributes = attributes_of<IFLA_OPERSTATE + 1>(message, sizeof *header);
  Link link;
  link.device = static_cast<std::uint32_t>(header->ifi_index);
  if (attributes[IFLA_IFNAME] != nullptr) link.name = mnl_attr_get_str(attributes[IFLA_IFNAME]);
  const auto mac = value<MacAddress>(attributes[IFLA_ADDRESS]);
  link.mac = mac.value_or(MacAddress{});
  link.mtu = value<std::uint32_t>(attributes[IFLA_MTU]).value_or(0);
  link.running = (header->ifi_flags & IFF_UP) != 0 && (header->ifi_flags & IFF_RUNNING) != 0;
  link.ethernet = header->ifi_type == ARPHRD_ETHER && mac.has_value();
  return link;
}

std::optional<Neighbour> parse_neighbour(const nlmsghdr* message) {
  const auto* header = header_of<ndmsg>(message);
  if (header == nullptr || header->ndm_family != AF_INET || (header->ndm_flags & NTF_PROXY) != 0)
    return std::nullopt;
  const auto attributes = attributes_of<NDA_LLADDR + 1>(message, sizeof *header);
  const auto destination = address(attributes[NDA_DST]);
  if (!destination) return std::nullopt;
  Neighbour neighbour;
  neighbour.device = static_cast<std::uint32_t>(header->ndm_ifindex);
  neighbour.address = *destination;
  neighbour.state = header->ndm_state;
  if (const auto mac = value<MacAddress>(attributes[NDA_LLADDR])) {
    neighbour.mac = *mac;
    neighbour.has_mac = true;
  }
  return neighbour;
}

std::optional<Route> parse_route(const nlmsghdr* message) {
  const auto* header = header_of<rtmsg>(message);
  if (header == nullptr) return std::nullopt;
  if (header->rtm_type == RTN_LOCAL)
    return Route{.kind = Route::Kind::local, .device = 0, .gateway = {}, .mtu = 0};
  if (header->rtm_type != RTN_UNICAST) return Route{};
  const auto attributes = attributes_of<RTA_VIA + 1>(message, sizeof *header);
  Route route{.kind = Route::Kind::unicast,
              .device = value<std::uint32_t>(attributes[RTA_OIF]).value_or(0),
              .gateway = address(attributes[RTA_GATEWAY]),
              .mtu = 0};
  if (route.device == 0) return Route{};
  if (attributes[RTA_VIA] != nullptr) route.kind = Route::Kind::unsupported;
  if (attributes[RTA_METRICS] != nullptr) {
    const auto metrics = attributes_in<RTAX_MTU + 1>(attributes[RTA_METRICS]);
    route.mtu = value<std::uint32_t>(metrics[RTAX_MTU]).value_or(0);
  }
  return route;
}

std::optional<Event> parse_event(const nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK: return parse_link(message);
    case RTM_DELLINK:
      if (const auto link = parse_link(message)) return LinkGone{link->device};
      return std::nullopt;
    case RTM_NEWNEIGH: return parse_neighbour(message);
    case RTM_DELNEIGH:
      if (const auto gone = parse_neighbour(message))
        return NeighbourGone{gone->device, gone->address};
      return std::nullopt;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP: return RoutingChanged{};
    default: return std::nullopt;
  }
}

// A message under construction, with room for what the requests here hold.
struct Message {
  alignas(nlmsghdr) std::array<char, 256> bytes{};
  nlmsghdr* header = mnl_nlmsg_put_header(bytes.data());

  Message(std::uint16_t type, int flags) {
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  }
  template <class Header>
  Header& extra() {
    return *static_cast<Header*>(mnl_nlmsg_put_extra_header(header, sizeof(Header)));
  }
  void put(std::uint16_t type, Ipv4Address address) {
    mnl_attr_put_u32(header, type, address.wire().wire());
  }
};

Message neighbour_message(std::uint16_t type, int flags, std::uint32_t device,
                          Ipv4Address address) {
  Message message(type, flags);
  auto& header = message.extra<ndmsg>();
  header.ndm_family = AF_INET;
  header.ndm_ifindex = static_cast<int>(device);
  message.put(NDA_DST, address);
  return message;
}

Result<Socket> open_socket(int flags) {
  Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags));
  if (socket == nullptr) return fail_errno("opening a netlink socket", errno);
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return fail_errno("binding a netlink socket", errno);
  return socket;
}

template <class T>
bool set_option(const Socket& socket, int level, int option, T value) {
  return ::setsockopt(mnl_socket_get_fd(socket.get()), level, option, &value, sizeof value) == 0;
}

}  // namespace

bool Neighbour::usable() const {
  constexpr std::uint16_t kHasAddress =
      NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  return has_mac && (state & kHasAddress) != 0;
}

bool Neighbour::confirmed() const {
  return usable() && (state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP)) != 0;
}

bool Neighbour::failed() const { return (state & NUD_FAILED) != 0; }

void CloseSocket::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Requests::Requests(Socket socket) : socket_(std::move(socket)), buffer_(kBufferBytes) {}

Result<Requests> Requests::open() {
  auto socket = open_socket(0);
  if (!socket) return std::unexpected(std::move(socket).error());
  if (!set_option(*socket, SOL_SOCKET, SO_RCVTIMEO, kAnswerTime))
    return fail_errno("setting the time-out of a netlink socket", errno);
  return Requests(std::move(*socket));
}

int Requests::exchange(nlmsghdr* request, const OnMessage& on_message) {
  request->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) return errno;
  bool interrupted = false;
  while (true) {
    const auto bytes = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return errno == EAGAIN ? ETIMEDOUT : errno;
    int left = static_cast<int>(bytes);
    const auto* message = static_cast<const nlmsghdr*>(static_cast<const void*>(buffer_.data()));
    for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      // An answer that came after its time-out is nobody's.
      if (message->nlmsg_seq != sequence_) continue;
      interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (message->nlmsg_type == NLMSG_ERROR) {
        const auto* error = header_of<nlmsgerr>(message);
        return error == nullptr ? EBADMSG : -error->error;
      }
      if (message->nlmsg_type == NLMSG_DONE) return interrupted ? EINTR : 0;
      on_message(message);
      if ((message->nlmsg_flags & NLM_F_MULTI) == 0) return 0;
    }
  }
}

int Requests::dump(std::uint16_t type, std::uint8_t family, const std::function<void()>& on_begin,
                   const OnMessage& on_message) {
  int error = EINTR;
  for (int attempt = 0; error == EINTR && attempt < kDumpAttempts; ++attempt) {
    on_begin();
    Message request(type, NLM_F_DUMP);
    // All that is said in the header of any table's request is the family, which it begins with.
    request.extra<rtgenmsg>().rtgen_family = family;
    error = exchange(request.header, on_message);
  }
  return error;
}

Result<std::vector<Link>> Requests::links() {
  std::vector<Link> result;
  const int error = dump(
      RTM_GETLINK, AF_UNSPEC, [&] { result.clear(); },
      [&](const nlmsghdr* message) {
        if (auto link = parse_link(message)) result.push_back(std::move(*link));
      });
  if (error != 0) return fail_errno("asking the kernel for network devices", error);
  return result;
}

Result<std::vector<Neighbour>> Requests::neighbours() {
  std::vector<Neighbour> result;
  const int error = dump(
      RTM_GETNEIGH, AF_INET, [&] { result.clear(); },
      [&](const nlmsghdr* message) {
        if (const auto neighbour = parse_neighbour(message)) result.push_back(*neighbour);
      });
  if (error != 0) return fail_errno("asking the kernel for neighbours", error);
  return result;
}

Result<std::optional<Neighbour>> Requests::neighbour(std::uint32_t device, Ipv4Address address) {
  Message request = neighbour_message(RTM_GETNEIGH, 0, device, address);
  std::optional<Neighbour> result;
  const int error =
      exchange(request.header, [&](const nlmsghdr* m) { result = parse_neighbour(m); });
  if (error != 0 && error != ENOENT)
    return fail_errno("asking the kernel for neighbour " + address.text(), error);
  return result;
}

Result<Route> Requests::route(Ipv4Address destination, Ipv4Address source) {
  Message request(RTM_GETROUTE, 0);
  auto& header = request.extra<rtmsg>();
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 32;
  request.put(RTA_DST, destination);
  if (source != Ipv4Address()) {
    header.rtm_src_len = 32;
    request.put(RTA_SRC, source);
  }
  std::optional<Route> result;
  const int error = exchange(request.header, [&](const nlmsghdr* m) { result = parse_route(m); });
  switch (error) {
    case 0: return result.value_or(Route{});
    case EINVAL:  // a blackhole
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EACCES: return Route{};
    default: return fail_errno("asking the kernel for the route to " + destination.text(), error);
  }
}

int Requests::resolve(std::uint32_t device, Ipv4Address address, bool only_new) {
  const int flags = NLM_F_ACK | NLM_F_CREATE | (only_new ? NLM_F_EXCL : 0);
  Message request = neighbour_message(RTM_NEWNEIGH, flags, device, address);
  auto* header = static_cast<ndmsg*>(mnl_nlmsg_get_payload(request.header));
  header->ndm_state = NUD_NONE;
  header->ndm_flags = NTF_USE;
  return exchange(request.header, [](const nlmsghdr*) {});
}

Notifications::Notifications(Socket socket) : socket_(std::move(socket)), buffer_(kBufferBytes) {}

Result<Notifications> Notifications::open(std::size_t buffer_bytes) {
  auto socket = open_socket(SOCK_NONBLOCK);
  if (!socket) return std::unexpected(std::move(socket).error());
  // Beyond net.core.rmem_max with privilege only; without, what can be had is had.
  const int bytes = static_cast<int>(buffer_bytes);
  if (!set_option(*socket, SOL_SOCKET, SO_RCVBUFFORCE, bytes) &&
      !set_option(*socket, SOL_SOCKET, SO_RCVBUF, bytes))
    return fail_errno("setting the buffer of a netlink socket", errno);
  for (const int group :
       {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE})
    if (!set_option(*socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group))
      return fail_errno("subscribing to netlink notifications", errno);
  // Nexthop objects are there since Linux 5.3: where there are none, none change.
  (void)set_option(*socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, int{RTNLGRP_NEXTHOP});
  return Notifications(std::move(*socket));
}

int Notifications::fd() const { return mnl_socket_get_fd(socket_.get()); }

Notifications::Read Notifications::read(const std::function<void(const Event&)>& on_event) {
  const auto bytes = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
  if (bytes < 0) {
    if (errno == EINTR) return Read::some;
    // ENOBUFS: the kernel had no room for it; ENOSPC: this buffer had none.
    return errno == ENOBUFS || errno == ENOSPC ? Read::lost : Read::nothing;
  }
  int left = static_cast<int>(bytes);
  const auto* message = static_cast<const nlmsghdr*>(static_cast<const void*>(buffer_.data()));
  for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
    if (const auto event = parse_event(message)) on_event(*event);
  return Read::some;
}

}  // namespace guideway::control::netlink
