// What is read of the host for BGP: on real sockets.
#include "doctor/bgp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "core/unique_fd.h"
#include "doctor/facts_json.h"
#include "scratch_root.h"
#include "support/catch.h"

namespace guideway::doctor {
namespace {

using Catch::Matchers::Contains;

// A socket of this family that is bound to `address`, and, where wanted, listens there.
template <class Address>
UniqueFd bound(int family, const Address& address, bool listens) {
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      (listens && ::listen(socket.get(), 1) != 0))
    throw std::runtime_error(std::string("making a socket: ") + std::strerror(errno));
  return socket;
}

UniqueFd at_path(const std::string& path, bool listens = true) {
  return bound(AF_UNIX, socket_address(path), listens);
}

// At a port of loopback, which `api` is told.
UniqueFd at_port(std::string& api, bool listens) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  UniqueFd socket = bound(AF_INET, address, listens);
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  api = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  return socket;
}

}  // namespace

TEST_CASE("a speaker that listens at a Unix socket or a port is known to") {
  const ScratchFolder folder;
  const UniqueFd socket = at_path(folder / "api");
  CHECK(read_api("unix:" + (folder / "api")).is({.listens = true, .cause = ""}));
  std::string api;
  const UniqueFd port = at_port(api, true);
  CHECK(read_api(api).is({.listens = true, .cause = ""}));
}

TEST_CASE("that nobody listens is known with the reason: no socket, a dead one, a closed port") {
  const ScratchFolder folder;
  CHECK(read_api("unix:" + (folder / "api"))
            .is({.listens = false, .cause = "No such file or directory"}));
  const UniqueFd dead = at_path(folder / "dead", false);
  CHECK(
      read_api("unix:" + (folder / "dead")).is({.listens = false, .cause = "Connection refused"}));
  std::string api;
  const UniqueFd port = at_port(api, false);
  CHECK(read_api(api).is({.listens = false, .cause = "Connection refused"}));
}

TEST_CASE("a socket that this user may not open is unknown for want of a privilege") {
  constexpr uid_t kNobody = 65534;
  const uid_t self = ::geteuid();
  const ScratchFolder folder;
  const UniqueFd socket = at_path(folder / "api");
  std::filesystem::permissions(folder / "api", std::filesystem::perms::none);
  std::filesystem::permissions(folder / "", std::filesystem::perms::all);
  if (self == 0) REQUIRE(::seteuid(kNobody) == 0);  // root may open all of them
  const auto answer = read_api("unix:" + (folder / "api"));
  REQUIRE(::seteuid(self) == 0);
  REQUIRE_FALSE(answer);
  CHECK(answer.unknown().why == Why::no_privilege);
  CHECK_THAT(answer.because(), Contains("Permission denied"));
}

TEST_CASE("gobgpd is found where distributions put it, if it can be run") {
  ScratchRoot root;
  control::BgpConfig config;
  config.speaker.api = "unix:/nowhere";
  CHECK(read_bgp(config, root.path()).gobgpd.unknown().why == Why::not_there);
  root.write("usr/bin/gobgpd", "#!");
  CHECK_FALSE(read_bgp(config, root.path()).gobgpd.known());
  std::filesystem::permissions(root.path() / "usr/bin/gobgpd", std::filesystem::perms::owner_all);
  CHECK(read_bgp(config, root.path()).gobgpd.is("/usr/bin/gobgpd"));
}

TEST_CASE("the way to each peer is read, and of IPv6 it is said that it is not") {
  control::BgpConfig config;
  config.speaker.api = "unix:/nowhere";
  for (const char* address : {"127.0.0.1", "2001:db8::1"}) {
    bgp::Peer peer;
    peer.address = boost::asio::ip::make_address(address);
    config.speaker.peers.push_back(peer);
  }
  const BgpFacts facts = read_bgp(config, "/");
  REQUIRE(facts.peers.size() == 2);
  CHECK(facts.peers[0].address == "127.0.0.1");
  REQUIRE(facts.peers[0].route);
  CHECK(facts.peers[0].route->kind == RouteFact::Kind::local);
  CHECK(facts.peers[1].route.unknown().why == Why::not_supported);
}

TEST_CASE("facts of BGP are null without the section, and else the API, gobgpd and the peers") {
  Facts facts;
  CHECK(to_json(facts).at("bgp").is_null());
  facts.bgp = BgpFacts{.api = "unix:/s",
                       .answer = ApiFact{.listens = false, .cause = "why"},
                       .gobgpd = std::string("/usr/bin/gobgpd"),
                       .peers = {{.address = "10.0.0.1", .route = {}, .neighbour = {}}}};
  const boost::json::object document = to_json(facts);
  const boost::json::value& bgp = document.at("bgp");
  CHECK(boost::json::serialize(bgp.at("answer")) == R"({"listens":false,"cause":"why"})");
  CHECK(bgp.at("api") == "unix:/s");
  CHECK(bgp.at("gobgpd") == "/usr/bin/gobgpd");
  CHECK(bgp.at("peers").at(0).at("address") == "10.0.0.1");
  CHECK(bgp.at("peers").at(0).at("route").at("why") == "not_read");
}

}  // namespace guideway::doctor
