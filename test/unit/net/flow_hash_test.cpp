// The flow hash and the table slot: what a fleet agrees on. A change of either moves every flow.
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "bpf/abi.h"
#include "support/catch.h"
#include "support/frame_builder.h"

namespace guideway {
namespace {

using test::ip;

gw_flow_key key(std::string_view source, std::string_view destination, std::uint16_t source_port,
                std::uint16_t destination_port, std::uint8_t protocol) {
  gw_flow_key result{};
  result.source_address = ip(source).wire().wire();
  result.destination_address = ip(destination).wire().wire();
  result.source_port = Be16(source_port).wire();
  result.destination_port = Be16(destination_port).wire();
  result.protocol = protocol;
  return result;
}

constexpr gw_hash_seed kSeed{0x0123456789abcdef, 0xfedcba9876543210};
constexpr gw_hash_seed kOnes{~0ULL, ~0ULL};

TEST_CASE("the flow hash and the slot of these flows never change") {
  // Made by an independent program (big integers, bytes packed by hand) from the definition of
  // MurmurHash3's finaliser and the comment of gw_flow_hash.
  struct Row {
    gw_flow_key key;
    gw_hash_seed seed;
    std::uint64_t hash;
    std::uint32_t slot;  // of 65537
  };
  const Row rows[] = {
      {key("203.0.113.7", "198.51.100.1", 40000, 80, 6), {}, 0x652ec9fa44354f3d, 25903},
      {key("203.0.113.7", "198.51.100.1", 40000, 80, 17), {}, 0xa69bfc34392be9e3, 42652},
      {key("203.0.113.7", "198.51.100.1", 40000, 80, 6), kSeed, 0x12204f00a87a8fad, 4640},
      {key("203.0.113.7", "198.51.100.1", 40001, 80, 6), kSeed, 0x0ede46351a8e6af5, 3806},
      {key("198.51.100.1", "203.0.113.7", 80, 40000, 6), kSeed, 0xb2ebb479dc2b1ee0, 45804},
      {key("0.0.0.0", "0.0.0.0", 0, 0, 0), {}, 0, 0},
      {key("255.255.255.255", "255.255.255.255", 65535, 65535, 255), kOnes, 0xa50391aaf97a9a00,
       42244},
  };
  for (const Row& row : rows) {
    CHECK(gw_flow_hash(&row.key, &row.seed) == row.hash);
    CHECK(gw_table_slot(row.hash, 65537) == row.slot);
  }
}

TEST_CASE("a slot is always within the table") {
  for (const std::uint32_t size : {1U, 2U, 3U, 251U, 65537U, 655373U, 16'777'213U}) {
    CHECK(gw_table_slot(0, size) == 0);
    CHECK(gw_table_slot(~0ULL, size) == size - 1);
    CHECK(gw_table_slot(0xffffffffULL, size) == 0);  // the lower half is the flow table's
  }
}

gw_flow_key random_key(std::mt19937_64& chance) {
  gw_flow_key result{};
  const std::array<std::uint64_t, 2> words{chance(), chance()};
  std::memcpy(&result, words.data(), 13);
  return result;
}

// How often each bit of the hash turns when `flip` turns one bit of its input.
template <class Flip>
void check_avalanche(Flip flip) {
  constexpr int kKeys = 4000;
  std::mt19937_64 chance(7);
  std::array<int, 64> turned{};
  for (int i = 0; i < kKeys; ++i) {
    gw_flow_key flow = random_key(chance);
    gw_hash_seed seed{chance(), chance()};
    const std::uint64_t before = gw_flow_hash(&flow, &seed);
    flip(flow, seed);
    const std::uint64_t difference = before ^ gw_flow_hash(&flow, &seed);
    for (std::size_t bit = 0; bit < 64; ++bit)
      turned[bit] += static_cast<int>(difference >> bit & 1);
  }
  // Half of them, within five standard deviations (√4000 / 2 = 32) and the mixer's own small bias.
  for (const int count : turned) CHECK(std::abs(count - kKeys / 2) < 200);
}

TEST_CASE("each bit of the flow turns each bit of the hash half the time") {
  for (std::size_t bit = 0; bit < 13 * 8; ++bit) {
    INFO("bit " << bit);
    check_avalanche([&](gw_flow_key& flow, gw_hash_seed&) {
      std::array<unsigned char, 16> bytes;
      std::memcpy(bytes.data(), &flow, 16);
      bytes.at(bit / 8) = static_cast<unsigned char>(bytes.at(bit / 8) ^ 1U << bit % 8);
      std::memcpy(&flow, bytes.data(), 16);
    });
  }
}

TEST_CASE("each bit of the seed turns each bit of the hash half the time") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    INFO("bit " << bit);
    check_avalanche([&](gw_flow_key&, gw_hash_seed& seed) { seed.first ^= 1ULL << bit; });
    check_avalanche([&](gw_flow_key&, gw_hash_seed& seed) { seed.second ^= 1ULL << bit; });
  }
}

// χ² of `counts` against all being equal, as standard deviations from its mean.
double deviation(const std::vector<std::uint32_t>& counts, double total) {
  const double expected = total / static_cast<double>(counts.size());
  double chi_square = 0;
  for (const std::uint32_t count : counts)
    chi_square += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

TEST_CASE("flows that differ as those of real clients do spread evenly over slots and buckets") {
  constexpr std::uint32_t kFlows = 1 << 18;
  const auto check = [](auto flow_at) {
    std::vector<std::uint32_t> slots(1021), buckets(1024);
    for (std::uint32_t i = 0; i < kFlows; ++i) {
      const gw_flow_key flow = flow_at(i);
      const std::uint64_t hash = gw_flow_hash(&flow, &kSeed);
      ++slots[gw_table_slot(hash, 1021)];
      ++buckets[hash % 1024];
    }
    CHECK(std::abs(deviation(slots, kFlows)) < 5);
    CHECK(std::abs(deviation(buckets, kFlows)) < 5);
  };
  gw_flow_key flow = key("10.0.0.0", "198.51.100.1", 0, 443, 6);
  SECTION("a counter over ports, then addresses") {
    check([&](std::uint32_t i) {
      flow.source_port = Be16(static_cast<std::uint16_t>(i)).wire();
      flow.source_address = Be32(0x0a000000 + (i >> 16)).wire();
      return flow;
    });
  }
  SECTION("one address each, the same port") {
    check([&](std::uint32_t i) {
      flow.source_address = Be32(0x0a000000 + i).wire();
      return flow;
    });
  }
  SECTION("addresses of networks, the last byte the same") {
    check([&](std::uint32_t i) {
      flow.source_address = Be32(i << 8 | 1).wire();
      return flow;
    });
  }
}

TEST_CASE("flows that share a slot do not share a bucket") {
  // Of flows that fall into the first 1/64 of the table, the lower bits are as even as of all.
  std::mt19937_64 chance(3);
  std::vector<std::uint32_t> buckets(256);
  std::uint32_t total = 0;
  for (int i = 0; i < 1 << 20; ++i) {
    const gw_flow_key flow = random_key(chance);
    const std::uint64_t hash = gw_flow_hash(&flow, &kSeed);
    if (gw_table_slot(hash, 65537) >= 1024) continue;
    ++buckets[hash % 256];
    ++total;
  }
  CHECK(std::abs(deviation(buckets, total)) < 5);
}

}  // namespace
}  // namespace guideway
