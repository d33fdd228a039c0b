// Numbers that mean different things are different types.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace guideway {

// An index or identifier of one kind. No arithmetic, no conversion but by `value` and `index()`.
template <class Tag>
struct StrongId {
  std::uint32_t value{};

  [[nodiscard]] constexpr std::size_t index() const { return value; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

}  // namespace guideway
