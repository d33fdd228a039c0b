// The Maglev lookup table of one pool (Eisenbud et al., "Maglev: A Fast and Reliable Software
// Network Load Balancer", NSDI 2016, section 3.4), with weights.
//
// Depends on the set of (identity, weight) and on the size, and on nothing else: not on the order
// in which members are given, not on the host, not on history. So every load balancer of a fleet
// builds the same table.
//
// Threads: immutable once built; lookups from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace guideway::maglev {

// One that can be chosen. `identity` is what tells it from the others, such as the bytes of its
// address; REQUIRES: different for each member of a table; it must live through build() only.
struct Member {
  std::span<const std::byte> identity;
  std::uint32_t weight = 1;  // relative; 0: never chosen
};

// The paper's small table (section 5.3): 1 % imbalance with 655 members.
inline constexpr std::uint32_t kDefaultTableSize = 65537;
inline constexpr std::uint32_t kMaxTableSize = 16'777'213;  // the largest prime below 2^24
inline constexpr std::size_t kMaxMembers = 65534;

[[nodiscard]] bool is_prime(std::uint32_t number);

class Table {
 public:
  // A table without an entry: nobody to choose.
  Table() = default;

  // Builds a table of `size` entries. Each member gets size × weight / Σ weights of them, exact to
  // one entry (largest remainder). REQUIRES: size is prime and at most kMaxTableSize; at most
  // kMaxMembers members. If no weight is above 0, the table is empty.
  [[nodiscard]] static Table build(std::span<const Member> members, std::uint32_t size);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }

  // The position, in the span given to build(), of the member that owns `slot`.
  // REQUIRES: slot < size().
  [[nodiscard]] std::uint16_t member_at(std::uint32_t slot) const { return entries_[slot]; }
  [[nodiscard]] std::span<const std::uint16_t> entries() const { return entries_; }

 private:
  std::vector<std::uint16_t> entries_;
};

}  // namespace guideway::maglev
