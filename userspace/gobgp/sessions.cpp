#include "gobgp/sessions.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "capability.pb.h"

namespace guideway::gobgp {
namespace {

std::string state_name(apipb::PeerState::SessionState state) {
  std::string name = apipb::PeerState::SessionState_Name(state);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name.empty() ? "unknown" : name;
}

bool is_established(const apipb::Peer& peer) {
  return peer.state().session_state() == apipb::PeerState::ESTABLISHED;
}

bool keeps_routes(const apipb::Peer& peer) {
  return std::ranges::any_of(peer.state().remote_cap(), [](const auto& capability) {
    return capability.template Is<apipb::GracefulRestartCapability>();
  });
}

// 0: not known, or GoBGP's clock is ahead.
std::chrono::seconds state_for(const apipb::Peer& peer, std::chrono::system_clock::time_point now) {
  const apipb::TimersState& timers = peer.timers().state();
  const std::int64_t since_s =
      is_established(peer) ? timers.uptime().seconds() : timers.downtime().seconds();
  if (since_s == 0) return {};
  const auto now_s = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  return std::max(now_s - std::chrono::seconds(since_s), std::chrono::seconds(0));
}

bgp::Session to_session(const apipb::Peer& peer, std::chrono::system_clock::time_point now) {
  bgp::Session session;
  session.peer = peer.state().neighbor_address();
  session.asn = peer.conf().peer_asn();
  session.state = state_name(peer.state().session_state());
  session.state_for = state_for(peer, now);
  session.updates_sent = peer.state().messages().sent().update();
  session.updates_received = peer.state().messages().received().update();
  if (session.established()) {
    session.hold_time = std::chrono::seconds(
        static_cast<std::int64_t>(peer.timers().state().negotiated_hold_time()));
    session.graceful_restart = peer.graceful_restart().enabled() && keeps_routes(peer);
  }
  return session;
}

}  // namespace

std::vector<bgp::Session> Sessions::look(const std::vector<apipb::Peer>& peers,
                                         std::chrono::system_clock::time_point now) {
  std::map<std::string, Memory> memories;
  std::vector<bgp::Session> result;
  for (const apipb::Peer& peer : peers) {
    bgp::Session session = to_session(peer, now);
    Memory memory = memories_[session.peer];
    const std::int64_t up_since_s =
        session.established() ? peer.timers().state().uptime().seconds() : 0;
    if (memory.up_since_s != 0 && memory.up_since_s != up_since_s) ++memory.flaps;
    memory.up_since_s = up_since_s;
    session.flaps = memory.flaps;
    memories[session.peer] = memory;
    result.push_back(std::move(session));
  }
  memories_ = std::move(memories);
  std::ranges::sort(result, {}, &bgp::Session::peer);
  return result;
}

}  // namespace guideway::gobgp
