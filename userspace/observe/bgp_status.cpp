#include "observe/bgp_status.h"

#include <boost/json/array.hpp>
#include <utility>

namespace guideway::observe {
namespace {

namespace json = boost::json;

json::object session(const BgpSessionStatus& status) {
  return {{"peer", status.peer},
          {"asn", status.asn},
          {"state", status.state},
          {"state_for_seconds", status.state_for.count()},
          {"hold_time_seconds", status.hold_time.count()},
          {"flaps", status.flaps},
          {"graceful_restart", status.graceful_restart},
          {"updates_sent", status.updates_sent},
          {"updates_received", status.updates_received}};
}

template <class T>
json::array all(const std::vector<T>& statuses, json::object (*shown)(const T&)) {
  json::array out;
  out.reserve(statuses.size());
  for (const T& one : statuses) out.push_back(shown(one));
  return out;
}

}  // namespace

json::object to_json_object(const BgpRouteStatus& status) {
  return {{"prefix", status.prefix},
          {"services", json::array(status.services.begin(), status.services.end())},
          {"state", status.state},
          {"why", status.why},
          {"damped_for_seconds", status.damped_for.count()},
          {"withdrawals", status.withdrawals},
          {"held", status.held},
          {"attributes", status.attributes}};
}

json::object to_json_object(const BgpStatus& status) {
  return {{"mode", status.mode},
          {"api", status.api},
          {"role", status.role},
          {"role_by_operator", status.role_by_operator},
          {"contact", status.contact},
          {"contact_for_seconds", status.contact_for.count()},
          {"error", status.error},
          {"in_step", status.in_step},
          {"speaker", status.speaker},
          {"asn", status.asn},
          {"router_id", status.router_id},
          {"sessions", all(status.sessions, session)},
          {"routes", all(status.routes, &to_json_object)},
          {"foreign", status.foreign},
          {"calls", status.calls},
          {"failures", status.failures},
          {"starts", status.starts},
          {"added", status.added},
          {"deleted", status.deleted},
          {"changed", status.changed},
          {"corrected", status.corrected}};
}

std::optional<RouteOfService> route_of(const BgpStatus& status, std::string_view service) {
  for (const BgpRouteStatus& route : status.routes) {
    for (const std::string& one : route.services) {
      if (one != service) continue;
      RouteOfService out{.route = route,
                         .role = status.role,
                         .contact = status.contact,
                         .sessions = status.sessions.size()};
      for (const BgpSessionStatus& session : status.sessions)
        out.established += session.established() ? 1U : 0U;
      return out;
    }
  }
  return std::nullopt;
}

}  // namespace guideway::observe
