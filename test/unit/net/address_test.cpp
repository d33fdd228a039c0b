#include "net/address.h"

#include <algorithm>
#include <string>

#include "support/catch.h"

namespace guideway {
namespace {

TEST_CASE("a dotted quad is an address and prints as it was written") {
  const std::pair<std::string_view, std::uint32_t> rows[] = {
      {"0.0.0.0", 0},
      {"192.0.2.1", 0xc0000201},
      {"255.255.255.255", 0xffffffff},
      {"10.20.30.40", 0x0a141e28},
      {"1.0.0.0", 0x01000000},
  };
  for (const auto& [text, number] : rows) {
    const auto address = Ipv4Address::parse(text);
    INFO(text);
    REQUIRE(address.has_value());
    CHECK(address->host() == number);
    CHECK(address->text() == text);
  }
}

TEST_CASE("what is not a dotted quad is no address") {
  const std::string_view rows[] = {
      "",
      ".",
      "1",
      "1.2.3",
      "1.2.3.",
      "1.2.3.4.",
      "1.2.3.4.5",
      ".1.2.3.4",
      "1..3.4",
      "256.1.1.1",
      "1.1.1.256",
      "1.2.3.4 ",
      " 1.2.3.4",
      "1.2.3.4\n",
      "1. 2.3.4",
      "-1.2.3.4",
      "+1.2.3.4",
      "01.2.3.4",
      "1.2.3.04",
      "00.0.0.0",
      "0x1.2.3.4",
      "1.2.3.4/24",
      "1.2.3.a",
      "a.b.c.d",
      "1,2,3,4",
      "localhost",
      "::1",
      "1.2.3.4:80",
      "999999.1.1.1",
      "1.2.3.4294967297",
      "1.2.3.1e1",
      "\xef\xbc\x91.2.3.4",
  };
  for (const std::string_view text : rows) {
    INFO('"' << text << '"');
    CHECK_FALSE(Ipv4Address::parse(text).has_value());
  }
  CHECK_FALSE(Ipv4Address::parse(std::string_view("1.2.3.4\0", 8)).has_value());
}

TEST_CASE("parsing stops at the end of the text and not of what lies behind it") {
  const std::string_view behind = "10.0.0.12";
  CHECK(Ipv4Address::parse(behind.substr(0, 8)).value().text() == "10.0.0.1");
  CHECK_FALSE(Ipv4Address::parse(behind.substr(0, 7)).has_value());
}

TEST_CASE("addresses order by number") {
  const auto ip = [](std::string_view text) { return Ipv4Address::parse(text).value(); };
  CHECK(ip("10.0.0.2") < ip("10.0.0.10"));
  CHECK(ip("9.255.255.255") < ip("10.0.0.0"));
  CHECK(ip("127.0.0.1") < ip("128.0.0.1"));
}

TEST_CASE("only unicast addresses are those of a host") {
  const std::pair<std::string_view, bool> rows[] = {
      {"0.0.0.0", false},   {"0.255.255.255", false},   {"1.0.0.0", true},
      {"10.0.0.1", true},   {"126.255.255.255", true},  {"127.0.0.0", false},
      {"127.0.0.1", false}, {"128.0.0.0", true},        {"223.255.255.255", true},
      {"224.0.0.0", false}, {"239.255.255.255", false}, {"255.255.255.255", false},
  };
  for (const auto& [text, is_unicast] : rows) {
    INFO(text);
    CHECK(Ipv4Address::parse(text)->is_unicast() == is_unicast);
  }
}

TEST_CASE("addresses and endpoints print as people write them") {
  CHECK(MacAddress{{0x02, 0x00, 0xab, 0xcd, 0xef, 0x09}}.text() == "02:00:ab:cd:ef:09");
  const Endpoint at{Ipv4Address::parse("198.51.100.1").value(), 80, Protocol::tcp};
  CHECK(at.text() == "tcp 198.51.100.1:80");
  CHECK(name(Protocol::udp) == "udp");
}

}  // namespace
}  // namespace guideway
