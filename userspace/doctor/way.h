// How packets will get to user space on an interface, as far as what was read of it tells: the rung
// of xdp/port.h that guidewayd will get.
//
// Threads: none of its own; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/model.h"
#include "doctor/facts.h"

namespace guideway::doctor {

enum class Way : std::uint8_t { unknown, generic, copy, zero_copy };
[[nodiscard]] std::string_view name(Way way);

// The best that this interface can do and the file allows, as far as is known.
[[nodiscard]] Way expected_way(const InterfaceFacts& facts, const control::Interface& config);

// Native XDP that can give packets to sockets.
[[nodiscard]] bool has_native(const XdpFeatures& xdp);

// Its driver would switch on queues of its own for XDP, and has as many to spare. guidewayd does
// not serve these (xdp/port.cpp says why), and so does not attach natively.
[[nodiscard]] bool switches_queues_on(const InterfaceFacts& facts);

// What the virtual machine's host has not given a virtio device, without which a driver that has
// zero-copy does not get it: "VIRTIO_F_RING_RESET". Empty: nothing, or not known.
[[nodiscard]] std::string missing_of_virtio(const InterfaceFacts& facts);

// With zero-copy a NIC may use less of a frame (xdp::packet_room): the largest MTU that fits then.
[[nodiscard]] std::uint32_t zero_copy_mtu_limit(const InterfaceFacts& facts,
                                                const control::Interface& config);

// Driver, device and frames are all fit for zero-copy. REQUIRES: facts.xdp is known.
[[nodiscard]] bool has_zero_copy(const InterfaceFacts& facts, const control::Interface& config);

}  // namespace guideway::doctor
