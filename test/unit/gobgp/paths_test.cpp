#include "gobgp/paths.h"

#include <algorithm>
#include <random>

#include "unit/gobgp/gobgpd.h"

namespace guideway::gobgp {
namespace {

using bgp::Attributes;

// Routes with all combinations of attributes that there are, by lot.
class Lots {
 public:
  bgp::Route route(std::uint32_t number) {
    const bool v4 = one_in(2);
    bgp::Route result{v4 ? prefix("198.18." + std::to_string(number / 256) + "." +
                                  std::to_string(number % 256) + "/32")
                         : prefix("2001:db8::" + std::to_string(number) + "/128"),
                      {}};
    Attributes& attributes = result.attributes;
    if (one_in(2)) attributes.med = any_number();
    if (one_in(2)) attributes.local_preference = any_number();
    if (one_in(3)) attributes.prepend = static_cast<std::uint8_t>(1 + any_number() % 10);
    if (one_in(2)) attributes.next_hop = next_hop();
    for (std::uint32_t i = any_number() % 4; i > 0; --i)
      attributes.communities.push_back({any_number()});
    for (std::uint32_t i = any_number() % 4; i > 0; --i)
      attributes.large_communities.push_back({any_number(), any_number(), any_number()});
    std::ranges::sort(attributes.communities);
    std::ranges::sort(attributes.large_communities);
    return result;
  }

 private:
  bool one_in(std::uint32_t n) { return numbers_() % n == 0; }
  // 0 and the largest are as likely as all the others together.
  std::uint32_t any_number() {
    switch (numbers_() % 4) {
      case 0: return 0;
      case 1: return 0xffff'ffff;
      default: return static_cast<std::uint32_t>(numbers_());
    }
  }
  bgp::IpAddress next_hop() {
    if (one_in(2))
      return boost::asio::ip::make_address("10.0.0." + std::to_string(1 + numbers_() % 9));
    return boost::asio::ip::make_address("2001:db8:1::" + std::to_string(1 + numbers_() % 9));
  }
  std::mt19937 numbers_{20261126};
};

apipb::Path plain_path() { return to_path(route("198.51.100.1/32"), kOwnAsn); }

void add(apipb::Path& path, const google::protobuf::Message& attribute) {
  path.add_pattrs()->PackFrom(attribute);
}

}  // namespace

TEST_CASE("every route is the same after it was written as a path and read") {
  Lots lots;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const bgp::Route route = lots.route(i);
    const apipb::Path path = to_path(route, kOwnAsn);
    CHECK(path.identifier() == kPathIdentifier);
    REQUIRE(attributes_of(path, kOwnAsn) == route.attributes);
  }
}

TEST_CASE("every route comes back from gobgpd as it was given and is not given again") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  wanted.config.asn = GENERATE(64512U, 4200000000U);
  wanted.routes.clear();
  Lots lots;
  for (std::uint32_t i = 0; i < 400; ++i) wanted.routes.push_back(lots.route(i));
  std::ranges::sort(wanted.routes, {}, &bgp::Route::prefix);
  const auto speaker = make_speaker();
  CHECK(reconcile(*speaker, wanted).added == 400);
  check_in_step(*speaker, wanted);
  check_in_step(*make_speaker(), wanted);
}

TEST_CASE("a path with what no route of ours has is seen as different") {
  apipb::Path path = plain_path();
  CHECK(attributes_of(path, kOwnAsn) == Attributes{});
  SECTION("another origin") {
    path.clear_pattrs();
    apipb::OriginAttribute origin;
    origin.set_origin(2);
    add(path, origin);
  }
  SECTION("another ASN in the path") {
    apipb::AsPathAttribute as_path;
    as_path.add_segments()->set_type(apipb::AsSegment::AS_SEQUENCE);
    as_path.mutable_segments(0)->add_numbers(kOwnAsn);
    as_path.mutable_segments(0)->add_numbers(65001);
    add(path, as_path);
  }
  SECTION("a set in the path") {
    apipb::AsPathAttribute as_path;
    as_path.add_segments()->set_type(apipb::AsSegment::AS_SET);
    as_path.mutable_segments(0)->add_numbers(kOwnAsn);
    add(path, as_path);
  }
  SECTION("two segments in the path") {
    apipb::AsPathAttribute as_path;
    for (int i = 0; i < 2; ++i) {
      as_path.add_segments()->set_type(apipb::AsSegment::AS_SEQUENCE);
      as_path.mutable_segments(i)->add_numbers(kOwnAsn);
    }
    add(path, as_path);
  }
  SECTION("an attribute that is never sent") { add(path, apipb::AtomicAggregateAttribute()); }
  SECTION("no attribute at all") { add(path, apipb::Family()); }
  SECTION("bytes that are no attribute") { path.mutable_pattrs(0)->set_value("\xff\xff\xff"); }
  SECTION("a next hop that is none") {
    apipb::NextHopAttribute hop;
    hop.set_next_hop("nowhere");
    add(path, hop);
  }
  CHECK(attributes_of(path, kOwnAsn) == std::nullopt);
}

TEST_CASE("a path that a peer has sent is nobody's local path") {
  apipb::Destination destination;
  destination.set_prefix("198.51.100.1/32");
  apipb::Path path = plain_path();
  path.set_neighbor_ip("<nil>");
  CHECK(to_local_path(destination, path, kOwnAsn).has_value());
  path.set_neighbor_ip("10.0.0.1");
  CHECK_FALSE(to_local_path(destination, path, kOwnAsn));
  path.set_neighbor_ip("fd00::1");
  CHECK_FALSE(to_local_path(destination, path, kOwnAsn));
}

TEST_CASE("a destination that is no prefix is no local path") {
  apipb::Destination destination;
  destination.set_prefix("[type:default]");
  CHECK_FALSE(to_local_path(destination, plain_path(), kOwnAsn));
}

TEST_CASE("routes of IPv6 are kept as those of IPv4") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  wanted.routes.push_back(route("2001:db8:100::1/128", 9));
  wanted.routes.push_back(route("2001:db8:200::/48"));
  const auto speaker = make_speaker();
  CHECK(reconcile(*speaker, wanted).added == 4);
  check_in_step(*speaker, wanted);
  Meddler other(gobgpd);
  CHECK(other.local_paths(family_v6()).size() == 2);
  other.remove(prefix("2001:db8:100::1/128"));
  CHECK(reconcile(*speaker, wanted).done ==
        std::vector<std::string>{"added 2001:db8:100::1/128, med 9"});
  wanted.routes.pop_back();
  CHECK(reconcile(*speaker, wanted).done ==
        std::vector<std::string>{"deleted 2001:db8:200::/48, which nobody wants"});
}

}  // namespace guideway::gobgp
