// The section `bgp`: the speaker, its mode and its peers. What is announced is in
// config_bgp_policy_test.cpp.
#include "config_bgp_support.h"

namespace guideway::control {
namespace {

using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("Without bgp nothing is announced, and a stop does not wait for routers") {
  const Model model = right(file_with("bgp", "")).model;
  CHECK_FALSE(model.bgp);
  CHECK(model.shutdown.drain == 0s);
}

TEST_CASE("A managed speaker with required keys only gets the defaults of the documentation") {
  const Config config = right(managed(""));
  CHECK(config.warnings.empty());
  const bgp::SpeakerConfig& speaker = config.model.bgp.value().speaker;
  CHECK(speaker.mode == bgp::Mode::managed);
  CHECK(speaker.api == "unix:/run/guideway-bgp/api.sock");
  CHECK(speaker.asn == 64512);
  CHECK(speaker.router_id == "10.0.0.10");
  CHECK(speaker.listen_port == 179);
  CHECK(speaker.graceful_restart == 20s);
  REQUIRE(speaker.peers.size() == 1);
  CHECK(speaker.peers[0] == bgp::Peer{.address = peer_ip("10.0.0.1"),
                                      .asn = 64500,
                                      .password = "",
                                      .hold_time = 9s,
                                      .multihop = {},
                                      .port = 179,
                                      .local_address = {}});
  const bgp::Policy& policy = config.model.bgp.value().policy;
  CHECK(policy.role == bgp::Role::active);
  CHECK(policy.need == bgp::Need::all);
  CHECK(policy.prefixes.empty());
  CHECK(policy.active == bgp::Attributes{});
  CHECK(policy.damping.first == 1s);
  CHECK(policy.damping.most == 60s);
  CHECK(policy.damping.window == 5min);
  CHECK(config.model.shutdown.drain == 5s);
}

TEST_CASE("Every key of the speaker and its peers arrives in the model") {
  const BgpConfig bgp = bgp_of(
      file_with("bgp",
                "bgp:\n  mode: managed\n  api: 127.0.0.1:50051\n  local_asn: 4200000000\n"
                "  router_id: 192.0.2.1\n  listen_port: 0\n  graceful_restart: 0s\n"
                "  next_hop: 10.0.0.10\n  peers:\n"
                "  - {address: 10.0.0.1, asn: 64500, hold_time: 3s, multihop: 255, port: 1790,\n"
                "     local_address: 10.0.0.10}\n"
                "  - {address: '2001:DB8::1', asn: 4294967294, local_address: '2001:db8::a'}\n"
                "  - {address: 10.0.0.2, asn: 4200000000, hold_time: 65535s}\n"));
  const bgp::SpeakerConfig& speaker = bgp.speaker;
  CHECK(speaker.api == "127.0.0.1:50051");
  CHECK(speaker.asn == 4200000000);
  CHECK(speaker.router_id == "192.0.2.1");
  CHECK(speaker.listen_port == 0);
  CHECK(speaker.graceful_restart == 0s);
  REQUIRE(speaker.peers.size() == 3);
  CHECK(speaker.peers[0].hold_time == 3s);
  CHECK(speaker.peers[0].multihop == 255);
  CHECK(speaker.peers[0].port == 1790);
  CHECK(speaker.peers[0].local_address == peer_ip("10.0.0.10"));
  CHECK(speaker.peers[1].address == peer_ip("2001:db8::1"));
  CHECK(speaker.peers[1].asn == 4294967294);
  CHECK(speaker.peers[1].local_address == peer_ip("2001:db8::a"));
  CHECK(speaker.peers[2].hold_time == 65535s);
}

TEST_CASE("An external speaker has its own configuration, and needs no key of its own") {
  const BgpConfig bgp = bgp_of(external("api: 'unix:/tmp/gobgp.sock'"));
  CHECK(bgp.speaker.mode == bgp::Mode::external);
  CHECK(bgp.speaker.api == "unix:/tmp/gobgp.sock");
  CHECK(bgp.speaker.asn == 0);
  CHECK(bgp.speaker.router_id.empty());
  CHECK(bgp.speaker.peers.empty());
  CHECK(bgp_of(external("local_asn: 64512")).speaker.asn == 64512);
}

TEST_CASE("What an external speaker has in its own configuration is an error at the key") {
  for (const std::string key : {"router_id: 10.0.0.10", "listen_port: 179", "graceful_restart: 10s",
                                "peers: [{address: 10.0.0.1, asn: 1}]"})
    CHECK(errors(external(key)) ==
          Lines{"f:3:3: bgp." + key.substr(0, key.find(':')) +
                ": with mode: external gobgpd has this in a configuration of its own; leave it "
                "out here, or set mode: managed"});
}

TEST_CASE("A managed speaker has an AS number and a peer") {
  CHECK(errors(file_with("bgp", "bgp: {role: active}")) ==
        Lines{"f:1:6: bgp.local_asn: missing; must be an AS number from 1 to 4294967295 such as "
              "64512",
              "f:1:6: bgp.peers: missing; must be a list with at least one peer"});
  CHECK(errors(with_peers("")) ==
        Lines{"f:3:10: bgp.peers: must be a list with at least one peer, not an empty list"});
  CHECK(errors(with_peers("{hold_time: 9s}")) ==
        Lines{"f:3:11: bgp.peers[0].address: missing; must be an IPv4 or IPv6 address such as "
              "10.0.0.1",
              "f:3:11: bgp.peers[0].asn: missing; must be an AS number from 1 to 4294967295 such "
              "as 64512"});
  CHECK(errors(with_peers("10.0.0.1")) ==
        Lines{"f:3:11: bgp.peers[0]: must be a mapping with the keys address, asn, password_file, "
              "hold_time, multihop, port and local_address, not \"10.0.0.1\""});
}

TEST_CASE("A section that is no mapping, or has another mode, is one error") {
  CHECK(errors(file_with("bgp", "bgp: on")).size() == 1);
  CHECK(errors(file_with("bgp", "bgp: on"))[0].starts_with(
      "f:1:6: bgp: must be a mapping with the keys mode, api, local_asn, router_id, "));
  CHECK(errors(file_with("bgp", "bgp:")).size() == 1);
  CHECK(errors(file_with("bgp", "bgp: {mode: extern}")) ==
        Lines{"f:1:13: bgp.mode: must be managed or external, not \"extern\"; did you mean "
              "\"external\"?"});
}

TEST_CASE("An AS number is one that an AS can have") {
  const std::string rule =
      "bgp.peers[0].asn: must be an AS number from 1 to 4294967295 such as 64512, not ";
  const auto problem = [](const std::string& asn) {
    return errors(with_peers("{address: 10.0.0.1, asn: " + asn + "}"));
  };
  const auto wrong = [&](const std::string& asn, const std::string& hint) {
    return Lines{"f:3:36: " + rule + "\"" + asn + "\"" + hint};
  };
  CHECK(problem("0") == wrong("0", "; 0 is nobody's (RFC 7607)"));
  CHECK(problem("23456") ==
        wrong("23456", "; 23456 stands for numbers above 65535 (AS_TRANS, RFC 6793)"));
  CHECK(problem("65535") == wrong("65535", "; the last ones are nobody's (RFC 7300)"));
  CHECK(problem("4294967295") == wrong("4294967295", "; the last ones are nobody's (RFC 7300)"));
  CHECK(problem("4294967296") == wrong("4294967296", ""));
  CHECK(problem("1.10") == wrong("1.10", "; write it as a number, 65546"));
  CHECK(problem("0.0") == wrong("0.0", ""));
  CHECK(problem("AS64500") == wrong("AS64500", "; write it as a number, 64500"));
  CHECK(problem("AS0") == wrong("AS0", ""));
  CHECK(problem("-1") == wrong("-1", ""));
  CHECK(errors(file_with("bgp", "bgp: {local_asn: 0, peers: [{address: 10.0.0.1, asn: 1}]}")) ==
        Lines{"f:1:18: bgp.local_asn: must be an AS number from 1 to 4294967295 such as 64512, not "
              "\"0\"; 0 is nobody's (RFC 7607)"});
  CHECK(errors(external("local_asn: 65535")).size() == 1);
}

TEST_CASE("A peer's address is one of a router, in either family") {
  const auto problem = [](const std::string& address) {
    return errors(with_peers("{address: '" + address + "', asn: 64500}"));
  };
  const auto wrong = [](const std::string& address, const std::string& hint) {
    return Lines{
        "f:3:21: bgp.peers[0].address: must be an IPv4 or IPv6 address such as 10.0.0.1, not \"" +
        address + "\"" + hint};
  };
  CHECK(problem("router.example") == wrong("router.example", ""));
  CHECK(problem("10.0.0.1/24") ==
        wrong("10.0.0.1/24", "; it is one address, without a prefix length"));
  CHECK(problem("127.0.0.1") == wrong("127.0.0.1", "; that is a loopback address"));
  CHECK(problem("::1") == wrong("::1", "; that is a loopback address"));
  CHECK(problem("224.0.0.1") == wrong("224.0.0.1", "; that is a multicast address"));
  CHECK(problem("ff02::1") == wrong("ff02::1", "; that is a multicast address"));
  for (const std::string none : {"0.0.0.0", "0.0.0.1", "255.255.255.255", "::"})
    CHECK(problem(none) == wrong(none, "; that is no address of a host"));
  CHECK(problem("fe80::1") ==
        wrong("fe80::1",
              "; that is of one link only, and which one is not said: give the session global or "
              "unique local addresses"));
  CHECK(problem("fe80::1%eth0") ==
        wrong("fe80::1%eth0", "; addresses of one link only are not supported"));
  CHECK(problem("::ffff:10.0.0.1") == wrong("::ffff:10.0.0.1", "; write 10.0.0.1"));
}

TEST_CASE("The numbers of a session are within the limits of the protocol") {
  const auto problem = [](const std::string& key) { return errors(with_peer(key)); };
  CHECK(problem("hold_time: 2s") ==
        Lines{"f:3:54: bgp.peers[0].hold_time: must be a duration from 3s to 65535s such as 30s, "
              "15m or 1h, not \"2s\""});
  CHECK(problem("hold_time: 65536s").size() == 1);
  CHECK(problem("hold_time: 3500ms") ==
        Lines{"f:3:54: bgp.peers[0].hold_time: must be a duration from 3s to 65535s such as 30s, "
              "15m or 1h, not \"3500ms\"; write whole seconds"});
  for (const std::string ttl : {"1", "0", "256"})
    CHECK(problem("multihop: " + ttl) ==
          Lines{"f:3:53: bgp.peers[0].multihop: must be a whole number from 2 to 255, not \"" +
                ttl + "\""});
  for (const std::string port : {"0", "65536"})
    CHECK(problem("port: " + port) ==
          Lines{"f:3:49: bgp.peers[0].port: must be a whole number from 1 to 65535, not \"" + port +
                "\""});
  CHECK(errors(managed("graceful_restart: 4096s")) ==
        Lines{"f:4:21: bgp.graceful_restart: must be a duration from 0s to 4095s such as 30s, 15m "
              "or 1h, not \"4096s\""});
  CHECK(bgp_of(managed("graceful_restart: 4095s")).speaker.graceful_restart == 4095s);
  CHECK(errors(managed("listen_port: 65536")) ==
        Lines{"f:4:16: bgp.listen_port: must be a whole number from 0 to 65535, not \"65536\""});
  CHECK(errors(managed("router_id: lb1")) ==
        Lines{"f:4:14: bgp.router_id: must be an IPv4 address such as 10.0.0.10, not \"lb1\""});
}

TEST_CASE("The API of the speaker is a Unix socket, or an address and a port") {
  for (const std::string api : {"unix:/run/x.sock", "127.0.0.1:1", "[::1]:65535"})
    CHECK(bgp_of(managed("api: '" + api + "'")).speaker.api == api);
  const auto problem = [](const std::string& api) { return errors(managed("api: '" + api + "'")); };
  const auto wrong = [](const std::string& api, const std::string& hint) {
    return Lines{
        "f:4:8: bgp.api: must be unix:PATH or ADDRESS:PORT such as "
        "unix:/run/guideway-bgp/api.sock or 127.0.0.1:50051, not \"" +
        api + "\"" + hint};
  };
  const std::string port = "; a port is a whole number from 1 to 65535";
  const std::string path = "; a path is absolute and shorter than 108 bytes";
  CHECK(problem("/run/x.sock") == wrong("/run/x.sock", "; did you mean \"unix:/run/x.sock\"?"));
  CHECK(problem("unix:x.sock") == wrong("unix:x.sock", path));
  CHECK(problem("unix:/run/") == wrong("unix:/run/", path));
  CHECK(problem("unix://") == wrong("unix://", path));
  for (const char* slashes : {"//", "///"})
    CHECK(problem("unix:" + std::string(slashes) + "run/x.sock") ==
          wrong("unix:" + std::string(slashes) + "run/x.sock",
                "; did you mean \"unix:/run/x.sock\"?"));
  CHECK(problem("unix:/" + std::string(200, 'x'))[0].ends_with(path));
  CHECK(problem("127.0.0.1") == wrong("127.0.0.1", "; a port is missing"));
  CHECK(problem("127.0.0.1:0") == wrong("127.0.0.1:0", port));
  CHECK(problem("127.0.0.1:65536") == wrong("127.0.0.1:65536", port));
  CHECK(problem("127.0.0.1:") == wrong("127.0.0.1:", port));
  CHECK(problem("::1") ==
        wrong("::1", "; an IPv6 address is written in brackets, with a port behind them"));
  CHECK(problem("::1:50051") ==
        wrong("::1:50051", "; an IPv6 address is written in brackets, with a port behind them"));
  CHECK(problem("localhost:50051") ==
        wrong("localhost:50051", "; write the address of the host, not its name"));
  CHECK(problem("gobgpd") == wrong("gobgpd", ""));
  for (const char* nobody : {"0.0.0.0:50051", "255.255.255.255:50051", "[::]:50051"})
    CHECK(problem(nobody) == wrong(nobody, "; that is no address of a host"));
  CHECK(problem("[fe80::1]:50051").size() == 1);
}

TEST_CASE("A router id that is a VIP, which the others of the fleet have too, is a warning") {
  CHECK(warnings(managed("router_id: 10.0.0.99")).empty());
  const Lines found = warnings(managed("router_id: 198.51.100.1"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("f:4:14: bgp.router_id: 198.51.100.1 is also a VIP, at line "));
  CHECK(
      found[0].ends_with(", and no other speaker may have this router id; take an address that "
                         "this host alone has"));
}

TEST_CASE("An API that others can reach is a warning") {
  CHECK(warnings(managed("api: 10.0.0.10:50051")) ==
        Lines{"f:4:8: bgp.api: the API of gobgpd has no password and no encryption: whoever "
              "reaches 10.0.0.10:50051 can announce any prefix; use a Unix socket"});
}

TEST_CASE("A peer is there once, and is a router, not this host nor a VIP") {
  CHECK(errors(with_peers("{address: 10.0.0.1, asn: 1},\n  {address: 10.0.0.1, asn: 2}")) ==
        Lines{"f:4:13: bgp.peers[1].address: peer 10.0.0.1 is already at line 3; with a peer there "
              "is one session"});
  CHECK(errors(with_peers("{address: 10.0.0.10, asn: 1}")) ==
        Lines{"f:3:21: bgp.peers[0].address: 10.0.0.10 is also encapsulation.source, at line 6, an "
              "address of this host; a peer is a router"});
  CHECK(on_host(with_peers("{address: 10.0.0.1, asn: 1}"), {"10.0.0.10", "10.0.0.1"}) ==
        Lines{"f:3:21: bgp.peers[0].address: 10.0.0.1 is an address of this host (interface eth0); "
              "a peer is a router"});
  CHECK(errors(with_peers("{address: 198.51.100.1, asn: 1}")) ==
        Lines{"f:3:21: bgp.peers[0].address: 198.51.100.1 is also a VIP, at line 8; a VIP is "
              "reached by its route only, which is what is announced"});
}

TEST_CASE("There are at most 64 peers") {
  const auto peers = [](int count) {
    std::string list;
    for (int i = 1; i <= count; ++i)
      list += "{address: 10.0.2." + std::to_string(i) + ", asn: 1}, ";
    return with_peers(list);
  };
  CHECK(bgp_of(peers(64)).speaker.peers.size() == 64);
  CHECK(errors(peers(65)) == Lines{"f:3:10: bgp.peers: there are at most 64 peers, not 65"});
}

TEST_CASE("A session comes from an address of this host, of the peer's family") {
  CHECK(errors(with_peer("local_address: '2001:db8::a'")) ==
        Lines{"f:3:58: bgp.peers[0].local_address: 2001:db8::a is not of the family of the peer, "
              "10.0.0.1; a session is between two addresses of one family"});
  CHECK(errors(with_peer("local_address: 198.51.100.1")) ==
        Lines{"f:3:58: bgp.peers[0].local_address: 198.51.100.1 is also a VIP, at line 8; a VIP is "
              "reached by its route only, which is what is announced"});
  CHECK(errors(with_peer("local_address: eth0")).size() == 1);
  CHECK(on_host(with_peer("local_address: 10.0.0.11"), {"10.0.0.10"}) ==
        Lines{"f:3:58: bgp.peers[0].local_address: this host has no address 10.0.0.11, so that no "
              "session can come from it; give it to an interface"});
  CHECK(on_host(with_peer("local_address: 10.0.0.10"), {"10.0.0.10"}).empty());
  CHECK(on_host(with_peer("local_address: 10.0.0.11"), {}).empty());
  CHECK(on_host(with_peer("local_address: 10.0.0.10"), {"10.0.9.9"}).empty());
}

TEST_CASE("A peer in the own AS needs no multihop") {
  CHECK(errors(with_peers("{address: 10.0.0.1, asn: 64512, multihop: 2}")) ==
        Lines{"f:3:53: bgp.peers[0].multihop: peer is in the own AS, 64512, where a session may "
              "have any number of hops; leave it out"});
}

TEST_CASE("An IPv6 peer that is told no IPv4 next hop is a warning") {
  const std::string peers =
      "bgp:\n  local_asn: 64512\n  peers: [{address: '2001:db8::1', asn: 64500}]\n";
  CHECK(warnings(file_with("bgp", peers)) ==
        Lines{"f:3:21: bgp.peers[0].address: over this session VIPs, which are IPv4, are announced "
              "with an IPv6 next hop, which takes a router that knows RFC 8950; set next_hop to an "
              "IPv4 address of this host"});
  CHECK(warnings(file_with("bgp", peers + "  next_hop: 10.0.0.10\n")).empty());
}

}  // namespace
}  // namespace guideway::control
