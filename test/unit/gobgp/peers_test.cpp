// Peers, with a real gobgpd.
#include "gobgp/peers.h"

#include "unit/gobgp/gobgpd.h"

namespace guideway::gobgp {
namespace {

using Lines = std::vector<std::string>;

// A managed gobgpd, with one peer.
struct Managed {
  Gobgpd gobgpd;
  bgp::Wanted wanted = wanted_of(gobgpd);
  std::unique_ptr<bgp::Speaker> speaker = make_speaker();
  Meddler other{gobgpd};

  Managed() { (void)reconcile(*speaker, wanted); }
  Lines done() { return reconcile(*speaker, wanted).done; }
  bgp::Peer& first() { return wanted.config.peers.front(); }
};

}  // namespace

TEST_CASE("peers come and go with the configuration") {
  Managed it;
  it.wanted.config.peers.push_back(peer("::1", kOwnAsn));
  CHECK(it.done() == Lines{"peer ::1: added"});
  check_in_step(*it.speaker, it.wanted);
  it.wanted.config.peers.erase(it.wanted.config.peers.begin());
  CHECK(it.done() == Lines{"peer 127.0.0.2: deleted"});
  check_in_step(*it.speaker, it.wanted);
  CHECK(it.other.peers() == Lines{"::1"});
}

TEST_CASE("a peer is told to gobgpd as it is configured") {
  Managed it;
  bgp::Peer& peer = it.first();
  peer.password = "secret";
  peer.hold_time = 30s;
  peer.multihop = 3;
  peer.port = 1790;
  peer.local_address = boost::asio::ip::make_address("127.0.0.1");
  (void)it.done();
  const apipb::Peer held = it.other.peer("127.0.0.2");
  CHECK(held.conf().peer_asn() == kRouterAsn);
  CHECK(held.conf().auth_password() == "secret");
  CHECK(held.timers().config().hold_time() == 30);
  CHECK(held.timers().config().keepalive_interval() == 10);
  CHECK(held.timers().config().connect_retry() == 5);
  CHECK(held.ebgp_multihop().enabled());
  CHECK(held.ebgp_multihop().multihop_ttl() == 3);
  CHECK(held.transport().remote_port() == 1790);
  CHECK(held.transport().local_address() == "127.0.0.1");
  CHECK(held.graceful_restart().enabled());
  CHECK(held.graceful_restart().restart_time() == 10);
  CHECK(held.graceful_restart().deferral_time() == 1);
  CHECK_FALSE(held.graceful_restart().notification_enabled());
  REQUIRE(held.afi_safis_size() == 2);
  for (const apipb::AfiSafi& family : held.afi_safis()) {
    CHECK(family.config().enabled());
    CHECK(family.mp_graceful_restart().config().enabled());
  }
}

TEST_CASE("peers are told of a restart only by a gobgpd that was just started") {
  Managed it;
  CHECK(it.other.peer("127.0.0.2").graceful_restart().local_restarting());
  it.wanted.config.peers.push_back(peer("127.0.0.3"));
  (void)it.done();
  CHECK_FALSE(it.other.peer("127.0.0.3").graceful_restart().local_restarting());
}

TEST_CASE("without graceful restart nothing of it is asked for") {
  Managed it;
  it.wanted.config.graceful_restart = 0s;
  CHECK(it.done().size() == 1);
  check_in_step(*it.speaker, it.wanted);
  const apipb::Peer held = it.other.peer("127.0.0.2");
  CHECK_FALSE(held.graceful_restart().enabled());
  CHECK_FALSE(held.graceful_restart().local_restarting());
  for (const apipb::AfiSafi& family : held.afi_safis())
    CHECK_FALSE(family.mp_graceful_restart().config().enabled());
}

TEST_CASE("a peer whose configuration changed is changed, once, and what changed is said") {
  Managed it;
  std::string what;
  SECTION("ASN") {
    it.first().asn = 64501;
    what = "ASN 64501, was 64500";
  }
  SECTION("password") {
    it.first().password = "secret";
    what = "password";
  }
  SECTION("hold time") {
    it.first().hold_time = 90s;
    what = "hold time 90, was 9; keepalive interval 30, was 3";
  }
  SECTION("multihop") {
    it.first().multihop = 2;
    what = "multihop 2, was off";
  }
  SECTION("port") {
    it.first().port = 2;
    what = "port 2, was 1";
  }
  SECTION("local address") {
    it.first().local_address = boost::asio::ip::make_address("127.0.0.1");
    what = "local address 127.0.0.1, was any";
  }
  SECTION("graceful restart") {
    it.wanted.config.graceful_restart = 20s;
    what = "graceful restart 20 s, deferral 1 s, was 10 s, deferral 1 s";
  }
  CHECK(it.done() == Lines{"peer 127.0.0.2: changed (" + what + ")"});
  check_in_step(*it.speaker, it.wanted);
  check_in_step(*make_speaker(), it.wanted);
}

TEST_CASE("a peer's password goes with the configuration and is told to nobody") {
  Managed it;
  it.first().password = "secret";
  for (const std::string& line : it.done()) CHECK(line.find("secret") == std::string::npos);
  it.first().password = "";
  CHECK(it.done() == Lines{"peer 127.0.0.2: changed (password)"});
  CHECK(it.other.peer("127.0.0.2").conf().auth_password().empty());
  it.first().password = "secret";
  (void)it.done();
  it.wanted.config.peers.clear();
  CHECK(it.done() == Lines{"peer 127.0.0.2: deleted"});
  CHECK(it.other.peers().empty());
}

TEST_CASE("what was done to peers behind the daemon's back is undone") {
  Managed it;
  std::string line;
  SECTION("deleted") {
    must(it.other.client().delete_peer("127.0.0.2"));
    line = "peer 127.0.0.2: added";
  }
  SECTION("another added") {
    must(it.other.client().add_peer(to_peer(peer("127.0.0.9"), it.wanted.config, false)));
    line = "peer 127.0.0.9: deleted";
  }
  SECTION("changed") {
    bgp::Peer changed = it.first();
    changed.hold_time = 12s;
    must(it.other.client().replace_peer(to_peer(changed, it.wanted.config, false)));
    line = "peer 127.0.0.2: changed (hold time 9, was 12; keepalive interval 3, was 4)";
  }
  SECTION("one family taken away") {
    apipb::Peer changed = to_peer(it.first(), it.wanted.config, false);
    changed.mutable_afi_safis()->RemoveLast();
    must(it.other.client().replace_peer(changed));
    line =
        "peer 127.0.0.2: changed (families AFI_IP/SAFI_UNICAST kept, AFI_IP6/SAFI_UNICAST kept, "
        "was "
        "AFI_IP/SAFI_UNICAST kept)";
  }
  SECTION("made passive") {
    apipb::Peer changed = to_peer(it.first(), it.wanted.config, false);
    changed.mutable_transport()->set_passive_mode(true);
    must(it.other.client().replace_peer(changed));
    line = "peer 127.0.0.2: changed (extras none, was passive)";
  }
  CHECK(it.done() == Lines{line});
  check_in_step(*it.speaker, it.wanted);
}

TEST_CASE("a peer that was disabled by hand is enabled again") {
  Managed it;
  it.other.disable("127.0.0.2");
  wait_until("the peer is down", [&] {
    return it.other.peer("127.0.0.2").state().admin_state() == apipb::PeerState::DOWN;
  });
  CHECK(it.done() == Lines{"peer 127.0.0.2: enabled again"});
  wait_until("the peer is up", [&] {
    return it.other.peer("127.0.0.2").state().admin_state() == apipb::PeerState::UP;
  });
}

TEST_CASE("what gobgpd refuses of a peer is an error that names it") {
  Managed it;
  const apipb::Peer again = to_peer(it.first(), it.wanted.config, false);
  const Result<> refused = it.other.client().add_peer(again);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text() ==
        "GoBGP at " + it.gobgpd.api() +
            ": refuses AddPeer 127.0.0.2: can't overwrite the existing peer: 127.0.0.2");
  CHECK(refused.error().number == 0);
}

}  // namespace guideway::gobgp
