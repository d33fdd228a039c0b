// A frame made up: what the first, or any other, packet of a flow looks like on the wire, for
// asking what would become of it. Not of the packet path: that changes frames, it makes none.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bpf/abi.h"
#include "net/wire.h"

namespace guideway {

struct FrameToWrite {
  gw_flow_key flow{};                // of TCP or UDP
  std::uint8_t tcp_flags = kTcpAck;  // of TCP
  std::uint16_t ip_bytes = 0;        // IP total length; 0: the smallest
};

// Bytes of the IP packet of `protocol` (TCP or UDP) that has no payload.
[[nodiscard]] constexpr std::uint16_t smallest_ip_bytes(std::uint8_t protocol) {
  return sizeof(Ipv4Header) + (protocol == kProtocolTcp ? sizeof(TcpHeader) : sizeof(UdpHeader));
}

// An Ethernet frame, untagged, with an IPv4 packet of TCP or UDP: DF set, TTL 64, a payload of
// zeros that fills it up to `ip_bytes`, all checksums right, MAC addresses that are nobody's.
// REQUIRES: TCP or UDP; `ip_bytes` is 0 or at least smallest_ip_bytes().
[[nodiscard]] std::vector<std::byte> write_frame(const FrameToWrite& wanted);

}  // namespace guideway
