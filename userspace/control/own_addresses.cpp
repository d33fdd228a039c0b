#include "control/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

namespace guideway::control {
namespace {

std::uint32_t wire_of(const sockaddr* address) {
  sockaddr_in ipv4{};
  std::memcpy(&ipv4, address, sizeof(ipv4));
  return ipv4.sin_addr.s_addr;
}

}  // namespace

Result<std::vector<OwnAddress>> own_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return fail_errno("listing this host's addresses", errno);
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(first, &::freeifaddrs);
  std::vector<OwnAddress> result;
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const Ipv4Address address(Be32::from_wire(wire_of(entry->ifa_addr)));
    if (address.is_loopback()) continue;
    const std::string label = entry->ifa_name;
    OwnAddress own{.address = address, .interface = label.substr(0, label.find(':'))};
    if (entry->ifa_netmask != nullptr)
      own.prefix_length = static_cast<unsigned>(std::popcount(wire_of(entry->ifa_netmask)));
    result.push_back(std::move(own));
  }
  return result;
}

}  // namespace guideway::control
