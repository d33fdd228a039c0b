#include "gobgp/target.h"

#include "support/catch.h"

namespace guideway::gobgp {

TEST_CASE("a Unix socket is a URI for gRPC, also with characters that a URI cannot have") {
  const auto endpoint = bgp::parse_endpoint("unix:/run/guide way/api.sock");
  REQUIRE(endpoint);
  CHECK(target(*endpoint) == "unix:/run/guide%20way/api.sock");
}

TEST_CASE("an address and a port are a URI that needs no name to be looked up") {
  const auto v4 = bgp::parse_endpoint("127.0.0.1:50051");
  REQUIRE(v4);
  CHECK(target(*v4) == "ipv4:127.0.0.1:50051");
  const auto v6 = bgp::parse_endpoint("[::1]:50051");
  REQUIRE(v6);
  CHECK(target(*v6) == "ipv6:%5B%3A%3A1%5D:50051");
}

}  // namespace guideway::gobgp
