#include "doctor/netdev_features.h"

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>

namespace guideway::doctor {
namespace {

// Younger than the headers of some systems: linux/netdev.h, and Documentation/netlink/specs/
// netdev.yaml of the kernel, which it is made from.
constexpr const char* kFamily = "netdev";
constexpr std::uint8_t kCommandDevGet = 1;  // NETDEV_CMD_DEV_GET
enum DevAttribute : std::uint16_t {         // NETDEV_A_DEV_*
  kIfindex = 1,
  kXdpFeatures = 3,
  kXdpZcMaxSegs = 4,
};
enum XdpAct : std::uint64_t {  // NETDEV_XDP_ACT_*
  kBasic = 1,
  kRedirect = 2,
  kNdoXmit = 4,
  kXskZeroCopy = 8,
  kRxSg = 32,
};

constexpr timeval kAnswerTime{.tv_sec = 1, .tv_usec = 0};

struct CloseSocket {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;
using OnAttribute = std::function<void(const nlattr*)>;

// A request of one generic netlink command, and one attribute at most in it.
struct Request {
  alignas(nlmsghdr) std::array<char, 128> bytes{};
  nlmsghdr* header = mnl_nlmsg_put_header(bytes.data());

  Request(std::uint16_t family, std::uint8_t command) {
    header->nlmsg_type = family;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    auto* generic =
        static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(header, sizeof(genlmsghdr)));
    generic->cmd = command;
    generic->version = 1;
  }
};

template <class T>
std::optional<T> value_of(const nlattr* attribute) {
  if (mnl_attr_get_payload_len(attribute) != sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, mnl_attr_get_payload(attribute), sizeof value);
  return value;
}

int take_attribute(const nlattr* attribute, void* on_attribute) {
  (*static_cast<const OnAttribute*>(on_attribute))(attribute);
  return MNL_CB_OK;
}

int take_message(const nlmsghdr* message, void* on_attribute) {
  return mnl_attr_parse(message, sizeof(genlmsghdr), take_attribute, on_attribute);
}

// Sends `request` and reads to its acknowledgement; 0 or an errno.
int exchange(const Socket& socket, Request& request, const OnAttribute& on_attribute) {
  request.header->nlmsg_seq = 1;
  if (mnl_socket_sendto(socket.get(), request.header, request.header->nlmsg_len) < 0) return errno;
  alignas(nlmsghdr) std::array<char, 16384> buffer{};
  OnAttribute take = on_attribute;
  while (true) {
    const auto bytes = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return errno == EAGAIN ? ETIMEDOUT : errno;
    const int state = mnl_cb_run(buffer.data(), static_cast<std::size_t>(bytes), 1,
                                 mnl_socket_get_portid(socket.get()), take_message, &take);
    if (state < 0) return errno;
    if (state == MNL_CB_STOP) return 0;
  }
}

Socket open_socket() {
  Socket socket(mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC));
  if (socket == nullptr || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return nullptr;
  (void)::setsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &kAnswerTime,
                     sizeof kAnswerTime);
  return socket;
}

}  // namespace

XdpFeatures features_of(std::uint64_t mask, std::uint32_t zero_copy_segments) {
  return {.source = XdpFeatures::Source::kernel,
          .native = (mask & kBasic) != 0,
          .redirect = (mask & kRedirect) != 0,
          .zero_copy = (mask & kXskZeroCopy) != 0,
          .transmit = (mask & kNdoXmit) != 0,
          .multi_buffer = (mask & kRxSg) != 0,
          .zero_copy_segments = zero_copy_segments,
          .raw = mask};
}

Fact<XdpFeatures> read_netdev_features(std::uint32_t interface_index) {
  const std::string doing = "asking the kernel for XDP features";
  const Socket socket = open_socket();
  if (socket == nullptr) return unknown_errno(doing, errno);

  std::uint16_t family = 0;
  Request find(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
  mnl_attr_put_strz(find.header, CTRL_ATTR_FAMILY_NAME, kFamily);
  if (const int error = exchange(socket, find,
                                 [&](const nlattr* attribute) {
                                   if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
                                     family = value_of<std::uint16_t>(attribute).value_or(0);
                                 });
      error != 0 || family == 0) {
    if (error == ENOENT || error == 0)
      return Unknown{Why::not_supported, doing + ": only Linux 6.3 and later tell"};
    return unknown_errno(doing, error);
  }

  std::optional<std::uint64_t> mask;
  std::uint32_t segments = 0;
  Request ask(family, kCommandDevGet);
  mnl_attr_put_u32(ask.header, kIfindex, interface_index);
  if (const int error = exchange(socket, ask,
                                 [&](const nlattr* attribute) {
                                   switch (mnl_attr_get_type(attribute)) {
                                     case kXdpFeatures:
                                       mask = value_of<std::uint64_t>(attribute);
                                       break;
                                     case kXdpZcMaxSegs:
                                       segments = value_of<std::uint32_t>(attribute).value_or(0);
                                       break;
                                     default: break;
                                   }
                                 });
      error != 0)
    return unknown_errno(doing, error);
  if (!mask) return Unknown{Why::failed, doing + ": the answer does not have them"};
  return features_of(*mask, segments);
}

}  // namespace guideway::doctor
