#include "maglev/table.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "support/catch.h"
#include "unit/maglev/members.h"

namespace guideway::maglev {
namespace {

using test::entries_of_each;
using test::MemberSet;

TEST_CASE("every entry is filled with a member, and equal weights get equally many to one") {
  const std::pair<std::size_t, std::uint32_t> rows[] = {
      {1, 251},   {2, 251},    {3, 251},     {7, 1021},      {100, 251},     {250, 251},
      {251, 251}, {10, 65537}, {100, 65537}, {999, 65537},   {1000, 65537},  {1, 65537},
      {2, 2},     {1, 2},      {2, 3},       {1000, 655373}, {60000, 65537},
  };
  for (const auto& [count, size] : rows) {
    INFO(count << " members, " << size << " entries");
    const Table table = MemberSet(count, 1).table(size);
    REQUIRE(table.size() == size);
    REQUIRE(std::ranges::all_of(table.entries(), [&](auto member) { return member < count; }));
    const auto counts = entries_of_each(table, count);
    const auto [least, most] = std::ranges::minmax(counts);
    CHECK(most - least <= 1);
  }
}

TEST_CASE("more members than entries fill the table, each with one at most") {
  const auto counts = entries_of_each(MemberSet(1000, 1).table(251), 1000);
  CHECK(std::ranges::max(counts) == 1);
  CHECK(std::accumulate(counts.begin(), counts.end(), 0U) == 251);
}

// Each count is within one of size × weight / Σ weights, and none that has no weight has any.
void check_proportions(const std::vector<std::uint32_t>& weights, std::uint32_t size) {
  MemberSet set(weights.size(), 99);
  set.weights() = weights;
  const auto counts = entries_of_each(set.table(size), set.size());
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  CHECK(std::accumulate(counts.begin(), counts.end(), 0U) == size);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    INFO("weight " << weights[i] << " of " << total << ": " << counts[i] << " of " << size);
    CHECK(std::abs(counts[i] - size * (weights[i] / total)) < 1);
    if (weights[i] == 0) CHECK(counts[i] == 0);
  }
  // Who has more weight never has fewer entries.
  for (std::size_t i = 1; i < weights.size(); ++i)
    if (weights[i] > weights[i - 1]) CHECK(counts[i] >= counts[i - 1]);
}

TEST_CASE("unequal weights get exact proportions") {
  check_proportions({1, 2}, 251);
  check_proportions({1, 2, 3, 4, 5}, 65537);
  check_proportions({100, 1}, 65537);
  check_proportions({1, 1, 1, 1000}, 65537);
  check_proportions({0, 3, 0, 7}, 1021);
  check_proportions({65535, 1}, 65537);
  check_proportions({4'294'967'295U, 4'294'967'295U, 1'000'000'000U}, 1021);
  std::mt19937 chance(5);
  for (const std::uint32_t most : {2U, 10U, 100U, 65535U}) {
    std::vector<std::uint32_t> weights(300);
    for (auto& weight : weights) weight = static_cast<std::uint32_t>(chance() % (most + 1));
    check_proportions(weights, 65537);
  }
}

TEST_CASE("equal weights of any height make the same table") {
  const auto same = [](std::uint32_t weight) {
    const Table ones = MemberSet(50, 4).table(1021);
    return std::ranges::equal(MemberSet(50, 4, weight).table(1021).entries(), ones.entries());
  };
  CHECK(same(2));
  CHECK(same(100));
  CHECK(same(4'294'967'295U));
}

TEST_CASE("the table does not change when all weights are multiplied by the same number") {
  // A slow start counts weights in hundredths.
  std::mt19937 chance(21);
  const std::pair<std::size_t, std::uint32_t> rows[] = {
      {1, 251}, {2, 3}, {3, 251}, {17, 1021}, {200, 251}, {300, 65537}, {1000, 65537},
  };
  for (const auto& [count, size] : rows)
    for (const std::uint32_t most : {1U, 3U, 100U, 65535U}) {
      MemberSet set(count, 500 + count);
      for (auto& weight : set.weights()) weight = static_cast<std::uint32_t>(chance() % (most + 1));
      const Table table = set.table(size);
      INFO(count << " members of weights up to " << most << ", " << size << " entries");
      for (const std::uint32_t factor : {2U, 100U, 65537U}) {
        MemberSet multiplied = set;
        for (auto& weight : multiplied.weights()) weight *= factor;
        CHECK(std::ranges::equal(multiplied.table(size).entries(), table.entries()));
      }
    }
}

TEST_CASE("the table does not depend on the order of members") {
  MemberSet set(200, 12);
  for (std::size_t i = 0; i < set.size(); ++i) set.weights()[i] = static_cast<std::uint32_t>(i % 5);
  const std::vector<Member> members = set.members();
  const Table table = Table::build(members, 65537);
  std::mt19937 chance(13);
  std::vector<std::uint16_t> order(members.size());
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  for (int round = 0; round < 5; ++round) {
    std::ranges::shuffle(order, chance);
    std::vector<Member> shuffled;
    for (const std::uint16_t i : order) shuffled.push_back(members[i]);
    const Table other = Table::build(shuffled, 65537);
    bool same = true;
    for (std::uint32_t slot = 0; slot < 65537; ++slot)
      same = same && order[other.member_at(slot)] == table.member_at(slot);
    CHECK(same);
  }
}

TEST_CASE("a member without weight is as if it were not there") {
  MemberSet set(20, 3);
  set.weights()[0] = set.weights()[7] = set.weights()[19] = 0;
  const std::vector<Member> all = set.members();
  std::vector<Member> others;
  std::vector<std::uint16_t> position;
  for (std::uint16_t i = 0; i < all.size(); ++i) {
    if (all[i].weight == 0) continue;
    others.push_back(all[i]);
    position.push_back(i);
  }
  const Table with = Table::build(all, 1021);
  const Table without = Table::build(others, 1021);
  for (std::uint32_t slot = 0; slot < 1021; ++slot)
    REQUIRE(with.member_at(slot) == position[without.member_at(slot)]);
}

TEST_CASE("nobody with weight makes an empty table") {
  CHECK(Table().empty());
  CHECK(Table::build({}, 251).empty());
  CHECK(MemberSet(5, 1, 0).table(251).empty());
  CHECK(MemberSet(5, 1, 0).table(251).size() == 0);
}

TEST_CASE("a single member has the whole table") {
  for (const std::uint32_t weight : {1U, 100U, 4'294'967'295U}) {
    const Table table = MemberSet(1, 8, weight).table(65537);
    CHECK(entries_of_each(table, 1).front() == 65537);
  }
}

TEST_CASE("identities of any length are told apart") {
  const std::string names[] = {"", "a", "aa", "b", std::string(300, 'x'), std::string(301, 'x')};
  std::vector<Member> members;
  for (const std::string& name : names) members.push_back({std::as_bytes(std::span(name)), 1});
  const auto counts = entries_of_each(Table::build(members, 1021), members.size());
  CHECK(std::ranges::min(counts) >= 170);
}

TEST_CASE("entries of a member lie scattered, so that each sees a sample of all flows") {
  // Of 100 equal members, neighbouring slots have the same owner about once in a hundred.
  const Table table = MemberSet(100, 2).table(65537);
  std::uint32_t same = 0;
  for (std::uint32_t slot = 1; slot < 65537; ++slot)
    same += table.member_at(slot) == table.member_at(slot - 1) ? 1U : 0U;
  CHECK(same > 65537 / 100 / 2);
  CHECK(same < 65537 / 100 * 2);
}

TEST_CASE("the table of these members never changes") {
  // What two versions of a fleet must agree on during an upgrade: FNV-1a over the entries.
  MemberSet set(10, 42);
  for (std::uint32_t i = 0; i < 10; ++i) set.weights()[i] = 1 + i % 3;
  const Table table = set.table(65537);
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const std::uint16_t member : table.entries()) digest = (digest ^ member) * 0x100000001b3;
  CHECK(digest == 0x9ca9687372dde9e1);
}

TEST_CASE("primes are told from other numbers") {
  std::vector<bool> composite(20'000);
  for (std::uint32_t i = 2; i < composite.size(); ++i)
    for (std::uint32_t j = 2 * i; j < composite.size(); j += i) composite[j] = true;
  for (std::uint32_t i = 0; i < composite.size(); ++i)
    if (is_prime(i) != (i >= 2 && !composite[i])) FAIL_CHECK(i);
  CHECK(is_prime(kDefaultTableSize));
  CHECK(is_prime(655373));
  CHECK(is_prime(kMaxTableSize));
  CHECK(is_prime(4'294'967'291U));  // the largest of 32 bits
  CHECK_FALSE(is_prime(4'294'967'295U));
  CHECK_FALSE(is_prime(4'294'836'225U));   // 65535²
  CHECK_FALSE(is_prime(65521U * 65519U));  // the two largest primes of 16 bits
  for (std::uint32_t i = kMaxTableSize + 1; i < 1U << 24; ++i) CHECK_FALSE(is_prime(i));
}

}  // namespace
}  // namespace guideway::maglev
