// Headers as they lie on the wire. Packed, unaligned, integers in network byte order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/big_endian.h"

namespace guideway {

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;         // 802.1Q
inline constexpr std::uint16_t kEtherTypeServiceVlan = 0x88a8;  // 802.1ad

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolGre = 47;

struct EthernetHeader {
  std::array<std::uint8_t, 6> destination;
  std::array<std::uint8_t, 6> source;
  Be16 type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 1);

// What follows an EtherType of 802.1Q or 802.1ad.
struct VlanTag {
  Be16 control;  // priority, drop eligibility, VLAN identifier
  Be16 type;     // of what follows
};
static_assert(sizeof(VlanTag) == 4 && alignof(VlanTag) == 1);

// RFC 791, section 3.1, without options.
struct Ipv4Header {
  std::uint8_t version_and_length;  // length in 32-bit words
  std::uint8_t type_of_service;     // DSCP (6 bits), ECN (2 bits)
  Be16 total_length;                // bytes, header included
  Be16 identification;
  Be16 fragment;  // flags (3 bits), offset in 8 bytes (13 bits)
  std::uint8_t time_to_live;
  std::uint8_t protocol;
  Be16 checksum;
  Be32 source;
  Be32 destination;

  [[nodiscard]] std::uint8_t version() const { return version_and_length >> 4; }
  [[nodiscard]] std::uint8_t header_bytes() const {
    return static_cast<std::uint8_t>((version_and_length & 0x0f) * 4);
  }
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 1);
static_assert(offsetof(Ipv4Header, checksum) == 10 && offsetof(Ipv4Header, destination) == 16);

inline constexpr std::uint16_t kIpv4DontFragment = 0x4000;
inline constexpr std::uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr std::uint16_t kIpv4FragmentOffset = 0x1fff;

// RFC 9293, section 3.1.
struct TcpHeader {
  Be16 source_port;
  Be16 destination_port;
  Be32 sequence;
  Be32 acknowledgment;
  std::uint8_t data_offset;  // upper 4 bits, in 32-bit words
  std::uint8_t flags;
  Be16 window;
  Be16 checksum;
  Be16 urgent;
};
static_assert(sizeof(TcpHeader) == 20 && alignof(TcpHeader) == 1);

inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpAck = 0x10;

// RFC 768.
struct UdpHeader {
  Be16 source_port;
  Be16 destination_port;
  Be16 length;
  Be16 checksum;
};
static_assert(sizeof(UdpHeader) == 8 && alignof(UdpHeader) == 1);

// RFC 2784, section 2.1, without checksum; RFC 2890 options (key, sequence) absent.
struct GreHeader {
  Be16 flags_and_version;
  Be16 protocol;  // an EtherType
};
static_assert(sizeof(GreHeader) == 4 && alignof(GreHeader) == 1);

}  // namespace guideway
