// A million frames that chance has bent: parsing never leaves the frame, and what it accepts is
// sound.
#include <array>
#include <random>

#include "net/packet.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/frame_builder.h"

namespace guideway {
namespace {

using test::Bytes;

using Chance = std::mt19937_64;

std::size_t below(Chance& chance, std::size_t limit) { return chance() % limit; }

std::vector<Bytes> seeds() {
  return {
      test::build_frame({}),
      test::build_frame({.payload = 0, .padding = 18}),
      test::build_frame({.protocol = 6, .payload = 0}),
      test::build_frame({.protocol = 6, .tcp_header_words = 8, .tcp_option_bytes = 12}),
      test::build_frame({.option_bytes = 40, .payload = 4}),
      test::build_frame({.protocol = 6, .option_bytes = 8}),
      test::build_frame({.tags = {{0x8100, 9}}}),
      test::build_frame({.tags = {{0x88a8, 9}, {0x8100, 10}}, .protocol = 6}),
  };
}

std::size_t ip_offset_of(const Bytes& frame) {
  std::size_t at = 12;
  while (at + 6 <= frame.size() && (frame[at] == std::byte{0x81} || frame[at] == std::byte{0x88}) &&
         at < 20)
    at += 4;
  return at + 2;
}

// Makes the IP checksum right again, so that what was bent behind it is looked at.
void mend_checksum(Bytes& frame) {
  const std::size_t at = ip_offset_of(frame);
  if (frame.size() < at + 20) return;
  const std::size_t header = std::to_integer<std::size_t>(frame[at] & std::byte{0x0f}) * 4;
  if (header < 20 || frame.size() < at + header) return;
  frame[at + 10] = frame[at + 11] = std::byte{0};
  const std::uint16_t sum = test::internet_checksum(std::span(frame).subspan(at, header));
  frame[at + 10] = static_cast<std::byte>(sum >> 8);
  frame[at + 11] = static_cast<std::byte>(sum & 0xff);
}

void mutate(Bytes& frame, Chance& chance) {
  for (std::size_t changes = 1 + below(chance, 4); changes > 0; --changes) {
    if (frame.empty()) return;
    const std::size_t at = below(chance, std::min<std::size_t>(frame.size(), 64));
    switch (below(chance, 6)) {
      case 0: frame[at] ^= static_cast<std::byte>(1U << below(chance, 8)); break;
      case 1: frame[at] = static_cast<std::byte>(chance()); break;
      case 2: frame[at] = std::byte{0}; break;
      case 3: frame[at] = std::byte{0xff}; break;
      case 4: frame.resize(below(chance, frame.size() + 1)); break;
      case 5: frame.insert(frame.begin() + static_cast<std::ptrdiff_t>(at), 4, frame[at]); break;
    }
  }
  if (below(chance, 4) != 0) mend_checksum(frame);
}

// What must be true of a frame that was accepted, from the bytes alone. False: it should not have
// been.
bool is_sound(std::span<const std::byte> frame, const Packet& packet) {
  const std::size_t at = packet.ip_offset;
  if (at != 14 && at != 18 && at != 22) return false;
  if (at + packet.ip_bytes > frame.size() || packet.ip_bytes < 28) return false;
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(frame[at + i]); };
  const std::size_t header = (byte(0) & 0x0f) * 4;
  if (byte(0) >> 4 != 4 || header < 20 || header > packet.ip_bytes) return false;
  if ((byte(2) << 8 | byte(3)) != packet.ip_bytes) return false;
  if (test::internet_checksum(frame.subspan(at, header)) != 0) return false;
  if ((byte(6) & 0x3f) != 0 || byte(7) != 0) return false;
  if (byte(12) == 0 || byte(12) == 127 || byte(12) >= 224) return false;
  if (std::memcmp(&packet.flow.source_address, &frame[at + 12], 4) != 0 ||
      std::memcmp(&packet.flow.destination_address, &frame[at + 16], 4) != 0 ||
      std::memcmp(&packet.flow.source_port, &frame[at + header], 4) != 0)
    return false;
  if (packet.type_of_service != byte(1) || packet.flow.protocol != byte(9)) return false;
  if (byte(9) == 17) return packet.ip_bytes >= header + 8 && packet.tcp_flags == 0;
  if (byte(9) != 6 || packet.ip_bytes < header + 20) return false;
  const std::size_t tcp_header = (byte(header + 12) >> 4) * 4;
  return tcp_header >= 20 && header + tcp_header <= packet.ip_bytes &&
         packet.tcp_flags == byte(header + 13);
}

TEST_CASE("a million mutated frames are read within their bounds and only sound ones accepted") {
  Chance chance(20240601);
  const std::vector<Bytes> originals = seeds();
  test::GuardedMemory memory(2048);
  std::array<std::uint64_t, kDropReasons> seen{};
  std::uint64_t unsound = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    Bytes frame = originals[below(chance, originals.size())];
    mutate(frame, chance);
    Packet packet;
    // In turn, the byte before and the byte behind the frame is out of bounds.
    const auto view = i % 2 == 0 ? memory.at_end(frame) : memory.at_start(frame, 0);
    const DropReason reason = parse_frame(view, packet);
    ++seen.at(static_cast<std::size_t>(reason));
    if (reason == DropReason::none && !is_sound(view, packet)) {
      ++unsound;
      UNSCOPED_INFO(test::to_hex(view));
    }
  }
  CHECK(unsound == 0);

  // Chance came everywhere, so that the million says something.
  for (std::size_t i = 0; i <= static_cast<std::size_t>(DropReason::no_service); ++i) {
    INFO(kDropReasonNames[i]);
    CHECK(seen[i] > 100);
  }
}

}  // namespace
}  // namespace guideway
