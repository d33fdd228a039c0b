// What bpf/steer.bpf.c would answer for a packet, without running it: the program counts whatever
// it is run on. The same table (bpf/README.md) in user space; a test holds the two against each
// other, over the table and over random packets.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "bpf/abi.h"

namespace guideway::xdp {

// The verdict of the program on `frame`, for a queue that a worker serves. `in_vips` says whether
// the VIP map has this key.
[[nodiscard]] gw_verdict steer_verdict(std::span<const std::byte> frame,
                                       const std::function<bool(const gw_vip_key&)>& in_vips);

}  // namespace guideway::xdp
