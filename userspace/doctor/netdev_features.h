// Which XDP a device has, as the kernel says: the generic netlink family "netdev", since Linux 6.3
// (Documentation/netlink/specs/netdev.yaml).
//
// Threads: any; each call opens a socket of its own.
#pragma once

#include <cstdint>

#include "doctor/facts.h"

namespace guideway::doctor {

// Not supported: by a kernel before 6.3.
[[nodiscard]] Fact<XdpFeatures> read_netdev_features(std::uint32_t interface_index);

// What the mask of NETDEV_A_DEV_XDP_FEATURES says.
[[nodiscard]] XdpFeatures features_of(std::uint64_t mask, std::uint32_t zero_copy_segments);

}  // namespace guideway::doctor
