#include "net/prefix.h"

#include "support/catch.h"

namespace guideway {
namespace {

TEST_CASE("a prefix is an address and a number of bits, an address alone has all of them") {
  const auto network = Ipv4Prefix::parse("203.0.113.0/24");
  REQUIRE(network);
  CHECK(network->address.text() == "203.0.113.0");
  CHECK(network->bits == 24);
  const auto host = Ipv4Prefix::parse("203.0.113.7");
  REQUIRE(host);
  CHECK(host->address.text() == "203.0.113.7");
  CHECK(host->bits == 32);
  const auto everybody = Ipv4Prefix::parse("0.0.0.0/0");
  REQUIRE(everybody);
  CHECK(everybody->bits == 0);
}

TEST_CASE("what is no prefix is refused") {
  for (const char* text : {"", "/", "/24", "203.0.113.0/", "203.0.113.0/33", "203.0.113.0/256",
                           "203.0.113.0/-1", "203.0.113.0/+1", "203.0.113.0/24 ", "203.0.113/24",
                           "203.0.113.0/24/8", "203.0.113.0/0x8", "::1/128", "net"}) {
    INFO(text);
    CHECK_FALSE(Ipv4Prefix::parse(text));
  }
}

}  // namespace
}  // namespace guideway
