#include "xdp/steering.h"

#include <algorithm>

#include "support/catch.h"

namespace guideway::xdp {
namespace {

Endpoint endpoint(const char* address, std::uint16_t port, Protocol protocol) {
  return {Ipv4Address::parse(address).value(), port, protocol};
}

}  // namespace

TEST_CASE("the VIP map has one entry for each service and one for each address") {
  const auto entries = vip_entries({endpoint("198.51.100.1", 80, Protocol::tcp),
                                    endpoint("198.51.100.1", 443, Protocol::tcp),
                                    endpoint("198.51.100.2", 53, Protocol::udp)});
  REQUIRE(entries.size() == 5);
  const auto has = [&](const char* address, std::uint16_t port, std::uint8_t protocol) {
    return std::ranges::any_of(entries, [&](const gw_vip_key& key) {
      return key.address == Ipv4Address::parse(address)->wire().wire() &&
             Be16::from_wire(key.port).host() == port && key.protocol == protocol && key.zero == 0;
    });
  };
  CHECK(has("198.51.100.1", 0, 0));
  CHECK(has("198.51.100.1", 80, 6));
  CHECK(has("198.51.100.1", 443, 6));
  CHECK(has("198.51.100.2", 0, 0));
  CHECK(has("198.51.100.2", 53, 17));
}

TEST_CASE("no services, no entries") { CHECK(vip_entries({}).empty()); }

}  // namespace guideway::xdp
