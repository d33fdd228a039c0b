#include "net/frame_writer.h"

#include <cassert>
#include <cstring>
#include <span>

#include "net/checksum.h"

namespace guideway {
namespace {

constexpr std::uint8_t kVersion4And5Words = 0x45;
constexpr std::uint8_t kTcpOffset5Words = 0x50;
constexpr std::uint8_t kTimeToLive = 64;

// Puts a header's bytes at `offset`.
template <class Header>
void put(std::span<std::byte> bytes, std::size_t offset, const Header& header) {
  std::memcpy(bytes.data() + offset, &header, sizeof header);
}

// The complement of the sum as it lies in memory (net/checksum.h).
Be16 checksum_of(std::uint32_t sum) {
  return Be16::from_wire(static_cast<std::uint16_t>(~checksum_fold(sum)));
}

Ipv4Header ip_header(const FrameToWrite& wanted, std::uint16_t ip_bytes) {
  Ipv4Header ip{};
  ip.version_and_length = kVersion4And5Words;
  ip.total_length = Be16(ip_bytes);
  ip.fragment = Be16(kIpv4DontFragment);
  ip.time_to_live = kTimeToLive;
  ip.protocol = wanted.flow.protocol;
  ip.source = Be32::from_wire(wanted.flow.source_address);
  ip.destination = Be32::from_wire(wanted.flow.destination_address);
  ip.checksum = checksum_of(checksum_add(0, std::as_bytes(std::span(&ip, 1))));
  return ip;
}

// The pseudo header of TCP (RFC 9293, section 3.1) and UDP (RFC 768). Payload and padding are
// zeros and add nothing.
std::uint32_t pseudo_sum(const Ipv4Header& ip, std::uint16_t segment_bytes) {
  const Be16 words[] = {Be16(ip.protocol), Be16(segment_bytes)};
  const Be32 addresses[] = {ip.source, ip.destination};
  return checksum_add(checksum_add(0, std::as_bytes(std::span(addresses))),
                      std::as_bytes(std::span(words)));
}

TcpHeader tcp_header(const FrameToWrite& wanted, std::uint32_t pseudo) {
  TcpHeader tcp{};
  tcp.source_port = Be16::from_wire(wanted.flow.source_port);
  tcp.destination_port = Be16::from_wire(wanted.flow.destination_port);
  tcp.data_offset = kTcpOffset5Words;
  tcp.flags = wanted.tcp_flags;
  tcp.window = Be16(UINT16_MAX);
  tcp.checksum = checksum_of(checksum_add(pseudo, std::as_bytes(std::span(&tcp, 1))));
  return tcp;
}

UdpHeader udp_header(const FrameToWrite& wanted, std::uint16_t segment_bytes,
                     std::uint32_t pseudo) {
  UdpHeader udp{};
  udp.source_port = Be16::from_wire(wanted.flow.source_port);
  udp.destination_port = Be16::from_wire(wanted.flow.destination_port);
  udp.length = Be16(segment_bytes);
  udp.checksum = checksum_of(checksum_add(pseudo, std::as_bytes(std::span(&udp, 1))));
  // RFC 768: 0 would say that there is none.
  if (udp.checksum == Be16(0)) udp.checksum = Be16(UINT16_MAX);
  return udp;
}

}  // namespace

std::vector<std::byte> write_frame(const FrameToWrite& wanted) {
  const bool is_tcp = wanted.flow.protocol == kProtocolTcp;
  assert(is_tcp || wanted.flow.protocol == kProtocolUdp);
  const std::uint16_t smallest = smallest_ip_bytes(wanted.flow.protocol);
  const std::uint16_t ip_bytes = wanted.ip_bytes == 0 ? smallest : wanted.ip_bytes;
  assert(ip_bytes >= smallest);

  std::vector<std::byte> frame(sizeof(EthernetHeader) + ip_bytes);
  // Of the locally administered ones (IEEE 802, section 8.2).
  put(frame, 0,
      EthernetHeader{.destination = {0x02, 0, 0, 0, 0, 0x01},
                     .source = {0x02, 0, 0, 0, 0, 0x02},
                     .type = Be16(kEtherTypeIpv4)});
  const Ipv4Header ip = ip_header(wanted, ip_bytes);
  put(frame, sizeof(EthernetHeader), ip);
  constexpr std::size_t kSegment = sizeof(EthernetHeader) + sizeof(Ipv4Header);
  const auto segment_bytes = static_cast<std::uint16_t>(ip_bytes - sizeof(Ipv4Header));
  const std::uint32_t pseudo = pseudo_sum(ip, segment_bytes);
  if (is_tcp)
    put(frame, kSegment, tcp_header(wanted, pseudo));
  else
    put(frame, kSegment, udp_header(wanted, segment_bytes, pseudo));
  return frame;
}

}  // namespace guideway
