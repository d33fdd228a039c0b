// The way to each backend as the kernel has it at this moment, asked once: control/netlink.h. No
// neighbour is asked for: what nobody has sent to yet may have no entry, which is no fault.
//
// Threads: any.
#pragma once

#include <span>
#include <vector>

#include "doctor/facts.h"

namespace guideway::doctor {

// `source`: of the packets to them; where it is no address of this host, routes are asked for
// without it.
[[nodiscard]] std::vector<BackendFacts> read_next_hops(std::span<const Ipv4Address> backends,
                                                       Ipv4Address source);

// The state by the kernel's mask (NUD_*).
[[nodiscard]] NeighbourFact::State neighbour_state(std::uint16_t mask);

}  // namespace guideway::doctor
