#include "bgp/endpoint.h"

#include "support/catch.h"

namespace guideway::bgp {

TEST_CASE("the place of an API is a Unix socket by its path, or an address and a port") {
  const auto path = parse_endpoint("unix:/run/guide way/api.sock");
  REQUIRE(path);
  CHECK(path->path == "/run/guide way/api.sock");
  const auto v4 = parse_endpoint("127.0.0.1:50051");
  REQUIRE(v4);
  CHECK(v4->path.empty());
  CHECK(v4->address == "127.0.0.1");
  CHECK(v4->port == 50051);
  const auto v6 = parse_endpoint("[::1]:50051");
  REQUIRE(v6);
  CHECK(v6->address == "::1");
}

TEST_CASE("what is neither a socket nor an address with a port is refused") {
  for (const char* text :
       {"", "unix:", "unix:relative", "unix://run/api.sock", "unix:/run/", "127.0.0.1",
        "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:50051x", "[127.0.0.1]:50051",
        "::1:50051", "localhost:50051", ":50051"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_endpoint(text));
  }
}

TEST_CASE("a path that is too long for a socket is an error of its own") {
  const auto endpoint = parse_endpoint("unix:/" + std::string(200, 'x'));
  REQUIRE(endpoint);
  const auto connected = try_to_connect(*endpoint, std::chrono::milliseconds(100));
  REQUIRE_FALSE(connected);
  CHECK(connected.error().what == "connecting: File name too long");
}

}  // namespace guideway::bgp
