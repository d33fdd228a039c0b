#include "net/packet_text.h"

#include "net/frame_writer.h"
#include "net/packet.h"
#include "net/wire.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/frame_builder.h"

namespace guideway::test {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kExample = "tcp 203.0.113.7:40000 198.51.100.1:80";

template <class T>
std::string error_of(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().text();
}

TEST_CASE("a flow is read as it is shown, with any blanks in between") {
  for (const std::string text : {kExample, "udp 10.0.0.1:1 198.51.100.1:65535"})
    CHECK(flow_text(parse_flow(text).value()) == text);
  CHECK(flow_text(parse_flow("  tcp\t203.0.113.7:40000   198.51.100.1:80\n").value()) == kExample);
  const gw_flow_key flow = parse_flow(kExample).value();
  CHECK(flow.source_address == ip("203.0.113.7").wire().wire());
  CHECK(flow.destination_address == ip("198.51.100.1").wire().wire());
  CHECK(Be16::from_wire(flow.source_port).host() == 40000);
  CHECK(Be16::from_wire(flow.destination_port).host() == 80);
  CHECK(flow.protocol == 6);
}

TEST_CASE("a flow that is none says what is wrong and what would be right") {
  const auto says = [](std::string_view text) { return error_of(parse_flow(text)); };
  CHECK_THAT(says(""), Contains("three words") && Contains("not 0") && Contains(kExample));
  CHECK_THAT(says("tcp 203.0.113.7:40000"), Contains("not 2") && Contains(kExample));
  CHECK_THAT(says("tcp 203.0.113.7:40000 198.51.100.1:80 x"), Contains("not 4"));
  CHECK_THAT(says("icmp 203.0.113.7:1 198.51.100.1:1"),
             Contains("must be tcp or udp, not \"icmp\"") && Contains("icmp_dropped"));
  CHECK_THAT(says("TCP 203.0.113.7:1 198.51.100.1:1"), Contains("must be tcp or udp, not \"TCP\""));
  CHECK_THAT(says("tcp 203.0.113.7 198.51.100.1:80"), Contains("the client must be ADDRESS:PORT"));
  CHECK_THAT(says("tcp 203.0.113.7:1 198.51.100.1"), Contains("the VIP must be ADDRESS:PORT"));
  CHECK_THAT(says("tcp 203.0.113:1 198.51.100.1:80"),
             Contains("the client's address") && Contains("not \"203.0.113\""));
  CHECK_THAT(says("tcp 203.0.113.7:1 198.51.100.256:80"), Contains("the VIP's address"));
  CHECK_THAT(says("tcp 2001:db8::1:80 198.51.100.1:80"), Contains("must be an IPv4 address"));
  for (const std::string port : {"0", "65536", "-1", "80x", "", "+80", " 80"}) {
    INFO(port);
    CHECK_FALSE(parse_flow("tcp 203.0.113.7:1 198.51.100.1:" + port).has_value());
  }
  CHECK_THAT(says("tcp 203.0.113.7:0 198.51.100.1:80"),
             Contains("the client's port must be a number from 1 to 65535, not \"0\""));
}

TEST_CASE("an error shows no control characters, and not more of a text than one can read") {
  const std::string said = error_of(parse_flow("\x1b[2J" + std::string(5000, 'a') + " b c"));
  CHECK(said.find('\x1b') == std::string::npos);
  CHECK(said.size() < 300);
}

TEST_CASE("TCP flags are read as they are shown") {
  for (unsigned flags = 0; flags < 256; ++flags) {
    const auto all = static_cast<std::uint8_t>(flags);
    CHECK(parse_tcp_flags(tcp_flags_text(all)).value() == all);
  }
  CHECK(parse_tcp_flags("syn|ack").value() == (kTcpSyn | kTcpAck));
  CHECK(parse_tcp_flags("fin+ack").value() == (kTcpFin | kTcpAck));
  CHECK(tcp_flags_text(kTcpSyn | kTcpAck) == "syn,ack");
  for (const char* wrong : {"", "sin", "syn;ack", "SYN", ",", "none,syn"}) {
    INFO(wrong);
    CHECK_THAT(error_of(parse_tcp_flags(wrong)), Contains("fin, syn, rst, psh"));
  }
}

TEST_CASE("a size is that of the headers at least and of an IP packet at most") {
  CHECK(parse_ip_bytes("40", kProtocolTcp).value() == 40);
  CHECK(parse_ip_bytes("28", kProtocolUdp).value() == 28);
  CHECK(parse_ip_bytes("65535", kProtocolTcp).value() == 65535);
  for (const char* wrong : {"39", "65536", "", "x", "1500 ", "-40", "99999999999999999999"}) {
    INFO(wrong);
    CHECK_THAT(error_of(parse_ip_bytes(wrong, kProtocolTcp)),
               Contains("40 (its headers) to 65535"));
  }
}

TEST_CASE("a packet is read from hexadecimal digits, with blanks and colons in between") {
  const Bytes frame = build_frame({.protocol = 6});
  const std::string hex = to_hex(frame);
  CHECK(parse_packet(hex).value() == frame);
  std::string spaced, with_colons;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    spaced += hex.substr(i, 2) + (i % 32 == 30 ? "\n" : " ");
    with_colons += (i == 0 ? "" : ":") + hex.substr(i, 2);
  }
  CHECK(parse_packet(spaced).value() == frame);
  CHECK(parse_packet(with_colons).value() == frame);
  CHECK(parse_packet("02ABcd").value() == from_hex("02abcd"));
}

TEST_CASE("what begins with 4 is an IP packet and gets an Ethernet header") {
  const Bytes packet = build_ip({.protocol = 17, .destination_port = 53});
  const Bytes frame = parse_packet(to_hex(packet)).value();
  REQUIRE(frame.size() == 14 + packet.size());
  CHECK(Bytes(frame.begin() + 14, frame.end()) == packet);
  Packet parsed;
  CHECK(parse_frame(frame, parsed) == DropReason::none);
  CHECK(parse_packet("45").value().size() == 15);  // however short
}

TEST_CASE("a frame whose MAC address begins with 4 is a frame, tagged or not") {
  for (const std::string mac : {"45000028abcd", "420000000001", "4f1122334455"}) {
    Bytes frame = build_frame({.protocol = 6});
    const Bytes address = from_hex(mac);
    std::copy(address.begin(), address.end(), frame.begin());
    INFO(mac);
    CHECK(parse_packet(to_hex(frame)).value() == frame);
    Bytes tagged = build_frame({.tags = {{0x8100, 5}}, .protocol = 6});
    std::copy(address.begin(), address.end(), tagged.begin());
    CHECK(parse_packet(to_hex(tagged)).value() == tagged);
  }
}

TEST_CASE("a frame whose MAC address begins with 4 is a frame whatever is in it") {
  const Bytes address = from_hex("4e1122334455");
  const test::FrameSpec specs[] = {
      {.version = 5}, {.version = 0}, {.ether_type = 0x86dd, .version = 6}, {.ether_type = 0x0806}};
  for (const auto& spec : specs) {
    Bytes frame = build_frame(spec);
    std::copy(address.begin(), address.end(), frame.begin());
    INFO(spec.ether_type << " " << int{spec.version});
    CHECK(parse_packet(to_hex(frame)).value() == frame);
  }
}

TEST_CASE("an IP packet from an address that looks like an EtherType is an IP packet") {
  const Bytes packet = build_ip({.protocol = 6, .source = "8.0.69.1"});
  CHECK(parse_packet(to_hex(packet)).value().size() == 14 + packet.size());
}

TEST_CASE("an IPv6 packet of the length that it says gets an Ethernet header, another is a frame") {
  const std::string packet = "60000000 0008 11 40" + std::string(64, '0') + "0123456789abcdef";
  const auto frame = parse_packet(packet);
  REQUIRE(frame);
  CHECK(frame->size() == 14 + 48);
  CHECK(std::to_integer<unsigned>((*frame)[12]) == 0x86);
  CHECK(std::to_integer<unsigned>((*frame)[13]) == 0xdd);
  const auto longer = parse_packet(packet + "00");
  REQUIRE(longer);
  CHECK(longer->size() == 49);
}

TEST_CASE("a packet that is no hexadecimal text says where, and what it must be") {
  CHECK_THAT(error_of(parse_packet("")), Contains("no bytes"));
  CHECK_THAT(error_of(parse_packet(" : ")), Contains("no bytes"));
  CHECK_THAT(error_of(parse_packet("0x45")), Contains("character 2 is \"x\""));
  CHECK_THAT(error_of(parse_packet("4500g0")), Contains("character 5 is \"g\""));
  CHECK_THAT(error_of(parse_packet("45\x1b")), Contains("character 3 is \"?\""));
  CHECK_THAT(error_of(parse_packet("450")),
             Contains("3 hexadecimal digits") && Contains("two for"));
  CHECK(parse_packet(std::string(2 * 4096, '0')).value().size() == 4096);
  CHECK_THAT(error_of(parse_packet(std::string(2 * 4097, '0'))),
             Contains("4097 bytes") && Contains("4096 at most"));
}

}  // namespace
}  // namespace guideway::test
