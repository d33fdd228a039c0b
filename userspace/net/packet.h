// Classifying a frame: from bytes to the flow that it belongs to, or to the reason why it belongs
// to none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bpf/abi.h"
#include "net/address.h"
#include "net/drop_reason.h"

namespace guideway {

// What a frame says about itself, once it is known to be well-formed.
struct Packet {
  std::uint16_t ip_offset{};       // bytes from the frame's start to the IP header
  std::uint16_t ip_bytes{};        // IP total length: what lies behind it is padding
  std::uint8_t type_of_service{};  // DSCP and ECN
  std::uint8_t tcp_flags{};        // 0 for UDP
  gw_flow_key flow{};
};

// What the packets of a flow are addressed to.
[[nodiscard]] inline Endpoint destination_of(const gw_flow_key& flow) {
  return {.address = Ipv4Address(Be32::from_wire(flow.destination_address)),
          .port = Be16::from_wire(flow.destination_port).host(),
          .protocol = static_cast<Protocol>(flow.protocol)};
}

// Reads a frame from its Ethernet header on, at most two VLAN tags skipped, and fills `packet`.
// Returns `none` if it is a whole TCP or UDP packet that may be forwarded, else why it is not;
// `packet` is then unspecified. Never reads outside `frame`. Order of checks: docs/packets.md.
[[nodiscard]] DropReason parse_frame(std::span<const std::byte> frame, Packet& packet);

}  // namespace guideway
