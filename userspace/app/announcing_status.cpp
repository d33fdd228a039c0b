// What is told of BGP: Announcing's knowledge, as observe::BgpStatus.
#include <algorithm>
#include <map>
#include <utility>

#include "app/announcing.h"

namespace guideway::app {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::seconds whole(Clock::duration time) {
  return std::chrono::ceil<std::chrono::seconds>(time);
}

const char* contact_name(bgp::Announcer::State::Contact contact) {
  switch (contact) {
    case bgp::Announcer::State::Contact::none_yet: return "none yet";
    case bgp::Announcer::State::Contact::reached: return "reached";
    case bgp::Announcer::State::Contact::lost: return "lost";
  }
  return "";
}

observe::BgpSessionStatus session_status(const bgp::Session& session) {
  return {.peer = session.peer,
          .asn = session.asn,
          .state = session.state,
          .state_for = session.state_for,
          .hold_time = session.hold_time,
          .flaps = session.flaps,
          .graceful_restart = session.graceful_restart,
          .updates_sent = session.updates_sent,
          .updates_received = session.updates_received};
}

// `report`: nullptr where the speaker does not answer: then nothing is known but who there was.
std::vector<observe::BgpSessionStatus> sessions_of(const bgp::SpeakerConfig& config,
                                                   const bgp::Report* report,
                                                   const std::optional<bgp::Report>& last) {
  std::vector<observe::BgpSessionStatus> sessions;
  if (report != nullptr)
    for (const bgp::Session& session : report->sessions)
      sessions.push_back(session_status(session));
  if (report == nullptr && last)
    for (const bgp::Session& session : last->sessions)
      sessions.push_back({.peer = session.peer, .asn = session.asn, .state = "unknown"});
  for (const bgp::Peer& peer : config.peers) {
    const std::string address = peer.address.to_string();
    if (std::ranges::find(sessions, address, &observe::BgpSessionStatus::peer) == sessions.end())
      sessions.push_back(
          {.peer = address, .asn = peer.asn, .state = report != nullptr ? "missing" : "unknown"});
  }
  return sessions;
}

std::vector<observe::BgpRouteStatus> routes_of(const bgp::Decision& decision,
                                               const bgp::Report* report,
                                               const bgp::Attributes& attributes) {
  std::map<bgp::Prefix, const bgp::Route*> held;
  if (report != nullptr)
    for (const bgp::Route& route : report->held) held.emplace(route.prefix, &route);
  const auto now = Clock::now();
  std::vector<observe::BgpRouteStatus> routes;
  for (const bgp::Announcement& one : decision.announcements) {
    const auto found = held.find(one.prefix);
    const bool is_held = found != held.end();
    routes.push_back({.prefix = one.prefix.text(),
                      .services = one.services,
                      .state = std::string(bgp::name(one.state)),
                      .why = one.why,
                      .damped_for = one.until && *one.until > now ? whole(*one.until - now)
                                                                  : std::chrono::seconds(0),
                      .withdrawals = one.withdrawals,
                      .held = is_held,
                      .attributes = (is_held ? found->second->attributes : attributes).text()});
  }
  return routes;
}

}  // namespace

std::optional<observe::BgpStatus> Announcing::status(const control::Model& model) const {
  if (!model.bgp) return std::nullopt;
  const control::BgpConfig& config = *model.bgp;
  observe::BgpStatus status;
  status.mode = config.speaker.mode == bgp::Mode::managed ? "managed" : "external";
  status.api = config.speaker.api;
  status.role = bgp::name(role(config));
  status.role_by_operator = role_by_operator_.has_value();
  using State = bgp::Announcer::State;
  const State state = announcer_ ? announcer_->state() : State{};
  const bool reached = state.contact == State::Contact::reached;
  const bgp::Report* report = reached && state.last ? &*state.last : nullptr;
  status.contact = contact_name(state.contact);
  if (announcer_)
    status.contact_for = std::chrono::floor<std::chrono::seconds>(Clock::now() - state.since);
  status.error = state.error;
  status.in_step = known_ && state.in_step;
  if (state.last) {
    status.speaker = state.last->name;
    status.asn = state.last->asn;
    status.router_id = state.last->router_id;
    status.foreign = state.last->foreign;
  }
  status.sessions = sessions_of(config.speaker, report, state.last);
  status.routes =
      routes_of(decision_, report,
                role(config) == bgp::Role::passive ? config.policy.passive : config.policy.active);
  status.calls = state.calls;
  status.failures = state.failures;
  status.starts = state.starts;
  status.added = state.added;
  status.deleted = state.deleted;
  status.changed = state.changed;
  status.corrected = state.corrected;
  return status;
}

}  // namespace guideway::app
