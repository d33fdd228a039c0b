// Integers in network byte order, as they lie in a packet: no alignment, no implicit conversion,
// so that a host-order number cannot slip onto the wire or off it.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace guideway {

template <std::unsigned_integral T>
class BigEndian {
 public:
  constexpr BigEndian() = default;
  constexpr explicit BigEndian(T host) : raw_(std::bit_cast<Bytes>(swap(host))) {}

  // The number in host byte order.
  [[nodiscard]] constexpr T host() const { return swap(wire()); }
  // The bytes as they lie in memory, read as one integer: for map keys and hashes only.
  [[nodiscard]] constexpr T wire() const { return std::bit_cast<T>(raw_); }
  [[nodiscard]] static constexpr BigEndian from_wire(T wire) {
    BigEndian result;
    result.raw_ = std::bit_cast<Bytes>(wire);
    return result;
  }

  friend constexpr bool operator==(BigEndian a, BigEndian b) { return a.wire() == b.wire(); }

 private:
  struct Bytes {
    unsigned char byte[sizeof(T)];
  };
  static constexpr T swap(T value) {
    if constexpr (std::endian::native == std::endian::big) return value;
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  }
  Bytes raw_{};
};

using Be16 = BigEndian<std::uint16_t>;
using Be32 = BigEndian<std::uint32_t>;
static_assert(sizeof(Be16) == 2 && alignof(Be16) == 1);
static_assert(sizeof(Be32) == 4 && alignof(Be32) == 1);

}  // namespace guideway
