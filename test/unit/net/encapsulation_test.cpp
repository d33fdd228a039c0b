// Encapsulation byte for byte against frames that scapy made (make_goldens.py).
#include "net/encapsulation.h"

#include "net/checksum.h"
#include "net/packet.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/frame_builder.h"
#include "unit/net/goldens.h"

namespace guideway {
namespace {

using test::Bytes;

constexpr MacAddress kDevice{{0x02, 0, 0, 0, 0, 0x01}};
constexpr MacAddress kNextHop{{0x02, 0, 0, 0, 0, 0xaa}};

OuterTemplate golden_template() {
  return make_outer_template(kDevice, kNextHop, test::ip(test::kGoldenSource),
                             test::ip(test::kGoldenBackend));
}

TEST_CASE("the template is that of the goldens") {
  CHECK(kDevice.text() == test::kGoldenDevice);
  CHECK(kNextHop.text() == test::kGoldenNextHop);
}

TEST_CASE("an encapsulated frame is what scapy makes, byte for byte") {
  const OuterTemplate outer = golden_template();
  for (const test::Golden& golden : test::kGoldens) {
    INFO(golden.name);
    const Bytes ingress = test::from_hex(golden.ingress);
    Packet packet;
    REQUIRE(parse_frame(ingress, packet) == DropReason::none);

    // Exactly the headroom that is needed: a byte further down is out of bounds.
    test::GuardedMemory memory(4096);
    const auto frame = memory.at_start(ingress, sizeof(OuterHeader) - packet.ip_offset);
    const std::byte* start = encapsulate(outer, frame.data() + packet.ip_offset, packet.ip_bytes,
                                         packet.type_of_service);
    CHECK(start == frame.data() + packet.ip_offset - 38);
    CHECK(test::to_hex({start, std::size_t{38} + packet.ip_bytes}) == golden.egress);
  }
}

TEST_CASE("nothing behind the outer header is written") {
  const Bytes ingress = test::build_frame({.padding = 9});
  Bytes memory(256, std::byte{0xcc});
  memory.insert(memory.end(), ingress.begin(), ingress.end());
  const Bytes before = memory;
  encapsulate(golden_template(), memory.data() + 256 + 14, 46, 0);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    if (i >= 256 + 14 - 38 && i < 256 + 14) continue;
    INFO("byte " << i);
    REQUIRE(memory[i] == before[i]);
  }
}

TEST_CASE("the outer checksum is right for every length and every type of service") {
  const OuterTemplate outers[] = {
      golden_template(),
      make_outer_template(kDevice, kNextHop, test::ip("255.255.255.255"),
                          test::ip("255.255.255.255")),
      make_outer_template({}, {}, {}, {}),
  };
  std::array<std::byte, 64> memory{};
  std::uint64_t wrong = 0;
  const auto check = [&](const OuterTemplate& outer, unsigned length, unsigned tos) {
    const std::byte* start =
        encapsulate(outer, memory.data() + 38, static_cast<std::uint16_t>(length),
                    static_cast<std::uint8_t>(tos));
    const std::span header(start + 14, 20);
    const unsigned total =
        std::to_integer<unsigned>(header[2]) << 8 | std::to_integer<unsigned>(header[3]);
    if (test::internet_checksum(header) != 0 || total != length + 24 ||
        std::to_integer<unsigned>(header[1]) != tos)
      ++wrong;
  };
  for (const OuterTemplate& outer : outers) {
    for (unsigned length = 0; length <= 65535 - 24; ++length)
      check(outer, length, length * 11 & 0xff);
    for (unsigned tos = 0; tos <= 255; ++tos) check(outer, 1480, tos);
  }
  CHECK(wrong == 0);
}

TEST_CASE("a template is complete but for length, type of service and checksum") {
  const OuterTemplate outer = golden_template();
  CHECK(outer.header.ip.time_to_live == kOuterTimeToLive);
  CHECK(outer.header.ip.fragment.host() == kIpv4DontFragment);
  CHECK(outer.header.ip.identification.host() == 0);
  CHECK(outer.header.ip.protocol == kProtocolGre);
  CHECK(outer.header.gre.flags_and_version.host() == 0);
  CHECK(outer.header.gre.protocol.host() == kEtherTypeIpv4);
  CHECK(outer.ip_sum ==
        checksum_fold(checksum_add(0, std::as_bytes(std::span(&outer.header.ip, 1)))));
}

}  // namespace
}  // namespace guideway
