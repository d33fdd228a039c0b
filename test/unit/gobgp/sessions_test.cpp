#include "gobgp/sessions.h"

#include "capability.pb.h"
#include "support/catch.h"

namespace guideway::gobgp {
namespace {

using namespace std::chrono_literals;

const std::chrono::system_clock::time_point kNow{1'800'000'000s};
constexpr std::int64_t kNowSeconds = 1'800'000'000;

apipb::Peer peer(const std::string& address, apipb::PeerState::SessionState state,
                 std::int64_t since_s) {
  apipb::Peer peer;
  peer.mutable_conf()->set_peer_asn(64500);
  peer.mutable_state()->set_neighbor_address(address);
  peer.mutable_state()->set_session_state(state);
  apipb::TimersState& timers = *peer.mutable_timers()->mutable_state();
  timers.set_negotiated_hold_time(9);
  (state == apipb::PeerState::ESTABLISHED ? timers.mutable_uptime() : timers.mutable_downtime())
      ->set_seconds(since_s);
  return peer;
}

}  // namespace

TEST_CASE("a session is told with its age, its hold time and its updates") {
  apipb::Peer one = peer("10.0.0.1", apipb::PeerState::ESTABLISHED, kNowSeconds - 60);
  one.mutable_graceful_restart()->set_enabled(true);
  one.mutable_state()->mutable_messages()->mutable_sent()->set_update(3);
  one.mutable_state()->mutable_messages()->mutable_received()->set_update(4);
  Sessions sessions;
  bgp::Session session = sessions.look({one}, kNow).at(0);
  CHECK(session.peer == "10.0.0.1");
  CHECK(session.asn == 64500);
  CHECK(session.established());
  CHECK(session.state_for == 60s);
  CHECK(session.hold_time == 9s);
  CHECK(session.updates_sent == 3);
  CHECK(session.updates_received == 4);
  CHECK_FALSE(session.graceful_restart);
  one.mutable_state()->add_remote_cap()->PackFrom(apipb::GracefulRestartCapability());
  CHECK(sessions.look({one}, kNow).at(0).graceful_restart);
}

TEST_CASE("a session that is not there has the time since when and no hold time") {
  Sessions sessions;
  const auto all = sessions.look({peer("10.0.0.2", apipb::PeerState::OPENSENT, kNowSeconds - 5),
                                  peer("10.0.0.1", apipb::PeerState::ACTIVE, 0)},
                                 kNow);
  REQUIRE(all.size() == 2);
  CHECK(all[0].peer == "10.0.0.1");
  CHECK(all[0].state == "active");
  CHECK(all[0].state_for == 0s);
  CHECK(all[1].state == "opensent");
  CHECK(all[1].state_for == 5s);
  CHECK(all[1].hold_time == 0s);
}

TEST_CASE("a clock that is behind gobgpd's makes no negative age") {
  CHECK(Sessions()
            .look({peer("10.0.0.1", apipb::PeerState::ESTABLISHED, kNowSeconds + 9)}, kNow)
            .at(0)
            .state_for == 0s);
}

TEST_CASE("a session is counted as lost once, also when it is there again at the next look") {
  Sessions sessions;
  const auto flaps = [&](apipb::PeerState::SessionState state, std::int64_t since_s) {
    return sessions.look({peer("10.0.0.1", state, since_s)}, kNow).at(0).flaps;
  };
  CHECK(flaps(apipb::PeerState::ACTIVE, 0) == 0);
  CHECK(flaps(apipb::PeerState::ESTABLISHED, 100) == 0);
  CHECK(flaps(apipb::PeerState::ESTABLISHED, 100) == 0);
  CHECK(flaps(apipb::PeerState::IDLE, 110) == 1);
  CHECK(flaps(apipb::PeerState::ACTIVE, 110) == 1);
  CHECK(flaps(apipb::PeerState::ESTABLISHED, 120) == 1);
  CHECK(flaps(apipb::PeerState::ESTABLISHED, 130) == 2);
}

}  // namespace guideway::gobgp
