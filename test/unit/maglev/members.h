// Sets of members for the tests of the Maglev table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "maglev/table.h"

namespace guideway::test {

// Members known by distinct random 4-byte addresses, as backends are. Owns the identities.
class MemberSet {
 public:
  MemberSet(std::size_t count, std::uint64_t seed, std::uint32_t weight = 1) {
    std::mt19937_64 chance(seed);
    std::set<std::uint32_t> taken;
    while (identities_.size() < count) {
      const auto address = static_cast<std::uint32_t>(chance());
      if (!taken.insert(address).second) continue;
      std::array<std::byte, 4> bytes;
      for (std::size_t i = 0; i < 4; ++i) bytes.at(i) = static_cast<std::byte>(address >> 8 * i);
      identities_.push_back(bytes);
    }
    weights_.assign(count, weight);
  }

  [[nodiscard]] std::size_t size() const { return weights_.size(); }
  [[nodiscard]] std::vector<std::uint32_t>& weights() { return weights_; }
  [[nodiscard]] std::vector<maglev::Member> members() const {
    std::vector<maglev::Member> result;
    for (std::size_t i = 0; i < size(); ++i) result.push_back({identities_[i], weights_[i]});
    return result;
  }
  [[nodiscard]] maglev::Table table(std::uint32_t table_size) const {
    return maglev::Table::build(members(), table_size);
  }

 private:
  std::vector<std::array<std::byte, 4>> identities_;
  std::vector<std::uint32_t> weights_;
};

// Entries of each of `members` members.
[[nodiscard]] inline std::vector<std::uint32_t> entries_of_each(const maglev::Table& table,
                                                                std::size_t members) {
  std::vector<std::uint32_t> counts(members);
  for (const std::uint16_t member : table.entries()) ++counts.at(member);
  return counts;
}

}  // namespace guideway::test
