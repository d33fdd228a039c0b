#include "observe/bgp_metrics.h"

#include <string>
#include <vector>

namespace guideway::observe {
namespace {

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;

constexpr MetricRow<BgpStatus> kSpeakerRows[] = {
    {kGauge, "guideway_bgp_speaker_up",
     "1 if the last call to the BGP speaker succeeded, 0 if it failed or none was made yet.",
     [](const BgpStatus& bgp) { return sample(bgp.contact == "reached"); }},
    {kGauge, "guideway_bgp_in_step", "1 if the speaker holds the routes that are wanted.",
     [](const BgpStatus& bgp) { return sample(bgp.in_step); }},
    {kGauge, "guideway_bgp_foreign_routes",
     "Local routes of the speaker that are not of this daemon, and were left alone.",
     [](const BgpStatus& bgp) { return sample(bgp.foreign); }},
    {kCounter, "guideway_bgp_calls_total",
     "Times that the speaker was compared with what is wanted.",
     [](const BgpStatus& bgp) { return sample(bgp.calls); }},
    {kCounter, "guideway_bgp_call_failures_total", "Of these, those that failed.",
     [](const BgpStatus& bgp) { return sample(bgp.failures); }},
    {kCounter, "guideway_bgp_speaker_starts_total",
     "Times that BGP was started on a speaker that had none.",
     [](const BgpStatus& bgp) { return sample(bgp.starts); }},
    {kCounter, "guideway_bgp_routes_added_total", "Routes given to the speaker.",
     [](const BgpStatus& bgp) { return sample(bgp.added); }},
    {kCounter, "guideway_bgp_routes_deleted_total", "Routes taken from the speaker.",
     [](const BgpStatus& bgp) { return sample(bgp.deleted); }},
    {kCounter, "guideway_bgp_routes_changed_total", "Routes that got other attributes.",
     [](const BgpStatus& bgp) { return sample(bgp.changed); }},
    {kCounter, "guideway_bgp_routes_corrected_total",
     "Of these three, those that mended what somebody else had done.",
     [](const BgpStatus& bgp) { return sample(bgp.corrected); }},
};

constexpr MetricRow<BgpSessionStatus> kSessionRows[] = {
    {kCounter, "guideway_bgp_session_flaps_total",
     "Times that the session was lost since this daemon first saw it.",
     [](const BgpSessionStatus& one) { return sample(one.flaps); }},
    {kCounter, "guideway_bgp_updates_sent_total", "UPDATE messages sent to the peer.",
     [](const BgpSessionStatus& one) { return sample(one.updates_sent); }},
    {kCounter, "guideway_bgp_updates_received_total", "UPDATE messages received from the peer.",
     [](const BgpSessionStatus& one) { return sample(one.updates_received); }},
};

constexpr MetricRow<BgpRouteStatus> kRouteRows[] = {
    {kGauge, "guideway_bgp_route_wanted", "1 if the prefix should be announced.",
     [](const BgpRouteStatus& one) { return sample(one.state == "announced"); }},
    {kGauge, "guideway_bgp_route_announced",
     "1 if the prefix should be announced and the speaker holds it.",
     [](const BgpRouteStatus& one) { return sample(one.state == "announced" && one.held); }},
    {kGauge, "guideway_bgp_route_damped",
     "1 if the prefix is well, and waits as it was withdrawn too recently or too often.",
     [](const BgpRouteStatus& one) { return sample(one.state == "damped"); }},
};

void add_sessions(MetricFamilies& families, const BgpStatus& bgp) {
  for (const BgpSessionStatus& one : bgp.sessions)
    families.add(kGauge, "guideway_bgp_session_up", "1 if the session is established.",
                 {{"peer", one.peer}, {"asn", std::to_string(one.asn)}}, sample(one.established()));
  std::vector<MetricSubject<BgpSessionStatus>> sessions;
  // While the speaker does not say, there are no numbers of it: a counter that falls to 0 and comes
  // back would be taken for a restart, and what it counts counted twice.
  for (const BgpSessionStatus& one : bgp.sessions)
    if (one.known()) sessions.push_back({&one, {{"peer", one.peer}}});
  families.add(kSessionRows, sessions);
}

void add_routes(MetricFamilies& families, const BgpStatus& bgp) {
  std::vector<MetricSubject<BgpRouteStatus>> routes;
  for (const BgpRouteStatus& one : bgp.routes) routes.push_back({&one, {{"prefix", one.prefix}}});
  families.add(kRouteRows, routes);
}

}  // namespace

void add_bgp(MetricFamilies& families, const Status& status) {
  if (!status.bgp) return;
  const BgpStatus& bgp = *status.bgp;
  families.add(kSpeakerRows, std::vector<MetricSubject<BgpStatus>>{{&bgp, {}}});
  // The role that it is in alone, as with guideway_backend_health.
  families.add(kGauge, "guideway_bgp_role", "1; which role this load balancer has.",
               {{"role", bgp.role}}, 1);
  add_sessions(families, bgp);
  add_routes(families, bgp);
}

}  // namespace guideway::observe
