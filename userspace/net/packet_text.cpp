#include "net/packet_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "net/address.h"
#include "net/checksum.h"
#include "net/frame_writer.h"
#include "net/wire.h"

namespace guideway {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kShownLetters = 60;  // of a text that is wrong
constexpr const char* kFlowExample = "it must be like \"tcp 203.0.113.7:40000 198.51.100.1:80\"";

constexpr std::array<std::string_view, 8> kFlagNames = {"fin", "syn", "rst", "psh",
                                                        "ack", "urg", "ece", "cwr"};

// In quotes, cut where it is long, with "?" for what is not plain.
std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text.substr(0, kShownLetters))
    out += letter >= ' ' && letter <= '~' ? letter : '?';
  return out + (text.size() > kShownLetters ? "..\"" : "\"");
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// A whole decimal number within `least` to `most`.
std::optional<std::uint16_t> number(std::string_view text, unsigned least, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

Result<std::uint8_t> parse_protocol(std::string_view word) {
  if (word == "tcp") return kProtocolTcp;
  if (word == "udp") return kProtocolUdp;
  return fail("the flow's protocol must be tcp or udp, not " + shown(word),
              word == "icmp" ? "ICMP to a VIP is always dropped (icmp_dropped)" : kFlowExample);
}

struct AddressAndPort {
  Be32 address;
  Be16 port;
};

Result<AddressAndPort> parse_end(std::string_view word, const std::string& whose) {
  const std::size_t colon = word.rfind(':');
  if (colon == std::string_view::npos)
    return fail("the " + whose + " must be ADDRESS:PORT, not " + shown(word), kFlowExample);
  const auto address = Ipv4Address::parse(word.substr(0, colon));
  if (!address) {
    return fail("the " + whose + "'s address must be an IPv4 address such as 203.0.113.7, not " +
                shown(word.substr(0, colon)));
  }
  const auto port = number(word.substr(colon + 1), 1, UINT16_MAX);
  if (!port) {
    return fail("the " + whose + "'s port must be a number from 1 to 65535, not " +
                shown(word.substr(colon + 1)));
  }
  return AddressAndPort{address->wire(), Be16(*port)};
}

std::string end_text(std::uint32_t address, std::uint16_t port) {
  return Ipv4Address(Be32::from_wire(address)).text() + ":" +
         std::to_string(Be16::from_wire(port).host());
}

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

// Half bytes, one each.
Result<std::vector<std::uint8_t>> digits_of(std::string_view hex) {
  std::vector<std::uint8_t> digits;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (hex[i] == ':' || kBlanks.find(hex[i]) != std::string_view::npos) continue;
    const int digit = hex_digit(hex[i]);
    if (digit < 0) {
      return fail(
          "the packet must be hexadecimal digits, with blanks and colons where one likes; "
          "character " +
          std::to_string(i + 1) + " is " + shown(hex.substr(i, 1)));
    }
    digits.push_back(static_cast<std::uint8_t>(digit));
  }
  return digits;
}

bool is_ip_packet(std::span<const std::byte> bytes) {
  const auto high_digit_is_4 = [](std::byte byte) {
    return (byte & std::byte{0xf0}) == std::byte{0x40};
  };
  if (!high_digit_is_4(bytes.front())) return false;
  EthernetHeader ethernet;
  if (bytes.size() <= sizeof ethernet) return true;
  std::memcpy(&ethernet, bytes.data(), sizeof ethernet);
  const std::uint16_t type = ethernet.type.host();
  constexpr std::array kTypes{kEtherTypeIpv4, kEtherTypeIpv6, kEtherTypeArp, kEtherTypeVlan,
                              kEtherTypeServiceVlan};
  if (std::ranges::find(kTypes, type) == kTypes.end()) return true;
  const std::size_t header_bytes = (std::to_integer<std::size_t>(bytes.front()) & 0x0f) * 4;
  return header_bytes >= sizeof(Ipv4Header) && header_bytes <= bytes.size() &&
         checksum_is_right(bytes.first(header_bytes));
}

// RFC 8200, section 3: of the length that its header says, so that no frame is taken for one.
bool is_ipv6_packet(std::span<const std::byte> bytes) {
  constexpr std::size_t kHeaderBytes = 40, kPayloadLengthAt = 4;
  if (bytes.size() < kHeaderBytes || (bytes.front() & std::byte{0xf0}) != std::byte{0x60})
    return false;
  Be16 payload_bytes;
  std::memcpy(&payload_bytes, &bytes[kPayloadLengthAt], sizeof payload_bytes);
  return bytes.size() == kHeaderBytes + payload_bytes.host();
}

}  // namespace

Result<gw_flow_key> parse_flow(std::string_view text) {
  const auto words = split(text, kBlanks);
  if (words.size() != 3) {
    return fail("a flow has three words, protocol, client and VIP, not " +
                    std::to_string(words.size()) + ": " + shown(text),
                kFlowExample);
  }
  const auto protocol = parse_protocol(words[0]);
  if (!protocol) return std::unexpected(protocol.error());
  const auto client = parse_end(words[1], "client");
  if (!client) return std::unexpected(client.error());
  const auto vip = parse_end(words[2], "VIP");
  if (!vip) return std::unexpected(vip.error());
  return gw_flow_key{.source_address = client->address.wire(),
                     .destination_address = vip->address.wire(),
                     .source_port = client->port.wire(),
                     .destination_port = vip->port.wire(),
                     .protocol = *protocol,
                     .zero = {}};
}

std::string flow_text(const gw_flow_key& flow) {
  return std::string(name(static_cast<Protocol>(flow.protocol))) + " " +
         end_text(flow.source_address, flow.source_port) + " " +
         end_text(flow.destination_address, flow.destination_port);
}

Result<std::uint8_t> parse_tcp_flags(std::string_view text) {
  const std::string right =
      "TCP flags must be names out of fin, syn, rst, psh, ack, urg, ece and "
      "cwr, such as \"syn,ack\", or \"none\", not " +
      shown(text);
  if (text == "none") return std::uint8_t{0};
  unsigned flags = 0;
  for (const std::string_view word : split(text, ",|+ ")) {
    const auto found = std::ranges::find(kFlagNames, word);
    if (found == kFlagNames.end()) return fail(right);
    flags |= 1U << (found - kFlagNames.begin());
  }
  if (flags == 0) return fail(right);
  return static_cast<std::uint8_t>(flags);
}

std::string tcp_flags_text(std::uint8_t flags) {
  std::string out;
  for (std::size_t i = 0; i < kFlagNames.size(); ++i) {
    if ((flags >> i & 1U) == 0) continue;
    if (!out.empty()) out += ',';
    out += kFlagNames[i];
  }
  return out.empty() ? "none" : out;
}

Result<std::uint16_t> parse_ip_bytes(std::string_view text, std::uint8_t protocol) {
  const std::uint16_t smallest = smallest_ip_bytes(protocol);
  if (const auto bytes = number(text, smallest, UINT16_MAX)) return *bytes;
  return fail("the size must be the IP packet's bytes, " + std::to_string(smallest) +
              " (its headers) to 65535, not " + shown(text));
}

Result<std::vector<std::byte>> parse_packet(std::string_view hex) {
  const auto digits = digits_of(hex);
  if (!digits) return std::unexpected(digits.error());
  if (digits->empty()) return fail("the packet has no bytes: it must be hexadecimal digits");
  if (digits->size() % 2 != 0) {
    return fail("the packet has " + std::to_string(digits->size()) +
                " hexadecimal digits, and must have two for each byte");
  }
  const std::size_t count = digits->size() / 2;
  if (count > kMaxPacketTextBytes) {
    return fail("the packet has " + std::to_string(count) + " bytes, and may have " +
                std::to_string(kMaxPacketTextBytes) + " at most");
  }
  std::vector<std::byte> bytes;
  bytes.reserve(count);
  for (std::size_t i = 0; i < digits->size(); i += 2)
    bytes.push_back(static_cast<std::byte>((*digits)[i] << 4 | (*digits)[i + 1]));
  const bool ipv6 = is_ipv6_packet(bytes);
  if (!ipv6 && !is_ip_packet(bytes)) return bytes;
  std::vector<std::byte> frame(sizeof(EthernetHeader) + bytes.size());
  const EthernetHeader ethernet{.destination = {0x02, 0, 0, 0, 0, 0x01},
                                .source = {0x02, 0, 0, 0, 0, 0x02},
                                .type = Be16(ipv6 ? kEtherTypeIpv6 : kEtherTypeIpv4)};
  std::memcpy(frame.data(), &ethernet, sizeof ethernet);
  std::ranges::copy(bytes, frame.begin() + sizeof ethernet);
  return frame;
}

}  // namespace guideway
