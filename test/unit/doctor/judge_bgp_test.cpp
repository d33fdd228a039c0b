// What is said of BGP: of the speaker and the ways to the peers, and of what a daemon tells.
#include "judge_rows.h"

namespace guideway::doctor {
namespace {

bgp::Peer peer(const char* address, std::uint32_t asn) {
  bgp::Peer out;
  out.address = boost::asio::ip::make_address(address);
  out.asn = asn;
  return out;
}

PeerFacts way_to(const char* address) {
  return {.address = address,
          .route = RouteFact{.kind = RouteFact::Kind::unicast,
                             .device = "eth0",
                             .device_index = 2,
                             .gateway = {},
                             .mtu_bytes = 1600,
                             .source = {},
                             .device_running = true,
                             .device_ethernet = true,
                             .from_source = false},
          .neighbour = {}};
}

// A file with the section, and a speaker that listens.
World announcing() {
  World world;
  world.model.bgp.emplace();
  world.model.bgp->speaker.api = "unix:/run/guideway-bgp/api.sock";
  world.model.bgp->speaker.asn = 64512;
  world.model.bgp->speaker.peers = {peer("10.0.0.1", 64500), peer("10.0.0.2", 64500)};
  world.facts.bgp = BgpFacts{.api = world.model.bgp->speaker.api,
                             .answer = ApiFact{.listens = true, .cause = {}},
                             .gobgpd = std::string("/usr/bin/gobgpd"),
                             .peers = {way_to("10.0.0.1"), way_to("10.0.0.2")}};
  return world;
}

// And a daemon with two sessions and two routes.
World announced() {
  World world = announcing();
  world.running = healthy_running(world);
  world.running->bgp = RunningBgp{
      .api = world.model.bgp->speaker.api,
      .role = "active",
      .role_by_operator = false,
      .contact = "reached",
      .error = {},
      .sessions = {{.peer = "10.0.0.1",
                    .asn = 64500,
                    .state = "established",
                    .state_for_seconds = 90,
                    .graceful_restart = true},
                   {.peer = "10.0.0.2",
                    .asn = 64500,
                    .state = "established",
                    .state_for_seconds = 90,
                    .graceful_restart = true}},
      .routes = {{.prefix = "198.51.100.1/32", .state = "announced", .why = "", .held = true},
                 {.prefix = "198.51.100.2/32", .state = "announced", .why = "", .held = true}}};
  return world;
}

Findings of_bgp(const World& world) {
  Findings out;
  for (const Finding& one : amiss(world.findings()))
    if (one.subject == "bgp") out.push_back(one);
  return out;
}

void answer(World& world, const char* cause) {
  world.facts.bgp->answer = ApiFact{.listens = false, .cause = cause};
}

RouteFact& route_to(World& world, RouteFact& changed) {
  changed = *world.facts.bgp->peers[0].route;
  return changed;
}

TEST_CASE("of a host and a daemon where BGP is well, nothing is amiss, and what was seen is told") {
  CHECK(of_bgp(announcing()).empty());
  CHECK(of_bgp(announced()).empty());
  std::set<std::string> checks;
  for (const Finding& one : announced().findings())
    if (one.subject == "bgp") checks.insert(one.check);
  CHECK(checks == std::set<std::string>{"bgp_api", "bgp_way", "bgp_role", "bgp_speaker",
                                        "bgp_session", "bgp_held", "bgp_route"});
}

TEST_CASE("without the section nothing is said of BGP") {
  for (const Finding& one : with_daemon().findings()) CHECK(one.subject != "bgp");
}

TEST_CASE("a speaker that does not listen is told with what starts it") {
  check_rows(
      announcing(),
      {{"not started", [](World& world) { answer(world, "No such file or directory"); },
        Severity::warning, "bgp_api",
        "no BGP speaker listens at unix:/run/guideway-bgp/api.sock (No such file or directory): no "
        "VIP is announced",
        "systemctl enable --now guideway-gobgp"},
       {"not installed",
        [](World& world) {
          answer(world, "No such file or directory");
          world.facts.bgp->gobgpd = Unknown{Why::not_there, "no gobgpd"};
        },
        Severity::warning, "bgp_api", "gobgpd is not installed",
        "apt-get install gobgpd && systemctl enable --now guideway-gobgp"},
       {"elsewhere",
        [](World& world) {
          answer(world, "Connection refused");
          world.facts.bgp->api = "127.0.0.1:50051";
        },
        Severity::warning, "bgp_api", "127.0.0.1:50051 (Connection refused)",
        "start gobgpd with --api-hosts 127.0.0.1:50051"},
       {"at a socket of another place",
        [](World& world) {
          answer(world, "Connection refused");
          world.facts.bgp->api = "unix:/run/bgp/s";
        },
        Severity::warning, "bgp_api", "unix:/run/bgp/s (Connection refused)",
        "start gobgpd with --api-hosts unix:///run/bgp/s, or"}},
      "bgp");
}

TEST_CASE("a speaker that does not listen is an error where a daemon runs, and told once") {
  World world = announced();
  answer(world, "Connection refused");
  world.running->bgp->contact = "lost";
  world.running->bgp->error = "nobody answers";
  const Findings found = of_bgp(world);
  REQUIRE(found.size() == 1);
  CHECK(found[0].check == "bgp_api");
  CHECK(found[0].severity == Severity::error);
}

TEST_CASE("an API that this user may not open is with what only root is told") {
  World world = announcing();
  world.facts.bgp->answer = Unknown{Why::no_privilege, "connecting: Permission denied"};
  CHECK(of_bgp(world).empty());
  const Findings found = amiss(world.findings(), "privilege");
  REQUIRE(found.size() == 1);
  CHECK(found[0].text.find("whether a BGP speaker listens at") != std::string::npos);
}

TEST_CASE("a peer to which there is no way is told") {
  const auto make = [](void (*change)(RouteFact&)) {
    return [change](World& world) {
      RouteFact route;
      change(route_to(world, route));
      world.facts.bgp->peers[0].route = route;
    };
  };
  check_rows(
      announcing(),
      {{"no route", make([](RouteFact& route) { route.kind = RouteFact::Kind::none; }),
        Severity::error, "bgp_way", "10.0.0.1: there is no route to it", "ip route get 10.0.0.1"},
       {"this host", make([](RouteFact& route) { route.kind = RouteFact::Kind::local; }),
        Severity::error, "bgp_way", "an address of this host", "ip route get 10.0.0.1"},
       {"unreachable", make([](RouteFact& route) { route.kind = RouteFact::Kind::unsupported; }),
        Severity::error, "bgp_way", "leads nowhere", "ip route get 10.0.0.1"},
       {"down", make([](RouteFact& route) { route.device_running = false; }), Severity::error,
        "bgp_way", "by eth0, which is down", "ip route get 10.0.0.1"},
       {"behind a gateway", make([](RouteFact& route) { route.gateway = address("10.0.0.254"); }),
        Severity::warning, "bgp_way", "behind a gateway, 10.0.0.254, and has no multihop",
        "multihop: 2"}},
      "bgp");
}

TEST_CASE("a peer behind a gateway is right with multihop, and where it is of the own AS") {
  for (const bool own : {false, true}) {
    World world = announcing();
    RouteFact route;
    route_to(world, route).gateway = address("10.0.0.254");
    world.facts.bgp->peers[0].route = route;
    if (own)
      world.model.bgp->speaker.peers[0].asn = 64512;
    else
      world.model.bgp->speaker.peers[0].multihop = 2;
    CHECK(of_bgp(world).empty());
  }
}

TEST_CASE("what a daemon says of BGP that is amiss is told with what mends it") {
  check_rows(
      announced(),
      {{"a role by an operator",
        [](World& world) {
          world.running->bgp->role = "passive";
          world.running->bgp->role_by_operator = true;
        },
        Severity::warning, "bgp_role",
        "an operator has made its role passive; by the file it is active", "guideway role active"},
       {"drained by an operator",
        [](World& world) {
          world.running->bgp->role = "drain";
          world.running->bgp->role_by_operator = true;
        },
        Severity::warning, "bgp_role", "its role drain: nothing is announced",
        "guideway role active"},
       {"drained by the file", [](World& world) { world.running->bgp->role = "drain"; },
        Severity::note, "bgp_role", "as the file says: nothing is announced", ""},
       {"a speaker that will not",
        [](World& world) { world.running->bgp->error = "GoBGP refuses AddPeer: no"; },
        Severity::error, "bgp_speaker", "GoBGP refuses AddPeer: no",
        "journalctl -u guideway-gobgp -n 20"},
       {"a speaker of somebody else's, with what mends it in the error",
        [](World& world) { world.running->bgp->error = "GoBGP runs no BGP (set bgp.mode)"; },
        Severity::error, "bgp_speaker", "GoBGP runs no BGP (set bgp.mode)", ""},
       {"a speaker not reached yet", [](World& world) { world.running->bgp->contact = "none yet"; },
        Severity::note, "bgp_speaker", "has not reached the speaker yet", ""},
       {"a session that is down",
        [](World& world) { world.running->bgp->sessions[0].state = "active"; }, Severity::warning,
        "bgp_session", "no session with 10.0.0.1 (AS 64500): it is active, for 90 seconds",
        "TCP port 179; why a session was refused is in journalctl -u guideway-gobgp -n 20"},
       {"a session with a speaker of another place",
        [](World& world) {
          world.running->bgp->api = "unix:/s";
          world.running->bgp->sessions[0].state = "idle";
        },
        Severity::warning, "bgp_session", "it is idle", "in the log of the speaker at unix:/s"},
       {"a session that is refused",
        [](World& world) { world.running->bgp->sessions[0].state = "openconfirm"; },
        Severity::warning, "bgp_session", "it is openconfirm", "its ASN"},
       {"a session that the speaker does not know",
        [](World& world) { world.running->bgp->sessions[1].state = "missing"; }, Severity::warning,
        "bgp_session", "does not know the peer 10.0.0.2 (AS 64500) of the file",
        "journalctl -u guideway-gobgp -n 20"},
       {"no peers", [](World& world) { world.running->bgp->sessions.clear(); }, Severity::error,
        "bgp_session", "no router hears of a VIP", "a neighbour"},
       {"a router without graceful restart",
        [](World& world) { world.running->bgp->sessions[0].graceful_restart = false; },
        Severity::note, "bgp_restart", "10.0.0.1 has no graceful restart",
        "graceful restart for this neighbour"},
       {"a route that is lacking", [](World& world) { world.running->bgp->routes[0].held = false; },
        Severity::error, "bgp_held",
        "198.51.100.1/32 should be announced, and the speaker does not have it", "guideway bgp"},
       {"a route that was left",
        [](World& world) { world.running->bgp->routes[0].state = "withdrawn"; }, Severity::error,
        "bgp_held", "198.51.100.1/32 should not be announced, and the speaker has it",
        "guideway bgp"},
       {"a VIP that is withdrawn",
        [](World& world) {
          world.running->bgp->routes[0] = {
              .prefix = "198.51.100.1/32", .state = "withdrawn", .why = "web: down", .held = false};
        },
        Severity::warning, "bgp_route", "198.51.100.1/32 is withdrawn: web: down",
        "guideway backends"},
       {"a VIP that is damped",
        [](World& world) {
          world.running->bgp->routes[0] = {
              .prefix = "198.51.100.1/32", .state = "damped", .why = "flapped", .held = false};
        },
        Severity::warning, "bgp_route", "198.51.100.1/32 is damped: flapped", "guideway bgp"},
       {"a daemon without the section", [](World& world) { world.running->bgp.reset(); },
        Severity::warning, "bgp_in_force", "and the daemon announces nothing", "guideway reload"},
       {"a file without the section", [](World& world) { world.model.bgp.reset(); },
        Severity::warning, "bgp_in_force", "the file has no bgp: section any more",
        "guideway reload"}},
      "bgp");
}

TEST_CASE("with no session at all each is an error, and says that there is no way where none is") {
  World world = announced();
  for (RunningSession& session : world.running->bgp->sessions) session.state = "idle";
  RouteFact route;
  route_to(world, route).kind = RouteFact::Kind::none;
  world.facts.bgp->peers[0].route = route;
  const Findings found = amiss(world.findings(), "bgp_session");
  REQUIRE(found.size() == 2);
  CHECK(found[0].severity == Severity::error);
  CHECK(found[0].text.ends_with("; there is no route to it"));
  CHECK(found[0].mend == Mend::by_hand("a route to it"));
  CHECK(found[1].severity == Severity::error);
}

TEST_CASE("routes that are withdrawn for the same reason are one finding, and none in a drain") {
  World world = announced();
  for (RunningRoute& route : world.running->bgp->routes) {
    route.state = "withdrawn";
    route.why = "worker eth0/0 stands still";
    route.held = false;
  }
  const Findings found = amiss(world.findings(), "bgp_route");
  REQUIRE(found.size() == 1);
  CHECK(found[0].text ==
        "198.51.100.1/32 and 198.51.100.2/32 are withdrawn: worker eth0/0 stands still");
  world.running->bgp->role = "drain";
  CHECK(amiss(world.findings(), "bgp_route").empty());
}

TEST_CASE("of a speaker that was lost, sessions and routes are of then, and not judged") {
  World world = announced();
  world.running->bgp->contact = "lost";
  world.running->bgp->error = "no answer";
  world.running->bgp->sessions[0].state = "active";
  world.running->bgp->routes[0].held = false;
  const Findings found = of_bgp(world);
  REQUIRE(found.size() == 1);
  CHECK(found[0].check == "bgp_speaker");
}

}  // namespace
}  // namespace guideway::doctor
