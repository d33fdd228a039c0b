#include "maglev/table.h"

#include <xxhash.h>

#include <algorithm>
#include <cassert>
#include <numeric>

namespace guideway::maglev {
namespace {

constexpr std::uint16_t kFree = 0xffff;

// The paper's two hash functions of a backend's name. Arbitrary, but part of what a fleet agrees
// on.
constexpr XXH64_hash_t kOffsetSeed = 0x6f66667365740001;  // "offset", 1
constexpr XXH64_hash_t kSkipSeed = 0x736b697000000001;    // "skip", 1

// One member while the table is filled: its place in its permutation, and its turns.
struct Claimant {
  std::uint32_t next;   // the slot it prefers next
  std::uint32_t skip;   // from each preferred slot to the one after it
  std::uint32_t quota;  // turns that it still has
  std::uint32_t weight;
  std::uint64_t credit;  // grows by `weight` a round; a turn costs the largest weight
  std::uint16_t member;
};

// The order of turns: by identity, so that the order of a file does not show.
std::vector<std::uint16_t> canonical_order(std::span<const Member> members) {
  std::vector<std::uint16_t> order;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i].weight > 0) order.push_back(static_cast<std::uint16_t>(i));
  std::ranges::sort(order, [&](std::uint16_t a, std::uint16_t b) {
    return std::ranges::lexicographical_compare(members[a].identity, members[b].identity);
  });
  return order;
}

// Shares `size` out by largest remainder; what is equal goes to the earlier in `order`.
std::vector<std::uint32_t> quotas(std::span<const Member> members,
                                  std::span<const std::uint16_t> order, std::uint32_t size) {
  const std::uint64_t total =
      std::accumulate(order.begin(), order.end(), std::uint64_t{0},
                      [&](std::uint64_t sum, std::uint16_t i) { return sum + members[i].weight; });
  std::vector<std::uint32_t> quota(order.size());
  std::vector<std::uint64_t> remainder(order.size());
  std::uint32_t left = size;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint64_t share = std::uint64_t{size} * members[order[i]].weight;
    quota[i] = static_cast<std::uint32_t>(share / total);
    remainder[i] = share % total;
    left -= quota[i];
  }
  std::vector<std::uint32_t> by_remainder(order.size());
  std::iota(by_remainder.begin(), by_remainder.end(), 0U);
  std::ranges::stable_sort(by_remainder, std::greater{},
                           [&](std::uint32_t i) { return remainder[i]; });
  for (std::uint32_t i = 0; i < left; ++i) ++quota[by_remainder[i]];
  return quota;
}

}  // namespace

bool is_prime(std::uint32_t number) {
  if (number < 2) return false;
  for (std::uint32_t divisor = 2; std::uint64_t{divisor} * divisor <= number; ++divisor)
    if (number % divisor == 0) return false;
  return true;
}

Table Table::build(std::span<const Member> members, std::uint32_t size) {
  assert(is_prime(size) && size <= kMaxTableSize && members.size() <= kMaxMembers);
  const std::vector<std::uint16_t> order = canonical_order(members);
  Table table;
  if (order.empty()) return table;

  const std::vector<std::uint32_t> quota = quotas(members, order, size);
  std::vector<Claimant> claimants;
  std::uint32_t heaviest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Member& member = members[order[i]];
    const auto hash = [&](XXH64_hash_t seed) {
      return XXH3_64bits_withSeed(member.identity.data(), member.identity.size(), seed);
    };
    claimants.push_back({.next = static_cast<std::uint32_t>(hash(kOffsetSeed) % size),
                         .skip = static_cast<std::uint32_t>(hash(kSkipSeed) % (size - 1) + 1),
                         .quota = quota[i],
                         .weight = member.weight,
                         .credit = 0,
                         .member = order[i]});
    heaviest = std::max(heaviest, member.weight);
  }

  // The paper's pseudo-code, "Populate": in turn, each takes the first free slot of its
  // permutation. A weight is the frequency of turns; the quota ends them, so that the counts are
  // exact.
  table.entries_.assign(size, kFree);
  for (std::uint32_t filled = 0; filled < size;) {
    for (Claimant& claimant : claimants) {
      claimant.credit += claimant.weight;
      if (claimant.credit < heaviest || claimant.quota == 0) continue;
      claimant.credit -= heaviest;
      --claimant.quota;
      std::uint32_t slot = claimant.next;
      const auto step = [&] {
        slot = slot >= size - claimant.skip ? slot - (size - claimant.skip) : slot + claimant.skip;
      };
      while (table.entries_[slot] != kFree) step();
      table.entries_[slot] = claimant.member;
      step();
      claimant.next = slot;
      ++filled;
    }
  }
  return table;
}

}  // namespace guideway::maglev
