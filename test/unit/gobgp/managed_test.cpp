#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "unit/gobgp/gobgpd.h"

namespace guideway::gobgp {
namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a bare gobgpd is started with routes and peers and then left in peace") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  const bgp::Report report = reconcile(*speaker, wanted);
  CHECK(report.started);
  CHECK(report.name == "GoBGP");
  CHECK(report.asn == kOwnAsn);
  CHECK(report.router_id == "10.0.0.10");
  CHECK(report.added == 2);
  CHECK(report.held == wanted.routes);
  CHECK(report.done == Lines{"started BGP as AS 64512, router id 10.0.0.10, not listening",
                             "added 198.51.100.1/32, med 50", "added 198.51.100.2/32",
                             "peer 127.0.0.2: added"});
  REQUIRE(report.sessions.size() == 1);
  CHECK(report.sessions[0].peer == "127.0.0.2");
  CHECK(report.sessions[0].asn == kRouterAsn);
  CHECK_FALSE(report.sessions[0].established());
  CHECK_FALSE(report.sessions[0].state.empty());
  check_in_step(*speaker, wanted);
  Meddler other(gobgpd);
  CHECK(other.local_paths().size() == 2);
  CHECK(other.peers() == Lines{"127.0.0.2"});
}

TEST_CASE("a gobgpd gets its peers also where there is no route to give it") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  wanted.routes.clear();
  const auto speaker = make_speaker();
  CHECK(reconcile(*speaker, wanted).started);
  check_in_step(*speaker, wanted);
  CHECK(Meddler(gobgpd).peers() == Lines{"127.0.0.2"});
}

TEST_CASE("a bare gobgpd stays bare while it is not known what is wanted") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  wanted.routes_unknown = true;
  const auto speaker = make_speaker();
  const bgp::Report report = reconcile(*speaker, wanted);
  CHECK_FALSE(report.started);
  CHECK(report.asn == 0);
  CHECK(report.done.empty());
  CHECK(value_of(Meddler(gobgpd).client().global()).asn() == 0);
}

TEST_CASE("a gobgpd that runs keeps its routes while it is not known what is wanted") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  (void)reconcile(*make_speaker(), wanted);
  const std::vector<bgp::Route> before = wanted.routes;
  wanted.routes = {};
  wanted.routes_unknown = true;
  wanted.config.peers.push_back(peer("127.0.0.3"));
  const auto speaker = make_speaker();
  const bgp::Report report = reconcile(*speaker, wanted);
  CHECK(report.done == Lines{"peer 127.0.0.3: added"});
  CHECK(report.held == before);
  CHECK(Meddler(gobgpd).local_paths().size() == 2);
  SECTION("nor is it started anew with another ASN") {
    wanted.config.asn = 64513;
    CHECK(reconcile(*speaker, wanted).done.empty());
    CHECK(reconcile(*speaker, wanted).held == before);
  }
}

TEST_CASE("a new daemon takes over what its predecessor has left and touches nothing") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  (void)reconcile(*make_speaker(), wanted);
  check_in_step(*make_speaker(), wanted);
}

TEST_CASE("routes are added, changed and deleted as is wanted") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  (void)reconcile(*speaker, wanted);
  wanted.routes = {route("198.51.100.1/32", 60), route("203.0.113.0/24")};
  const bgp::Report report = reconcile(*speaker, wanted);
  CHECK(report.done == Lines{"added 203.0.113.0/24", "changed 198.51.100.1/32, med 60",
                             "deleted 198.51.100.2/32, which nobody wants"});
  CHECK(report.added == 1);
  CHECK(report.changed == 1);
  CHECK(report.deleted == 1);
  CHECK_FALSE(report.started);
  check_in_step(*speaker, wanted);
}

TEST_CASE("what was done to routes behind the daemon's back is undone") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  (void)reconcile(*speaker, wanted);
  Meddler other(gobgpd);
  std::string line;
  SECTION("deleted") {
    other.remove(prefix("198.51.100.1/32"));
    line = "added 198.51.100.1/32, med 50";
  }
  SECTION("changed") {
    other.add(route("198.51.100.1/32", 7), kPathIdentifier);
    line = "changed 198.51.100.1/32, med 50";
  }
  SECTION("another path to the same prefix") {
    other.add(route("198.51.100.1/32", 7), 5);
    line = "deleted 198.51.100.1/32, which is not Guideway's (path identifier 5)";
  }
  SECTION("a path that claims to be of another speaker") {
    other.add(route("198.51.100.1/32", 7), 0, 65001);
    line = "deleted 198.51.100.1/32, which is not Guideway's (path identifier 0)";
  }
  SECTION("a path that claims to be of another speaker with the identifier of ours") {
    other.add(route("198.51.100.1/32", 50), kPathIdentifier, 65001);
    line = "deleted 198.51.100.1/32, which nobody wants";
  }
  SECTION("a path to another prefix") {
    other.add(route("203.0.113.0/24"), 0);
    line = "deleted 203.0.113.0/24, which is not Guideway's (path identifier 0)";
  }
  SECTION("a path of ours to another prefix") {
    other.add(route("203.0.113.0/24"), kPathIdentifier);
    line = "deleted 203.0.113.0/24, which nobody wants";
  }
  CHECK(reconcile(*speaker, wanted).done == Lines{line});
  CHECK(other.local_paths().size() == 2);
  check_in_step(*speaker, wanted);
}

TEST_CASE("a policy that was taken away is set again") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  (void)reconcile(*speaker, wanted);
  apipb::PolicyAssignment none;
  none.set_default_action(apipb::RouteAction::ACCEPT);
  Meddler other(gobgpd);
  std::vector<apipb::PolicyDirection> directions{apipb::IMPORT};
  SECTION("in one direction") {}
  SECTION("in both") { directions.push_back(apipb::EXPORT); }
  for (const auto direction : directions) {
    none.set_direction(direction);
    must(other.client().assign_policy(none));
  }
  CHECK(reconcile(*speaker, wanted).done == Lines{"set the policy guideway-local-routes-only"});
  check_in_step(*speaker, wanted);
}

TEST_CASE("a gobgpd that was killed gets everything back as soon as it runs again") {
  Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  (void)reconcile(*speaker, wanted);
  gobgpd.kill();
  const auto lost = speaker->reconcile(wanted);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().number == ECONNREFUSED);
  gobgpd.start();
  const bgp::Report report = reconcile(*speaker, wanted);
  CHECK(report.started);
  CHECK(report.added == 2);
  check_in_step(*speaker, wanted);
}

TEST_CASE("a gobgpd that was killed and started between two looks gets everything back") {
  Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  (void)reconcile(*speaker, wanted);
  gobgpd.kill();
  gobgpd.start();
  // The channel may find out only by its next call.
  auto report = speaker->reconcile(wanted);
  if (!report) report = speaker->reconcile(wanted);
  CHECK(value_of(std::move(report)).started);
  check_in_step(*speaker, wanted);
}

TEST_CASE("another ASN, router id or port starts BGP anew on a gobgpd of Guideway") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  (void)reconcile(*make_speaker(), wanted);
  std::string as = "AS 64512, router id 10.0.0.10, not listening";
  SECTION("ASN") {
    wanted.config.asn = 64513;
    as = "AS 64513, router id 10.0.0.10, not listening";
  }
  SECTION("router id") {
    wanted.config.router_id = "10.0.0.11";
    as = "AS 64512, router id 10.0.0.11, not listening";
  }
  const auto speaker = make_speaker();
  const bgp::Report report = reconcile(*speaker, wanted);
  CHECK(report.started);
  CHECK(report.done == Lines{"stopped BGP as AS 64512, router id 10.0.0.10, not listening",
                             "started BGP as " + as, "added 198.51.100.1/32, med 50",
                             "added 198.51.100.2/32", "peer 127.0.0.2: added"});
  check_in_step(*speaker, wanted);
}

TEST_CASE("a gobgpd that somebody else has started is refused and not touched") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  Meddler other(gobgpd);
  // With the same numbers, too: they say nothing of who has started it.
  other.start(kOwnAsn, "10.0.0.10");
  other.add(route("203.0.113.0/24"), 0);
  const auto refused = make_speaker()->reconcile(wanted);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().number == 0);
  CHECK(refused.error().text() ==
        "GoBGP at " + gobgpd.api() +
            ": is somebody else's: it runs as AS 64512, router id 10.0.0.10, not listening, and "
            "without the policy guideway-local-routes-only (bgp.mode: external, or a gobgpd of its "
            "own for Guideway)");
  CHECK(other.local_paths().size() == 1);
  CHECK(other.peers().empty());
}

TEST_CASE("of two that want it otherwise the later one has it, and the other says so") {
  const Gobgpd gobgpd;
  const bgp::Wanted one = wanted_of(gobgpd);
  bgp::Wanted other = one;
  other.config.router_id = "10.0.0.20";
  const auto first = make_speaker(), second = make_speaker();
  CHECK(reconcile(*first, one).started);
  CHECK(reconcile(*second, other).started);
  for (int i = 0; i < 2; ++i) {
    const auto refused = first->reconcile(one);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().number == 0);
    CHECK(
        refused.error().what ==
        "GoBGP at " + gobgpd.api() +
            ": somebody else has started BGP anew as AS 64512, router id 10.0.0.20, not listening");
    check_in_step(*second, other);
  }
  // What the file says now may be had all the same.
  CHECK(reconcile(*first, other).held == one.routes);
}

TEST_CASE("a start that was interrupted before the policy goes on") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  Meddler(gobgpd).start(kOwnAsn, "10.0.0.10");
  const auto speaker = make_speaker();
  CHECK(reconcile(*speaker, wanted).added == 2);
  check_in_step(*speaker, wanted);
}

TEST_CASE("a start that gobgpd refuses is an error that says so and can be repeated") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  wanted.config.router_id = "nonsense";
  const auto speaker = make_speaker();
  for (int i = 0; i < 2; ++i) {
    const auto refused = speaker->reconcile(wanted);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().number == 0);
    CHECK(refused.error().text() ==
          "GoBGP at " + gobgpd.api() + ": refuses StartBgp: invalid router-id format: nonsense");
  }
  wanted.config.router_id = "10.0.0.10";
  CHECK(reconcile(*speaker, wanted).started);
}

TEST_CASE("a port that somebody else has is an error with what finds them") {
  namespace asio = boost::asio;
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  asio::io_context io;
  asio::ip::tcp::acceptor other(io, {asio::ip::address_v4::loopback(), 0}, false);
  const std::string port = std::to_string(other.local_endpoint().port());
  wanted.config.listen_port = other.local_endpoint().port();
  const auto speaker = make_speaker();
  for (int i = 0; i < 2; ++i) {
    const auto refused = speaker->reconcile(wanted);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == "GoBGP at " + gobgpd.api() + ": refuses StartBgp: listen tcp4 " +
                                      "0.0.0.0:" + port + ": bind: address already in use");
    CHECK(refused.error().hint == "another BGP speaker has port " + port + ": ss -ltnp 'sport = :" +
                                      port + "'; stop it, or set bgp.listen_port");
  }
  wanted.config.listen_port = 0;
  CHECK(reconcile(*speaker, wanted).started);
}

TEST_CASE("a thousand routes come and go") {
  const Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  wanted.routes.clear();
  for (int i = 0; i < 1000; ++i)
    wanted.routes.push_back(
        route("198.18." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "/32"));
  std::ranges::sort(wanted.routes, {}, &bgp::Route::prefix);
  const auto speaker = make_speaker();
  CHECK(reconcile(*speaker, wanted).added == 1000);
  check_in_step(*speaker, wanted);
  wanted.routes.clear();
  CHECK(reconcile(*speaker, wanted).deleted == 1000);
  check_in_step(*speaker, wanted);
}

}  // namespace guideway::gobgp
