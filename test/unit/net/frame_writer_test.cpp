#include "net/frame_writer.h"

#include "net/packet.h"
#include "net/packet_text.h"
#include "support/catch.h"
#include "support/frame_builder.h"

namespace guideway::test {
namespace {

gw_flow_key flow(std::string_view text) { return parse_flow(text).value(); }

std::uint16_t word(const std::vector<std::byte>& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8 |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

// The transport checksum over pseudo header and segment, computed byte by byte: 0 if it is right.
std::uint16_t segment_sum(const std::vector<std::byte>& frame) {
  constexpr std::size_t kIp = 14, kSegment = 34;
  std::vector<std::byte> summed(frame.begin() + kIp + 12, frame.begin() + kSegment);
  summed.push_back(std::byte{0});
  summed.push_back(frame[kIp + 9]);
  const std::size_t bytes = frame.size() - kSegment;
  summed.push_back(static_cast<std::byte>(bytes >> 8));
  summed.push_back(static_cast<std::byte>(bytes & 0xff));
  summed.insert(summed.end(), frame.begin() + kSegment, frame.end());
  return internet_checksum(summed);
}

TEST_CASE("a frame that is written is what the parser takes, with its flow, flags and size") {
  for (const auto& [text, smallest] : {std::pair{"tcp 203.0.113.7:40000 198.51.100.1:80", 40},
                                       {"udp 10.1.2.3:1 198.51.100.9:65535", 28}}) {
    for (const int bytes : {0, smallest, smallest + 1, 1500, 4095, 65535}) {
      INFO(text << ", " << bytes << " bytes");
      const bool tcp = std::string_view(text).starts_with("tcp");
      const auto frame = write_frame({.flow = flow(text),
                                      .tcp_flags = kTcpSyn | kTcpAck,
                                      .ip_bytes = static_cast<std::uint16_t>(bytes)});
      Packet packet;
      REQUIRE(parse_frame(frame, packet) == DropReason::none);
      CHECK(flow_text(packet.flow) == text);
      CHECK(packet.ip_bytes == (bytes == 0 ? smallest : bytes));
      CHECK(frame.size() == 14U + packet.ip_bytes);
      CHECK(packet.tcp_flags == (tcp ? kTcpSyn | kTcpAck : 0));
    }
  }
}

TEST_CASE("a frame that is written has right checksums, and says its length in UDP") {
  for (const std::uint16_t port : {std::uint16_t{1}, std::uint16_t{40000}, std::uint16_t{65535}}) {
    for (const char* protocol : {"tcp", "udp"}) {
      for (const int bytes : {40, 61, 1500}) {
        const auto frame = write_frame({.flow = flow(std::string(protocol) + " 203.0.113.7:" +
                                                     std::to_string(port) + " 198.51.100.1:80"),
                                        .ip_bytes = static_cast<std::uint16_t>(bytes)});
        CHECK(internet_checksum(std::span(frame).subspan(14, 20)) == 0);
        CHECK(segment_sum(frame) == 0);
        if (protocol == std::string_view("udp")) {
          CHECK(word(frame, 14 + 20 + 4) == bytes - 20);
          CHECK(word(frame, 14 + 20 + 6) != 0);
        }
      }
    }
  }
}

TEST_CASE("a UDP checksum that comes out as zero is written as all ones") {
  // RFC 768. The source port that makes it so is found by trying them all.
  bool found = false;
  for (unsigned port = 1; port <= 65535; ++port) {
    const auto frame =
        write_frame({.flow = flow("udp 203.0.113.7:" + std::to_string(port) + " 198.51.100.1:53")});
    CHECK(word(frame, 40) != 0);
    found = found || word(frame, 40) == 0xffff;
  }
  CHECK(found);
}

}  // namespace
}  // namespace guideway::test
