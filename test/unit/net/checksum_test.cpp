#include "net/checksum.h"

#include "core/big_endian.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "unit/net/goldens.h"

namespace guideway {
namespace {

std::uint16_t checksum_of(std::span<const std::byte> bytes) {
  const std::uint16_t sum = checksum_fold(checksum_add(0, bytes));
  return Be16::from_wire(static_cast<std::uint16_t>(~sum)).host();
}

TEST_CASE("the example of RFC 1071 adds up to what the RFC says") {
  // Section 3: the words 0001 f203 f4f5 f6f7 have the sum ddf2.
  const auto bytes = test::from_hex("0001f203f4f5f6f7");
  const auto sum = Be16::from_wire(checksum_fold(checksum_add(0, bytes)));
  CHECK(sum.host() == 0xddf2);
}

TEST_CASE("checksums are those of scapy") {
  for (const test::ChecksumGolden& golden : test::kChecksumGoldens) {
    INFO(golden.bytes);
    CHECK(checksum_of(test::from_hex(golden.bytes)) == golden.checksum);
  }
}

TEST_CASE("a sum may be taken in pieces, in any order and at any alignment") {
  const auto bytes = test::from_hex("00fffefdfcfb0102030405060708090a0b0c0d0e0f");
  const auto all = std::span(bytes).subspan(1);  // 20 bytes at an odd address
  const std::uint16_t whole = checksum_fold(checksum_add(0, all));
  for (std::size_t cut = 0; cut <= all.size(); cut += 2) {
    CHECK(checksum_fold(checksum_add(checksum_add(0, all.first(cut)), all.subspan(cut))) == whole);
    CHECK(checksum_fold(checksum_add(checksum_add(0, all.subspan(cut)), all.first(cut))) == whole);
  }
}

TEST_CASE("folding carries over twice where it must") {
  CHECK(checksum_fold(0) == 0);
  CHECK(checksum_fold(0xffff) == 0xffff);
  CHECK(checksum_fold(0x1ffff) == 1);  // 0xffff + 1 carries again
  CHECK(checksum_fold(0xffffffff) == 0xffff);
}

TEST_CASE("a header with its checksum is right until any one bit of it changes") {
  auto header = test::from_hex("4500003412340000402f0000c00002010a010203");
  const std::uint16_t checksum = checksum_of(header);
  header[10] = static_cast<std::byte>(checksum >> 8);
  header[11] = static_cast<std::byte>(checksum & 0xff);
  CHECK(checksum_is_right(header));
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    header[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    CHECK_FALSE(checksum_is_right(header));
    header[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
}

}  // namespace
}  // namespace guideway
