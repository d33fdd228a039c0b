#include "gobgp/external.h"

#include "unit/gobgp/gobgpd.h"

namespace guideway::gobgp {
namespace {

using Lines = std::vector<std::string>;

// A gobgpd that somebody else has configured, with a route and a peer of its own.
struct Foreign {
  Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  std::unique_ptr<bgp::Speaker> speaker = make_speaker();
  Meddler other{gobgpd};

  Foreign() {
    bgp::SpeakerConfig config = wanted.config;
    wanted.config = {};
    wanted.config.mode = bgp::Mode::external;
    wanted.config.api = gobgpd.api();
    other.start(kOwnAsn, "10.0.0.1");
    must(other.client().add_peer(to_peer_of_another(config)));
    other.add(route("203.0.113.0/24"), 0);
  }
  Lines done() { return reconcile(*speaker, wanted).done; }

 private:
  static apipb::Peer to_peer_of_another(const bgp::SpeakerConfig& config) {
    apipb::Peer peer;
    peer.mutable_conf()->set_neighbor_address(config.peers.front().address.to_string());
    peer.mutable_conf()->set_peer_asn(kRouterAsn);
    peer.mutable_transport()->set_remote_port(1);
    return peer;
  }
};

}  // namespace

TEST_CASE("an external gobgpd gets routes and keeps all that is its own") {
  Foreign it;
  const bgp::Report report = reconcile(*it.speaker, it.wanted);
  CHECK(report.done == Lines{"added 198.51.100.1/32, med 50", "added 198.51.100.2/32"});
  CHECK(report.held == it.wanted.routes);
  CHECK(report.foreign == 1);
  CHECK(report.asn == kOwnAsn);
  CHECK(report.router_id == "10.0.0.1");
  CHECK_FALSE(report.started);
  REQUIRE(report.sessions.size() == 1);
  CHECK(report.sessions[0].peer == "127.0.0.2");
  check_in_step(*it.speaker, it.wanted);
  CHECK(it.other.local_paths().size() == 3);
  CHECK(it.other.peer("127.0.0.2").timers().config().hold_time() == 90);
  CHECK(value_of(it.other.client().policy_assignments()).front().policies().empty());
}

TEST_CASE("all routes of ours go from an external gobgpd when none is wanted") {
  Foreign it;
  (void)it.done();
  it.wanted.routes.clear();
  CHECK(it.done() == Lines{"deleted 198.51.100.1/32, which nobody wants",
                           "deleted 198.51.100.2/32, which nobody wants"});
  CHECK(it.other.local_paths().size() == 1);
}

TEST_CASE("routes that a daemon with another configuration has left in an external gobgpd go") {
  Foreign it;
  it.other.add(route("192.0.2.7/32"), kPathIdentifier);
  it.other.add(route("192.0.2.8/32"), 8);
  CHECK(it.done().back() == "deleted 192.0.2.7/32, which nobody wants");
  CHECK(it.other.local_paths().size() == 4);
  CHECK(reconcile(*it.speaker, it.wanted).foreign == 2);
}

TEST_CASE("an external gobgpd is searched for old routes once a minute") {
  Foreign it;
  External::Time now{};
  External external([&] { return now; });
  const auto removed = [&](std::uint64_t channel) {
    bgp::Report report;
    report.asn = kOwnAsn;
    must(external.remove_old_routes(it.other.client(), it.wanted, channel, report));
    return report.deleted;
  };
  CHECK(removed(1) == 0);
  it.other.add(route("192.0.2.7/32"), kPathIdentifier);
  now += External::kSearchPeriod - 1s;
  CHECK(removed(1) == 0);
  SECTION("when it is time") {
    now += 1s;
    CHECK(removed(1) == 1);
  }
  SECTION("when it was connected to anew") { CHECK(removed(2) == 1); }
}

TEST_CASE("a search for old routes that takes long is seldom") {
  Foreign it;
  External::Time now{};
  External external([&] { return now += 1s; });  // so a search takes a second
  const auto removed = [&] {
    bgp::Report report;
    report.asn = kOwnAsn;
    must(external.remove_old_routes(it.other.client(), it.wanted, 1, report));
    return report.deleted;
  };
  CHECK(removed() == 0);
  it.other.add(route("192.0.2.7/32"), kPathIdentifier);
  now += 95s;
  CHECK(removed() == 0);
  now += 5s;
  CHECK(removed() == 1);
}

TEST_CASE("a gobgpd that has too much to be searched is kept in step all the same") {
  Foreign it;
  External::Time now{};
  External external([&] { return now; });
  bgp::Report report;
  Connection connection;
  Client client(connection);
  const auto search = [&](std::uint64_t channel) {
    report = {};
    must(connection.begin(it.gobgpd.api(), 50ms));
    return external.remove_old_routes(client, it.wanted, channel, report);
  };
  it.gobgpd.hang();  // which is as good as too much
  CHECK(search(1));
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0].starts_with("gave up looking for old routes: GoBGP at unix:"));
  // The channel is another one now, which is no reason to begin again.
  CHECK(search(2));
  CHECK(report.notes.empty());
}

TEST_CASE("another's route to a prefix of ours goes from an external gobgpd") {
  Foreign it;
  it.wanted.own.insert(prefix("198.51.100.3/32"));
  (void)it.done();
  std::string line;
  SECTION("announced now") {
    it.other.add(route("198.51.100.1/32", 7), 0);
    line = "deleted 198.51.100.1/32, which is not Guideway's (path identifier 0)";
  }
  SECTION("not announced now") {
    it.other.add(route("198.51.100.3/32", 7), 4);
    line = "deleted 198.51.100.3/32, which is not Guideway's (path identifier 4)";
  }
  CHECK(it.done() == Lines{line});
  check_in_step(*it.speaker, it.wanted);
}

TEST_CASE("an external gobgpd is left alone while it is not known what is wanted") {
  Foreign it;
  (void)it.done();
  const std::vector<bgp::Route> before = it.wanted.routes;
  it.wanted.routes.clear();
  it.wanted.routes_unknown = true;
  const bgp::Report report = reconcile(*make_speaker(), it.wanted);
  CHECK(report.done.empty());
  CHECK(report.held == before);
  CHECK(it.other.local_paths().size() == 3);
}

TEST_CASE("an external gobgpd without BGP or with another ASN is refused") {
  SECTION("no BGP") {
    const Gobgpd gobgpd;
    bgp::Wanted wanted = wanted_of(gobgpd);
    wanted.config.mode = bgp::Mode::external;
    const auto refused = make_speaker()->reconcile(wanted);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text() ==
          "GoBGP at " + gobgpd.api() +
              ": runs no BGP: it has no configuration (give gobgpd its configuration file, or set "
              "bgp.mode: managed)");
    CHECK(refused.error().number == 0);
    // While it is not known what is wanted, it is as good as one that has nothing of ours.
    wanted.routes_unknown = true;
    const auto looked = make_speaker()->reconcile(wanted);
    REQUIRE(looked);
    CHECK(looked->asn == 0);
    CHECK(looked->held.empty());
  }
  SECTION("another ASN") {
    Foreign it;
    it.wanted.config.asn = 64999;
    const auto refused = it.speaker->reconcile(it.wanted);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text() == "GoBGP at " + it.gobgpd.api() +
                                        ": runs as AS 64512, not 64999 (bgp.local_asn has to be "
                                        "gobgpd's, or is left out)");
    CHECK(it.other.local_paths().size() == 1);
  }
}

}  // namespace guideway::gobgp
