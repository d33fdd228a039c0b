// What there is to know about a network interface before packets are taken from it, and whether its
// MTU fits frames and driver.
//
// Threads: any; each call asks the kernel.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace guideway::xdp {

// How packets get between NIC and frames: by DMA, or copied by the kernel.
enum class BindMode : std::uint8_t { zero_copy, copy };
[[nodiscard]] std::string_view name(BindMode mode);

struct Nic {
  std::string name;
  std::uint32_t index = 0;
  std::string driver;     // as ethtool -i calls it; "unknown" if the driver does not say
  std::uint32_t mtu = 0;  // bytes of an IP packet
  bool up = false;
  std::uint32_t receive_queues = 1;
  std::uint32_t transmit_queues = 1;
};

// The interface `name` of this network namespace; an alternative name will do, Nic::name is the
// kernel's own. An interface that is not there is an Error that names those that are.
[[nodiscard]] Result<Nic> find_nic(const std::string& name);

// Whether its link is up at both ends (IFF_RUNNING); false also if that cannot be asked.
[[nodiscard]] bool has_carrier(const std::string& name);

// Transmit queues that the kernel itself sends by: fewer than Nic::transmit_queues where the driver
// keeps some for XDP. 0: not known.
[[nodiscard]] std::uint32_t kernel_transmit_queues(const std::string& name);

// The largest MTU that the driver's native XDP takes with packets in one buffer, as far as known;
// 0: not known, the kernel will say.
[[nodiscard]] std::uint32_t native_mtu_limit(std::string_view driver);

// Bytes of a frame in front of the packet: XDP_PACKET_HEADROOM, in copy mode too.
inline constexpr std::uint32_t kPacketHeadroom = 256;

// The longest Ethernet frame of an interface with this MTU: two VLAN tags included.
[[nodiscard]] constexpr std::uint32_t longest_frame(std::uint32_t mtu) { return mtu + 14 + 2 * 4; }

// The longest packet, Ethernet header included, that comes whole into a frame of `frame_bytes`. All
// behind the headroom, but with zero-copy only as many whole units as the NIC counts its receive
// buffers in. What is longer the NIC may split: two frames of which neither is a packet.
[[nodiscard]] std::uint32_t packet_room(std::string_view driver, std::uint32_t frame_bytes,
                                        BindMode mode);

// The frame size for the interface's MTU: `wanted`, or where that is 0 the smaller of 2048 and 4096
// that fits. An MTU that does not fit is an Error that says what to set.
[[nodiscard]] Result<std::uint32_t> choose_frame_bytes(const Nic& nic, std::uint32_t wanted,
                                                       BindMode mode);

}  // namespace guideway::xdp
