// The Internet checksum (RFC 1071) in the pieces that the packet path needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace guideway {

// Adds the 16-bit words of `bytes` (an even number of them), as they lie in memory, to `sum`. The
// ones' complement sum does not depend on byte order (RFC 1071, section 2 (B)), so nothing is
// swapped, neither here nor when the result is stored.
[[nodiscard]] inline std::uint32_t checksum_add(std::uint32_t sum,
                                                std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint16_t word;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    sum += word;
  }
  return sum;
}

// The 16-bit ones' complement sum of what was added up; its complement is the checksum.
[[nodiscard]] constexpr std::uint16_t checksum_fold(std::uint32_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// Whether an IPv4 header with its checksum in it adds up. REQUIRES: at least 20 bytes, a multiple
// of
// 4. Sums words of 32 bits (RFC 1071, section 2 (C)), those of a header without options unrolled:
// this is done for every packet.
[[nodiscard]] inline bool checksum_is_right(std::span<const std::byte> header) {
  std::uint32_t word[5];
  std::memcpy(word, header.data(), sizeof word);
  std::uint64_t sum = std::uint64_t{word[0]} + word[1] + word[2] + word[3] + word[4];
  for (std::size_t i = sizeof word; i + 3 < header.size(); i += 4) {
    std::memcpy(word, header.data() + i, 4);
    sum += word[0];
  }
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  return checksum_fold(static_cast<std::uint32_t>(sum)) == 0xffff;
}

}  // namespace guideway
