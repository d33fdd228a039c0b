// Frames for tests: a plain description of an Ethernet frame, every field of which can be wrong,
// and its bytes. Written from the RFCs and not with userspace/net, so that the two check each
// other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "net/address.h"
#include "support/bytes.h"

namespace guideway::test {

// The address of `text`; for literals that are right.
[[nodiscard]] inline Ipv4Address ip(std::string_view text) {
  return Ipv4Address::parse(text).value();
}

// RFC 1071, byte by byte, in the order of the network.
[[nodiscard]] inline std::uint16_t internet_checksum(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// What is left out of a description is right: lengths and the IP checksum are those of the rest.
struct FrameSpec {
  // Ethernet
  std::vector<std::pair<std::uint16_t, std::uint16_t>> tags{};  // (EtherType, control) outside in
  std::uint16_t ether_type = 0x0800;
  // IPv4
  std::uint8_t version = 4;
  std::optional<std::uint8_t> header_words{};
  std::uint8_t type_of_service = 0;
  std::optional<std::uint16_t> total_length{};
  std::uint16_t identification = 0x1234;
  std::uint16_t fragment = 0x4000;  // flags and offset; DF
  std::uint8_t time_to_live = 57;
  std::uint8_t protocol = 17;
  std::optional<std::uint16_t> ip_checksum{};
  std::string_view source = "203.0.113.7";
  std::string_view destination = "198.51.100.1";
  std::size_t option_bytes = 0;  // a multiple of 4, at most 40; no-operation options
  // TCP or UDP
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 80;
  std::uint8_t tcp_flags = 0x10;  // ACK
  std::uint8_t tcp_header_words = 5;
  std::size_t tcp_option_bytes = 0;
  std::size_t payload = 18;  // bytes behind the transport header
  // Behind the IP packet
  std::size_t padding = 0;
};

namespace detail {
inline void put8(Bytes& out, unsigned value) { out.push_back(static_cast<std::byte>(value)); }
inline void put16(Bytes& out, unsigned value) {
  put8(out, value >> 8 & 0xff);
  put8(out, value & 0xff);
}
inline void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
inline void put(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }
}  // namespace detail

// The transport header and payload of `spec`; checksums 0, nobody on the way looks at them.
[[nodiscard]] inline Bytes build_segment(const FrameSpec& spec) {
  using namespace detail;
  Bytes out;
  if (spec.protocol == 6 || spec.protocol == 17) {
    put16(out, spec.source_port);
    put16(out, spec.destination_port);
  }
  if (spec.protocol == 6) {
    put32(out, 0x01020304);
    put32(out, 0x05060708);
    put8(out, static_cast<unsigned>(spec.tcp_header_words << 4));
    put8(out, spec.tcp_flags);
    put16(out, 65535);
    put32(out, 0);
    for (std::size_t i = 0; i < spec.tcp_option_bytes; ++i) put8(out, 1);
  } else if (spec.protocol == 17) {
    put16(out, static_cast<unsigned>(8 + spec.payload));
    put16(out, 0);
  }
  for (std::size_t i = 0; i < spec.payload; ++i) put8(out, static_cast<unsigned>(i * 7 + 3) & 0xff);
  return out;
}

[[nodiscard]] inline Bytes build_ip(const FrameSpec& spec) {
  using namespace detail;
  const Bytes segment = build_segment(spec);
  const std::size_t header_bytes = 20 + spec.option_bytes;
  const unsigned words = spec.header_words.value_or(static_cast<std::uint8_t>(header_bytes / 4));
  Bytes out;
  put8(out, static_cast<unsigned>(spec.version) << 4 | words);
  put8(out, spec.type_of_service);
  put16(out, spec.total_length.value_or(static_cast<std::uint16_t>(header_bytes + segment.size())));
  put16(out, spec.identification);
  put16(out, spec.fragment);
  put8(out, spec.time_to_live);
  put8(out, spec.protocol);
  put16(out, 0);
  put32(out, ip(spec.source).host());
  put32(out, ip(spec.destination).host());
  for (std::size_t i = 0; i < spec.option_bytes; ++i) put8(out, 1);
  const std::uint16_t checksum = spec.ip_checksum.value_or(internet_checksum(out));
  out[10] = static_cast<std::byte>(checksum >> 8);
  out[11] = static_cast<std::byte>(checksum & 0xff);
  put(out, segment);
  return out;
}

[[nodiscard]] inline Bytes build_frame(const FrameSpec& spec) {
  using namespace detail;
  Bytes out = from_hex("020000000001020000000002");
  for (const auto& [type, control] : spec.tags) {
    put16(out, type);
    put16(out, control);
  }
  put16(out, spec.ether_type);
  put(out, build_ip(spec));
  for (std::size_t i = 0; i < spec.padding; ++i) put8(out, 0xee);
  return out;
}

}  // namespace guideway::test
