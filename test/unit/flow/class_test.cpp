// How a packet changes the class of its flow.
#include "flow/table.h"

#include <string>

#include "net/wire.h"
#include "support/catch.h"

namespace guideway::flow {

std::ostream& operator<<(std::ostream& out, Class state) {
  static constexpr const char* kNames[] = {"empty", "opening", "established", "closing", "udp"};
  return out << kNames[static_cast<std::size_t>(state)];
}

namespace {

constexpr auto kSyn = kTcpSyn;
constexpr auto kAck = kTcpAck;
constexpr std::uint8_t kSynAck = kTcpSyn | kTcpAck;
constexpr std::uint8_t kFinAck = kTcpFin | kTcpAck;
constexpr std::uint8_t kRst = kTcpRst;
constexpr std::uint8_t kSynFin = kTcpSyn | kTcpFin;

struct Row {
  Class before;
  std::uint8_t flags;
  Class after;
};

TEST_CASE("the class of a TCP flow follows its packets") {
  using enum Class;
  const Row rows[] = {
      {empty, kSyn, opening},
      {empty, kAck, opening},  // its SYN was seen by another load balancer, perhaps: not yet known
      {empty, kFinAck, opening},  // alone it says nothing: a flood of it is a flood of new flows
      {empty, kRst, opening},
      {empty, kSynFin, opening},
      {empty, 0, opening},
      {opening, kSyn, opening},  // sent again: a flood can do that
      {opening, kSynAck, opening},
      {opening, kAck, established},
      {opening, 0, established},
      {opening, kFinAck, closing},
      {opening, kRst, closing},
      {established, kAck, established},
      {established, kSyn, established},  // a challenge; the connection lives on (RFC 5961)
      {established, kFinAck, closing},
      {established, kRst, closing},
      {closing, kAck, closing},
      {closing, kFinAck, closing},
      {closing, kSyn, opening},
      {closing, kRst, closing},
  };
  for (const Row& row : rows) {
    INFO("before " << row.before << ", flags " << int{row.flags});
    CHECK(next_class(row.before, true, row.flags) == row.after);
  }
}

TEST_CASE("the class of a UDP flow is opening for one packet") {
  for (const std::uint8_t flags : {std::uint8_t{0}, kRst}) {
    CHECK(next_class(Class::empty, false, flags) == Class::opening);
    CHECK(next_class(Class::opening, false, flags) == Class::udp);
    CHECK(next_class(Class::udp, false, flags) == Class::udp);
  }
}

TEST_CASE("no packet leaves its flow without a class") {
  for (const bool is_tcp : {true, false})
    for (unsigned before = 0; before < kClasses; ++before)
      for (unsigned flags = 0; flags < 256; ++flags) {
        const Class after =
            next_class(static_cast<Class>(before), is_tcp, static_cast<std::uint8_t>(flags));
        const bool fits =
            is_tcp ? after == Class::established || after == Class::closing : after == Class::udp;
        if (!fits && after != Class::opening) FAIL_CHECK(before << ", flags " << flags);
      }
}

}  // namespace
}  // namespace guideway::flow
