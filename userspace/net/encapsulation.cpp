#include "net/encapsulation.h"

#include <cstring>
#include <span>

#include "net/checksum.h"

namespace guideway {

OuterTemplate make_outer_template(MacAddress device, MacAddress next_hop, Ipv4Address source,
                                  Ipv4Address destination) {
  OuterTemplate outer;
  outer.header.ethernet = {next_hop.bytes, device.bytes, Be16(kEtherTypeIpv4)};
  outer.header.ip = {
      .version_and_length = 0x45,
      .type_of_service = 0,
      .total_length = Be16(0),
      .identification = Be16(0),
      .fragment = Be16(kIpv4DontFragment),
      .time_to_live = kOuterTimeToLive,
      .protocol = kProtocolGre,
      .checksum = Be16(0),
      .source = source.wire(),
      .destination = destination.wire(),
  };
  outer.header.gre = {Be16(0), Be16(kEtherTypeIpv4)};
  outer.ip_sum = checksum_fold(checksum_add(0, std::as_bytes(std::span(&outer.header.ip, 1))));
  return outer;
}

std::byte* encapsulate(const OuterTemplate& outer, std::byte* inner_ip,
                       std::uint16_t inner_ip_bytes, std::uint8_t type_of_service) {
  std::byte* const frame = inner_ip - sizeof(OuterHeader);
  std::memcpy(frame, &outer.header, sizeof(OuterHeader));
  auto& ip = reinterpret_cast<OuterHeader*>(frame)->ip;
  ip.total_length = Be16(static_cast<std::uint16_t>(inner_ip_bytes + kOuterIpBytes));
  ip.type_of_service = type_of_service;
  // TOS is the low byte of a big-endian word: as a number on the wire it is that word itself.
  const std::uint32_t sum =
      outer.ip_sum + std::uint32_t{ip.total_length.wire()} + Be16(type_of_service).wire();
  ip.checksum = Be16::from_wire(static_cast<std::uint16_t>(~checksum_fold(sum)));
  return frame;
}

}  // namespace guideway
