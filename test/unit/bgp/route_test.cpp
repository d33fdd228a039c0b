// Prefixes, communities and path attributes: what is read, what is not, and what is printed.
#include "bgp/route.h"

#include <algorithm>

#include "support/catch.h"

namespace guideway::bgp {
namespace {

IpAddress ip(const char* text) { return boost::asio::ip::make_address(text); }

Prefix prefix(std::string_view text) {
  const auto parsed = Prefix::parse(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

// Texts that no kind of thing may be read from.
template <class Kind>
void check_not_read(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    INFO("\"" << text << "\"");
    CHECK_FALSE(Kind::parse(text));
  }
}

TEST_CASE("A prefix is read and printed as address and length, in both families") {
  for (const std::string text :
       {"198.51.100.0/24", "0.0.0.0/0", "128.0.0.0/1", "198.51.100.1/32", "10.255.255.254/31",
        "2001:db8::/48", "::/0", "2001:db8::1/128", "2001:db8:0:8000::/49"})
    CHECK(prefix(text).text() == text);
  CHECK(prefix("198.51.100.0/24") == Prefix{ip("198.51.100.0"), 24});
  CHECK(prefix("2001:DB8:0:0::/32").text() == "2001:db8::/32");
}

TEST_CASE("An address without a length is the prefix that has it alone") {
  CHECK(prefix("198.51.100.1") == Prefix::of(ip("198.51.100.1")));
  CHECK(prefix("198.51.100.1").text() == "198.51.100.1/32");
  CHECK(prefix("2001:db8::1") == Prefix::of(ip("2001:db8::1")));
  CHECK(prefix("2001:db8::1").text() == "2001:db8::1/128");
}

TEST_CASE("A text with something else in it, or a bit behind the length, is no prefix") {
  check_not_read<Prefix>({"",
                          "/",
                          "/24",
                          "198.51.100.0/",
                          "198.51.100.0/33",
                          "198.51.100.0/024",
                          "198.51.100.0/+24",
                          "198.51.100.0/24 ",
                          " 198.51.100.0/24",
                          "198.51.100.0/24/24",
                          "198.51.100.0/-1",
                          "198.51.100.0/256",
                          "198.51.100/24",
                          "198.51.100.256/32",
                          "198.051.100.0/24",
                          "198.51.100.1/31",
                          "198.51.100.1/0",
                          "2001:db8::1/127",
                          "2001:db8::/129",
                          "2001:db8::/28",
                          "fe80::1%lo",
                          "fe80::%1/64",
                          "2001:db8:/32",
                          "localhost",
                          "default"});
  CHECK_FALSE(Prefix::parse(std::string_view("10.0.0.1\0", 9)));
}

TEST_CASE("A prefix contains the addresses that begin as it does, of its family only") {
  const Prefix net = prefix("198.51.100.64/26");
  CHECK(net.contains(ip("198.51.100.64")));
  CHECK(net.contains(ip("198.51.100.127")));
  CHECK_FALSE(net.contains(ip("198.51.100.63")));
  CHECK_FALSE(net.contains(ip("198.51.100.128")));
  CHECK_FALSE(net.contains(ip("2001:db8::1")));
  CHECK(prefix("0.0.0.0/0").contains(ip("255.255.255.255")));
  CHECK_FALSE(prefix("0.0.0.0/0").contains(ip("::1")));
  CHECK_FALSE(prefix("::/0").contains(ip("10.0.0.1")));
  CHECK(prefix("198.51.100.1").contains(ip("198.51.100.1")));
  CHECK_FALSE(prefix("198.51.100.1").contains(ip("198.51.100.0")));
  CHECK(prefix("2001:db8:0:8000::/49").contains(ip("2001:db8:0:ffff::1")));
  CHECK_FALSE(prefix("2001:db8:0:8000::/49").contains(ip("2001:db8:0:7fff::1")));
}

TEST_CASE("Prefixes sort by family, number and length") {
  const std::vector<Prefix> sorted{
      prefix("9.0.0.0/8"), prefix("10.0.0.0/8"), prefix("10.0.0.0/16"),   prefix("10.0.0.2"),
      prefix("10.0.0.10"), prefix("::/0"),       prefix("2001:db8::/32"), prefix("2001:db8::/48")};
  std::vector<Prefix> mixed = sorted;
  std::ranges::reverse(mixed);
  std::ranges::sort(mixed);
  CHECK(mixed == sorted);
}

TEST_CASE("A community is two numbers, or one of the names") {
  const auto value = [](std::string_view text) { return Community::parse(text).value().value; };
  CHECK(value("64512:100") == 0xfc000064);
  CHECK(value("0:0") == 0);
  CHECK(value("65535:65535") == 0xffffffff);
  CHECK(value("no-export") == 0xffffff01);
  CHECK(value("no-advertise") == 0xffffff02);
  CHECK(value("no-export-subconfed") == 0xffffff03);
  CHECK(value("no-peer") == 0xffffff04);
  CHECK(value("graceful-shutdown") == 0xffff0000);
  CHECK(value("blackhole") == 0xffff029a);
}

TEST_CASE("A community is printed as it is read, and one that has a name by its name") {
  for (const std::string text : {"64512:100", "0:0", "1:65535", "65535:65535"})
    CHECK(Community::parse(text).value().text() == text);
  for (const std::string_view name : kCommunityNames)
    CHECK(Community::parse(name).value().text() == name);
  CHECK(Community::parse("65535:65281").value().text() == "no-export");
  CHECK(Community::parse("65535:666").value().text() == "blackhole");
}

TEST_CASE("What is not two numbers of 16 bits is no community") {
  check_not_read<Community>({"", ":", "64512", "64512:", ":100", "65536:1", "1:65536", "1:2:3",
                             "-1:1", "1:+1", "01:1", "1: 1", "64512:100 ", "No-Export", "noexport",
                             "0x1:1", "rt:1:1"});
}

TEST_CASE("A large community is three numbers of 32 bits") {
  CHECK(LargeCommunity::parse("4294967295:0:1").value() == LargeCommunity{4294967295, 0, 1});
  for (const std::string text : {"64512:1:2", "0:0:0", "4294967295:4294967295:4294967295"})
    CHECK(LargeCommunity::parse(text).value().text() == text);
  check_not_read<LargeCommunity>({"", "::", "1:2", "1:2:", ":1:2", "1:2:3:4", "4294967296:1:1",
                                  "1:1:-1", "1:02:3", "1:2:3 ", "no-export"});
}

TEST_CASE("Attributes in words name what there is, and nothing where there is nothing") {
  CHECK(Attributes{}.text().empty());
  Attributes attributes;
  attributes.med = 0;
  CHECK(attributes.text() == "med 0");
  attributes.med = 50;
  attributes.communities = {Community::parse("64512:100").value(),
                            Community::parse("no-export").value()};
  CHECK(attributes.text() == "med 50, communities 64512:100 no-export");
  attributes.local_preference = 200;
  attributes.prepend = 3;
  attributes.next_hop = ip("10.0.0.10");
  attributes.large_communities = {{64512, 1, 2}};
  CHECK(attributes.text() ==
        "med 50, local preference 200, prepend 3, next hop 10.0.0.10, communities 64512:100 "
        "no-export 64512:1:2");
  attributes = {};
  attributes.large_communities = {{1, 2, 3}};
  CHECK(attributes.text() == "communities 1:2:3");
}

}  // namespace
}  // namespace guideway::bgp
