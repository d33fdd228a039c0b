#include "control/tunnel_route.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace guideway::control {
namespace {

// Before the main table (32766), behind what an operator puts first.
constexpr std::uint32_t kRulePriority = 30000;
// With the outer header still below what Ethernet takes.
constexpr std::uint32_t kMtu = 1400;

struct RuleMessage {
  alignas(nlmsghdr) std::array<char, 128> bytes{};
  nlmsghdr* header = mnl_nlmsg_put_header(bytes.data());

  RuleMessage(std::uint16_t type, int flags, std::uint32_t mark) {
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    auto* rule =
        static_cast<fib_rule_hdr*>(mnl_nlmsg_put_extra_header(header, sizeof(fib_rule_hdr)));
    rule->family = AF_INET;
    rule->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(header, FRA_PRIORITY, kRulePriority);
    mnl_attr_put_u32(header, FRA_FWMARK, mark);
    mnl_attr_put_u32(header, FRA_FWMASK, 0xffffffff);
    mnl_attr_put_u32(header, FRA_TABLE, mark);
  }
};

struct TakeMark {
  std::uint32_t mark = 0;
  static int from(const nlattr* attribute, void* to) {
    if (mnl_attr_get_type(attribute) == FRA_FWMARK &&
        mnl_attr_get_payload_len(attribute) == sizeof(std::uint32_t))
      static_cast<TakeMark*>(to)->mark = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
  }
};

void no_answer(const nlmsghdr*) {}

bool exists(std::uint32_t device) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(device, name.data()) != nullptr;
}

}  // namespace

Result<> TunnelRoute::make_device() {
  const std::string doing = "making a TUN device for probes through the tunnel";
  const std::string hint =
      "modprobe tun, run as root or with CAP_NET_ADMIN, or set via: direct for these checks";
  device_ = UniqueFd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device_.valid()) return fail_errno(doing + ": opening /dev/net/tun", errno, hint);
  ifreq request{};
  std::strncpy(request.ifr_name, "gwprobe%d", IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(device_.get(), TUNSETIFF, &request) != 0) return fail_errno(doing, errno, hint);
  name_ = request.ifr_name;
  index_ = ::if_nametoindex(name_.c_str());
  mark_ = kMarkBase | (index_ & ~kMarkMask);
  return {};
}

// Rules of devices that are no more.
Result<> TunnelRoute::remove_leftovers() {
  std::vector<std::uint32_t> marks;
  const int error = requests_.dump(
      RTM_GETRULE, AF_INET, [&] { marks.clear(); },
      [&](const nlmsghdr* message) {
        TakeMark found;
        mnl_attr_parse(message, sizeof(fib_rule_hdr), TakeMark::from, &found);
        if ((found.mark & kMarkMask) == kMarkBase) marks.push_back(found.mark);
      });
  if (error != 0) return fail_errno("asking the kernel for policy rules", error);
  for (const std::uint32_t mark : marks) {
    // One with our own number is an earlier device's, too: ours has no rule yet.
    if (exists(mark & ~kMarkMask) && mark != mark_) continue;
    RuleMessage rule(RTM_DELRULE, 0, mark);
    (void)requests_.exchange(rule.header, no_answer);
  }
  return {};
}

// Sets the device up.
Result<> TunnelRoute::set_up() {
  std::array<char, 128> bytes{};
  nlmsghdr* link = mnl_nlmsg_put_header(bytes.data());
  link->nlmsg_type = RTM_NEWLINK;
  link->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  auto* up = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(link, sizeof(ifinfomsg)));
  up->ifi_family = AF_UNSPEC;
  up->ifi_index = static_cast<int>(index_);
  up->ifi_flags = up->ifi_change = IFF_UP;
  mnl_attr_put_u32(link, IFLA_MTU, kMtu);
  if (const int error = requests_.exchange(link, no_answer); error != 0)
    return fail_errno("routing probes into " + name_ + ": setting it up", error);
  return {};
}

// False: it is there. Neither of these two tells the subscribers of changes anything then.
Result<bool> TunnelRoute::add_route() {
  std::array<char, 128> bytes{};
  nlmsghdr* route = mnl_nlmsg_put_header(bytes.data());
  route->nlmsg_type = RTM_NEWROUTE;
  route->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  auto* to = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(route, sizeof(rtmsg)));
  to->rtm_family = AF_INET;
  to->rtm_protocol = RTPROT_STATIC;
  to->rtm_scope = RT_SCOPE_LINK;
  to->rtm_type = RTN_UNICAST;
  mnl_attr_put_u32(route, RTA_TABLE, mark_);
  mnl_attr_put_u32(route, RTA_OIF, index_);
  const int error = requests_.exchange(route, no_answer);
  if (error == 0 || error == EEXIST) return error == 0;
  return fail_errno("routing probes into " + name_ + ": adding a route", error);
}

Result<bool> TunnelRoute::add_rule() {
  RuleMessage rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, mark_);
  const int error = requests_.exchange(rule.header, no_answer);
  if (error == 0 || error == EEXIST) {
    has_rule_ = true;
    return error == 0;
  }
  return fail_errno("routing probes into " + name_ + ": adding a policy rule", error);
}

Result<bool> TunnelRoute::restore() {
  auto route = add_route();
  if (!route) {  // the device is down
    if (auto up = set_up(); !up) return std::unexpected(std::move(up).error());
    route = add_route();
    if (!route) return route;
    *route = true;
  }
  const auto rule = add_rule();
  if (!rule) return rule;
  return *route || *rule;
}

Result<TunnelRoute> TunnelRoute::open() {
  auto requests = netlink::Requests::open();
  if (!requests) return std::unexpected(std::move(requests).error());
  TunnelRoute route(std::move(*requests));
  if (auto done = route.make_device(); !done) return std::unexpected(std::move(done).error());
  if (auto done = route.remove_leftovers(); !done) return std::unexpected(std::move(done).error());
  if (auto done = route.set_up(); !done) return std::unexpected(std::move(done).error());
  if (auto done = route.restore(); !done) return std::unexpected(std::move(done).error());
  return route;
}

TunnelRoute::TunnelRoute(TunnelRoute&& other) noexcept
    : requests_(std::move(other.requests_)),
      device_(std::move(other.device_)),
      name_(std::move(other.name_)),
      index_(other.index_),
      mark_(other.mark_),
      has_rule_(std::exchange(other.has_rule_, false)) {}

TunnelRoute::~TunnelRoute() {
  if (!has_rule_) return;
  RuleMessage rule(RTM_DELRULE, 0, mark_);
  (void)requests_.exchange(rule.header, no_answer);
}

}  // namespace guideway::control
