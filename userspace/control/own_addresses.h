// Which IPv4 addresses the host has for itself, in the network namespace of the calling thread.
//
// A packet to one of them is the kernel's own business: as a VIP it would be answered by this host
// where a backend should, so configurations are checked against them (config.h).
//
// Threads: any. Errors: the kernel has no memory or the process no descriptor left.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "net/address.h"

namespace guideway::control {

struct OwnAddress {
  Ipv4Address address;
  unsigned prefix_length = 32;
  std::string interface;
};

// All of them, in the order of the kernel, but for 127.0.0.0/8. What else is on the interface lo
// counts: that is where a VIP stands that a backend or a routing daemon has left there.
[[nodiscard]] Result<std::vector<OwnAddress>> own_addresses();

}  // namespace guideway::control
