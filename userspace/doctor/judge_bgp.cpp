// Whether a speaker can be reached at bgp.api, and what a running daemon says of it: its role, the
// sessions, and the routes. What a router makes of the routes, its hash policy and its rp_filter,
// is not of this host.
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

// Where the speaker of guideway-gobgp.service is.
constexpr std::string_view kOurApi = control::kUsualBgpApi;

bool has_section(const Case& seen) { return seen.model != nullptr && seen.model->bgp; }

// ---- what the host is like
// -----------------------------------------------------------------------

// As gobgpd takes it.
std::string api_option(const std::string& api) {
  constexpr std::string_view kUnix = "unix:";
  return "--api-hosts " + (api.starts_with(kUnix) ? "unix://" + api.substr(kUnix.size()) : api);
}

Mend start_speaker(const Case& seen, const BgpFacts& facts) {
  if (facts.api != kOurApi)
    return Mend::by_hand("start gobgpd with " + api_option(facts.api) + ", or name in bgp.api of " +
                         seen.file + " where it listens");
  const std::string start = "systemctl enable --now guideway-gobgp";
  return Mend::by_command(facts.gobgpd.known() ? start : "apt-get install gobgpd && " + start);
}

void judge_api(const Case& seen, const BgpFacts& facts, Report& report) {
  if (!report.seen(facts.answer, "bgp_api", "whether a BGP speaker listens at " + facts.api))
    return;
  if (facts.answer->listens) {
    report.ok("bgp_api", "a speaker listens at " + facts.api);
    return;
  }
  report.say(seen.running != nullptr ? Severity::error : Severity::warning, "bgp_api",
             "no BGP speaker listens at " + facts.api + " (" + facts.answer->cause +
                 "): no VIP is announced" +
                 (facts.gobgpd.known() ? "" : "; gobgpd is not installed"),
             start_speaker(seen, facts));
}

std::string trouble_of(const RouteFact& route) {
  switch (route.kind) {
    case RouteFact::Kind::none: return "there is no route to it";
    case RouteFact::Kind::local: return "it is an address of this host";
    case RouteFact::Kind::unsupported: return "its route is of a kind that leads nowhere";
    case RouteFact::Kind::unicast: break;
  }
  return route.device_running ? "" : "its route is by " + route.device + ", which is down";
}

// An eBGP session is for neighbours on a link: its packets have a TTL of 1.
bool too_far(const bgp::SpeakerConfig& speaker, const bgp::Peer& peer, const RouteFact& route) {
  return peer.asn != speaker.asn && !peer.multihop && route.gateway.has_value();
}

void judge_way_to(const Case& seen, const bgp::Peer& peer, const PeerFacts& facts, Report& report) {
  if (!report.seen(facts.route, "bgp_way", "the route to the peer " + facts.address)) return;
  const std::string trouble = trouble_of(*facts.route);
  if (!trouble.empty())
    report.say(Severity::error, "bgp_way", "the peer " + facts.address + ": " + trouble,
               Mend::by_command("ip route get " + facts.address));
  else if (too_far(seen.model->bgp->speaker, peer, *facts.route))
    report.say(Severity::warning, "bgp_way",
               "the peer " + facts.address + " is behind a gateway, " +
                   facts.route->gateway->text() +
                   ", and has no multihop: packets of its session get no further",
               Mend::by_hand("multihop: 2, or more, for this peer in " + seen.file));
  else
    report.ok("bgp_way", "there is a way to the peer " + facts.address);
}

void judge_ways(const Case& seen, const BgpFacts& facts, Report& report) {
  for (const bgp::Peer& peer : seen.model->bgp->speaker.peers) {
    const auto found =
        std::ranges::find(facts.peers, peer.address.to_string(), &PeerFacts::address);
    if (found != facts.peers.end()) judge_way_to(seen, peer, *found, report);
  }
}

// ---- what the daemon says
// ------------------------------------------------------------------------

Mend log_of_speaker(const RunningBgp& bgp) {
  if (bgp.api != kOurApi) return Mend::by_hand("the log of the speaker at " + bgp.api);
  return Mend::by_command("journalctl -u guideway-gobgp -n 20");
}

void judge_role(const Case& seen, const RunningBgp& bgp, Report& report) {
  const std::string effect = bgp.role == "drain" ? ": nothing is announced" : "";
  if (bgp.role_by_operator) {
    const std::string of_file =
        has_section(seen) ? std::string(bgp::name(seen.model->bgp->policy.role)) : "active";
    report.say(Severity::warning, "bgp_role",
               "an operator has made its role " + bgp.role + effect +
                   (has_section(seen) ? "; by the file it is " + of_file : ""),
               Mend::by_command(guideway(seen, "role " + of_file)));
  } else if (bgp.role == "drain") {
    report.say(Severity::note, "bgp_role", "its role is drain, as the file says" + effect);
  } else {
    report.ok("bgp_role", "its role is " + bgp.role + ", as the file says");
  }
}

// Whether what the daemon says of sessions and routes is of now.
bool judge_contact(const Case& seen, const RunningBgp& bgp, Report& report) {
  if (bgp.contact == "reached" && bgp.error.empty()) {
    report.ok("bgp_speaker", "guidewayd reaches the speaker");
    return true;
  }
  // Told already, with what mends it.
  const auto& facts = seen.facts.bgp;
  if (facts && facts->api == bgp.api && facts->answer.known() && !facts->answer->listens)
    return false;
  if (bgp.error.empty())
    report.say(Severity::note, "bgp_speaker", "guidewayd has not reached the speaker yet");
  else
    report.say(Severity::error, "bgp_speaker", "guidewayd and the speaker: " + bgp.error,
               // An error that ends with what mends it (core/result.h) needs no other.
               bgp.error.ends_with(')') ? Mend{} : log_of_speaker(bgp));
  return false;
}

// What to look at, by how far the session got (RFC 4271, section 8.2.2). Of a session that was
// refused in its OPEN the state is mostly idle or active again; the log has the reason.
std::string to_look_at(const RunningBgp& bgp, const RunningSession& session) {
  const std::string log = "; why a session was refused is in " +
                          (bgp.api == kOurApi ? "journalctl -u guideway-gobgp -n 20"
                                              : "the log of the speaker at " + bgp.api);
  if (session.state == "opensent" || session.state == "openconfirm")
    return "its ASN, and this host's in its configuration: the session is refused in its OPEN" +
           log;
  return "on the router, this host as its neighbour, with its ASN and the same password; on the "
         "way, TCP port 179" +
         log;
}

void judge_session(const Case& seen, const RunningBgp& bgp, const RunningSession& session,
                   bool any_up, Report& report) {
  const Severity severity = any_up ? Severity::warning : Severity::error;
  const std::string who = session.peer + " (AS " + std::to_string(session.asn) + ")";
  if (session.state == "missing") {
    report.say(severity, "bgp_session",
               "the speaker does not know the peer " + who + " of the file", log_of_speaker(bgp));
    return;
  }
  std::string way;
  if (seen.facts.bgp) {
    const auto& peers = seen.facts.bgp->peers;
    const auto peer = std::ranges::find(peers, session.peer, &PeerFacts::address);
    if (peer != peers.end() && peer->route.known()) way = trouble_of(*peer->route);
  }
  report.say(severity, "bgp_session",
             "no session with " + who + ": it is " + session.state +
                 (session.state_for_seconds == 0
                      ? ""
                      : ", for " + counted(session.state_for_seconds, "second")) +
                 (way.empty() ? "" : "; " + way),
             Mend::by_hand(way.empty() ? to_look_at(bgp, session) : "a route to it"));
}

void judge_sessions(const Case& seen, const RunningBgp& bgp, Report& report) {
  const auto up = std::ranges::count(bgp.sessions, "established", &RunningSession::state);
  if (bgp.sessions.empty())
    report.say(Severity::error, "bgp_session", "the speaker has no peer: no router hears of a VIP",
               Mend::by_hand("a neighbour in the speaker's own configuration"));
  for (const RunningSession& session : bgp.sessions) {
    if (session.state == "established")
      report.ok("bgp_session", "the session with " + session.peer + " is established");
    else
      judge_session(seen, bgp, session, up > 0, report);
  }
}

// Such a router drops the routes when the speaker goes, if it comes back at once or not.
void judge_restart(const Case& seen, const RunningBgp& bgp, Report& report) {
  if (!has_section(seen) || seen.model->bgp->speaker.mode != bgp::Mode::managed ||
      seen.model->bgp->speaker.graceful_restart.count() == 0)
    return;
  std::vector<std::string> without;
  for (const RunningSession& session : bgp.sessions)
    if (session.state == "established" && !session.graceful_restart)
      without.push_back(session.peer);
  if (!without.empty())
    report.say(Severity::note, "bgp_restart",
               listed(without) + (without.size() == 1 ? " has" : " have") +
                   " no graceful restart for this session: a restart of the speaker interrupts "
                   "traffic until routes are learnt again",
               Mend::by_hand("graceful restart for this neighbour on the router"));
}

void judge_held(const Case& seen, const RunningBgp& bgp, Report& report) {
  std::vector<std::string> lacking, left;
  for (const RunningRoute& route : bgp.routes) {
    const bool wanted = route.state == "announced";
    if (wanted && !route.held) lacking.push_back(route.prefix);
    if (!wanted && route.held) left.push_back(route.prefix);
  }
  const Mend look = Mend::by_command(guideway(seen, "bgp"));
  if (!lacking.empty())
    report.say(Severity::error, "bgp_held",
               listed(lacking) + " should be announced, and the speaker does not have " +
                   (lacking.size() == 1 ? "it" : "them"),
               look);
  if (!left.empty())
    report.say(Severity::error, "bgp_held",
               listed(left) + " should not be announced, and the speaker has " +
                   (left.size() == 1 ? "it" : "them"),
               look);
  if (lacking.empty() && left.empty()) report.ok("bgp_held", "the speaker holds what is wanted");
}

// What is said of many routes in the same words is one finding. With a role of drain all of them
// are withdrawn, as somebody wants it.
void judge_routes(const Case& seen, const RunningBgp& bgp, Report& report) {
  if (bgp.role == "drain") return;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> not_announced;
  for (const RunningRoute& route : bgp.routes)
    if (route.state != "announced") not_announced[{route.state, route.why}].push_back(route.prefix);
  for (const auto& [how, prefixes] : not_announced)
    report.say(Severity::warning, "bgp_route",
               listed(prefixes) + (prefixes.size() == 1 ? " is " : " are ") + how.first + ": " +
                   how.second,
               Mend::by_command(guideway(seen, how.first == "damped" ? "bgp" : "backends")));
  if (not_announced.empty())
    report.ok("bgp_route",
              counted(bgp.routes.size(), "route") + " to announce, and none withdrawn");
}

void judge_running_bgp(const Case& seen, const RunningBgp& bgp, Report& report) {
  judge_role(seen, bgp, report);
  if (judge_contact(seen, bgp, report)) {
    judge_sessions(seen, bgp, report);
    judge_restart(seen, bgp, report);
    judge_held(seen, bgp, report);
  }
  judge_routes(seen, bgp, report);
}

}  // namespace

void judge_bgp(const Case& seen, Desk& desk) {
  const RunningBgp* running =
      seen.running != nullptr && seen.running->bgp ? &*seen.running->bgp : nullptr;
  if (!has_section(seen) && running == nullptr) return;
  Report report = desk.report("bgp");
  if (has_section(seen) && seen.facts.bgp) {
    judge_api(seen, *seen.facts.bgp, report);
    judge_ways(seen, *seen.facts.bgp, report);
  }
  if (running != nullptr) judge_running_bgp(seen, *running, report);
  if (seen.model != nullptr && seen.running != nullptr && has_section(seen) != (running != nullptr))
    report.say(Severity::warning, "bgp_in_force",
               running == nullptr
                   ? "the file has a bgp: section, and the daemon announces nothing"
                   : "the daemon announces VIPs, and the file has no bgp: section any more",
               Mend::by_command(guideway(seen, "reload")));
}

}  // namespace guideway::doctor
