// Flows and packets as people write them: "tcp 203.0.113.7:40000 198.51.100.1:80", "syn,ack", a
// packet's bytes in hexadecimal. All of it may come from a stranger: an Error says what would be
// right, and shows nothing of the text that could move a terminal's cursor.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/abi.h"
#include "core/result.h"

namespace guideway {

// Bytes of a packet that is given as text, at most.
inline constexpr std::size_t kMaxPacketTextBytes = 4096;

// "PROTOCOL CLIENT:PORT VIP:PORT", with blanks in between; the protocol is tcp or udp, a port 1 to
// 65535.
[[nodiscard]] Result<gw_flow_key> parse_flow(std::string_view text);
// The same of a flow: "tcp 203.0.113.7:40000 198.51.100.1:80".
[[nodiscard]] std::string flow_text(const gw_flow_key& flow);

// Names of TCP flags (fin, syn, rst, psh, ack, urg, ece, cwr), one or more, with ',', '|' or '+' in
// between; "none": none is set.
[[nodiscard]] Result<std::uint8_t> parse_tcp_flags(std::string_view text);
// The same of flags: "syn,ack".
[[nodiscard]] std::string tcp_flags_text(std::uint8_t flags);

// IP bytes of a packet of `protocol`: a number from the smallest that its headers need to 65535.
[[nodiscard]] Result<std::uint16_t> parse_ip_bytes(std::string_view text, std::uint8_t protocol);

// An Ethernet frame out of hexadecimal digits, with blanks, line ends and colons where one likes.
// What begins with 4 is an IPv4 packet, and gets an Ethernet header; unless the EtherType of IP,
// ARP or a VLAN is where a frame has it, and what there is is no IPv4 header with a right checksum:
// then it is a frame whose MAC address begins so. An IPv6 packet, which begins with 6 and is of the
// length that it says, gets one, too. Fails where the digits are none, or are an odd
// number of them, or more than kMaxPacketTextBytes bytes.
[[nodiscard]] Result<std::vector<std::byte>> parse_packet(std::string_view hex);

}  // namespace guideway
