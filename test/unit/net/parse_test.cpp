// Classifying frames: each cause for which one is refused, and what is read of a good one.
#include <set>
#include <string>

#include "net/packet.h"
#include "net/wire.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/frame_builder.h"

namespace guideway {
namespace {

using test::Bytes;
using test::FrameSpec;

std::string_view parse(const Bytes& frame) {
  test::GuardedMemory memory(frame.size());
  Packet packet;
  return kDropReasonNames[static_cast<std::size_t>(parse_frame(memory.at_end(frame), packet))];
}

std::string_view parse(const FrameSpec& spec) { return parse(test::build_frame(spec)); }

struct Refused {
  std::string_view case_name;
  std::string_view reason;
  FrameSpec spec;
};

const Refused kRefused[] = {
    {"IPv6", "not_ipv4", {.ether_type = 0x86dd}},
    {"ARP", "not_ipv4", {.ether_type = 0x0806}},
    {"an 802.3 length in place of a type", "not_ipv4", {.ether_type = 0x0040}},
    {"ARP behind a tag", "not_ipv4", {.tags = {{0x8100, 5}}, .ether_type = 0x0806}},
    {"three tags", "not_ipv4", {.tags = {{0x88a8, 1}, {0x8100, 2}, {0x8100, 3}}}},
    {"a tag of another type", "not_ipv4", {.tags = {{0x9100, 1}}}},
    {"version 5", "malformed_version", {.version = 5}},
    {"version 6 in an IPv4 frame", "malformed_version", {.version = 6}},
    {"version 0", "malformed_version", {.version = 0}},
    {"header of 0 bytes", "malformed_header_length", {.header_words = 0}},
    {"header of 16 bytes", "malformed_header_length", {.header_words = 4}},
    {"header beyond the frame", "malformed_header_length", {.header_words = 15, .payload = 8}},
    {"total length 0", "malformed_total_length", {.total_length = 0}},
    {"total length of the header less one", "malformed_total_length", {.total_length = 19}},
    {"total length below a header with options",
     "malformed_total_length",
     {.total_length = 20, .option_bytes = 8}},
    {"total length one beyond the frame",
     "malformed_total_length",
     {.total_length = 20 + 8 + 18 + 1}},
    {"total length 65535", "malformed_total_length", {.total_length = 65535}},
    {"IP checksum 0", "malformed_checksum", {.ip_checksum = 0}},
    {"IP checksum of other bytes", "malformed_checksum", {.ip_checksum = 0xbeef}},
    {"source on the loopback network", "malformed_source", {.source = "127.0.0.1"}},
    {"source 127.255.255.255", "malformed_source", {.source = "127.255.255.255"}},
    {"source 0.0.0.0", "malformed_source", {.source = "0.0.0.0"}},
    {"source 0.1.2.3", "malformed_source", {.source = "0.1.2.3"}},
    {"source multicast", "malformed_source", {.source = "224.0.0.1"}},
    {"source reserved", "malformed_source", {.source = "240.0.0.1"}},
    {"source broadcast", "malformed_source", {.source = "255.255.255.255"}},
    {"source is the VIP", "malformed_source", {.source = "198.51.100.1"}},
    {"first fragment", "fragment_refused", {.fragment = 0x2000}},
    {"middle fragment", "fragment_refused", {.fragment = 0x2010}},
    {"last fragment", "fragment_refused", {.fragment = 0x0010}},
    {"a fragment of 8 bytes offset with DF", "fragment_refused", {.fragment = 0x4001}},
    {"fragment of ICMP", "fragment_refused", {.fragment = 0x2000, .protocol = 1}},
    {"fragment too short for its ports", "fragment_refused", {.fragment = 0x1fff, .protocol = 6}},
    {"ICMP", "icmp_dropped", {.protocol = 1}},
    {"ICMP without a byte of payload", "icmp_dropped", {.protocol = 1, .payload = 0}},
    {"GRE", "no_service", {.protocol = 47}},
    {"SCTP", "no_service", {.protocol = 132}},
    {"protocol 0", "no_service", {.protocol = 0}},
    {"ICMPv6 in IPv4", "no_service", {.protocol = 58}},
    {"TCP header of 0 bytes", "malformed_tcp_offset", {.protocol = 6, .tcp_header_words = 0}},
    {"TCP header of 16 bytes", "malformed_tcp_offset", {.protocol = 6, .tcp_header_words = 4}},
    {"TCP header one word beyond the packet",
     "malformed_tcp_offset",
     {.protocol = 6, .tcp_header_words = 6, .payload = 0}},
    {"TCP header that ends in the padding",
     "malformed_tcp_offset",
     {.protocol = 6, .tcp_header_words = 6, .payload = 0, .padding = 6}},
    {"UDP header that ends in the padding",
     "malformed_truncated",
     {.total_length = 20 + 7, .payload = 0, .padding = 18}},
    {"TCP header that does not end",
     "malformed_truncated",
     {.total_length = 20 + 19, .protocol = 6, .payload = 0}},
    {"IP header alone, of UDP", "malformed_truncated", {.total_length = 20}},
    {"IP header alone, of TCP", "malformed_truncated", {.total_length = 20, .protocol = 6}},
};

TEST_CASE("a frame that may not be forwarded gives its reason") {
  for (const Refused& row : kRefused) {
    INFO(row.case_name);
    CHECK(parse(row.spec) == row.reason);
  }
}

TEST_CASE("a frame that may not be forwarded gives its reason behind VLAN tags too") {
  for (Refused row : kRefused) {
    if (!row.spec.tags.empty()) continue;
    row.spec.tags = {{0x88a8, 0x2007}, {0x8100, 0x0064}};
    INFO(row.case_name);
    CHECK(parse(row.spec) == row.reason);
  }
}

TEST_CASE("each reason that reading a frame can have is in the table") {
  std::set<std::string_view> seen;
  for (const Refused& row : kRefused) seen.insert(row.reason);
  // The others are for what comes after: snapshot, egress, rings.
  for (const std::string_view later :
       {"none", "no_backend", "no_next_hop", "too_big", "no_headroom", "tx_ring_full"})
    CHECK(seen.insert(later).second);
  for (const std::string_view name : kDropReasonNames) CHECK(seen.contains(name));
}

TEST_CASE("a good frame says its flow, its place and its length") {
  const FrameSpec spec{.type_of_service = 0xb9,
                       .protocol = 6,
                       .source_port = 40001,
                       .destination_port = 443,
                       .tcp_flags = kTcpSyn,
                       .payload = 5,
                       .padding = 1};
  const Bytes frame = test::build_frame(spec);
  Packet packet;
  REQUIRE(parse_frame(frame, packet) == DropReason::none);
  CHECK(packet.ip_offset == 14);
  CHECK(packet.ip_bytes == 20 + 20 + 5);
  CHECK(packet.type_of_service == 0xb9);
  CHECK(packet.tcp_flags == kTcpSyn);
  CHECK(Ipv4Address(Be32::from_wire(packet.flow.source_address)).text() == "203.0.113.7");
  CHECK(Ipv4Address(Be32::from_wire(packet.flow.destination_address)).text() == "198.51.100.1");
  CHECK(Be16::from_wire(packet.flow.source_port).host() == 40001);
  CHECK(Be16::from_wire(packet.flow.destination_port).host() == 443);
  CHECK(packet.flow.protocol == 6);
  CHECK((packet.flow.zero[0] | packet.flow.zero[1] | packet.flow.zero[2]) == 0);
}

TEST_CASE("what was in the packet before parsing does not show") {
  Packet packet;
  std::memset(static_cast<void*>(&packet), 0xff, sizeof packet);
  REQUIRE(parse_frame(test::build_frame({}), packet) == DropReason::none);
  CHECK(packet.tcp_flags == 0);
  CHECK((packet.flow.zero[0] | packet.flow.zero[1] | packet.flow.zero[2]) == 0);
}

TEST_CASE("good frames of every shape are accepted") {
  const std::pair<std::string_view, FrameSpec> rows[] = {
      {"UDP without payload", {.payload = 0}},
      {"UDP of 1500 bytes", {.payload = 1472}},
      {"TCP without payload", {.protocol = 6, .payload = 0}},
      {"TCP with 40 bytes of options",
       {.protocol = 6, .tcp_header_words = 15, .tcp_option_bytes = 40}},
      {"IP options of 4 bytes", {.option_bytes = 4}},
      {"IP options of 40 bytes", {.option_bytes = 40}},
      {"IP options with TCP", {.protocol = 6, .option_bytes = 40, .payload = 0}},
      {"DF clear", {.fragment = 0}},
      {"the reserved flag", {.fragment = 0x8000}},
      {"TTL 1", {.time_to_live = 1}},
      {"padding", {.payload = 0, .padding = 18}},
      {"a long trailer", {.padding = 1000}},
      {"port 0", {.source_port = 0, .destination_port = 0}},
      {"TCP without any flag", {.protocol = 6, .tcp_flags = 0}},
      {"source 223.255.255.255", {.source = "223.255.255.255"}},
      {"source 1.0.0.0", {.source = "1.0.0.0"}},
      {"source 128.0.0.1", {.source = "128.0.0.1"}},
  };
  for (const auto& [name, spec] : rows) {
    INFO(name);
    CHECK(parse(spec) == "none");
  }
}

TEST_CASE("one and two VLAN tags are skipped") {
  const std::pair<std::vector<std::pair<std::uint16_t, std::uint16_t>>, unsigned> rows[] = {
      {{}, 14},
      {{{0x8100, 0x0064}}, 18},
      {{{0x88a8, 0xffff}}, 18},
      {{{0x88a8, 0x0007}, {0x8100, 0x0064}}, 22},
      {{{0x8100, 0x0007}, {0x8100, 0x0064}}, 22},
  };
  for (const auto& [tags, offset] : rows) {
    const Bytes frame = test::build_frame({.tags = tags, .padding = 3});
    Packet packet;
    REQUIRE(parse_frame(frame, packet) == DropReason::none);
    CHECK(packet.ip_offset == offset);
    CHECK(packet.ip_bytes == 20 + 8 + 18);
    CHECK(Be16::from_wire(packet.flow.destination_port).host() == 80);
  }
}

// The reason that a frame of `spec`, which has nothing wrong, gives when only `bytes` of it came.
std::string_view cut_reason(const FrameSpec& spec, std::size_t bytes) {
  const std::size_t ip_at = 14 + 4 * spec.tags.size();
  if (bytes < ip_at + 20) return "malformed_truncated";
  if (bytes < ip_at + 20 + spec.option_bytes) return "malformed_header_length";
  return "malformed_total_length";
}

TEST_CASE("a good frame cut at any length is refused and never read beyond its end") {
  const FrameSpec rows[] = {
      {.payload = 20},
      {.protocol = 6, .tcp_header_words = 7, .tcp_option_bytes = 8, .payload = 3},
      {.option_bytes = 40, .payload = 1},
      {.tags = {{0x8100, 1}}, .protocol = 6, .payload = 0},
      {.tags = {{0x88a8, 1}, {0x8100, 2}}, .option_bytes = 8, .payload = 9},
  };
  for (const FrameSpec& spec : rows) {
    const Bytes whole = test::build_frame(spec);
    REQUIRE(parse(whole) == "none");
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      INFO(bytes << " of " << whole.size() << " bytes");
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
      CHECK(parse(cut) == cut_reason(spec, bytes));
    }
  }
}

TEST_CASE(
    "an IP packet of any length that its header admits to is refused until it has its ports") {
  for (unsigned total = 20; total <= 20 + 20 + 4; ++total) {
    INFO("total length " << total);
    const FrameSpec udp{.total_length = static_cast<std::uint16_t>(total), .payload = 40};
    CHECK(parse(udp) == (total < 28 ? "malformed_truncated" : "none"));
    FrameSpec tcp = udp;
    tcp.protocol = 6;
    CHECK(parse(tcp) == (total < 40 ? "malformed_truncated" : "none"));
  }
}

}  // namespace
}  // namespace guideway
