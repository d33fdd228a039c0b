// What a daemon that announces its VIPs tells about it: the role, the speaker beside it, its
// sessions, and each route, wanted or not, with the reason. Plain values, filled by app/.
//
// As JSON, by itself in GET /v1/bgp and as "bgp" in the status document:
//
//     {"mode", "api", "role", "role_by_operator", "contact", "contact_for_seconds", "error",
//      "in_step", "speaker", "asn", "router_id",
//      "sessions": [{"peer", "asn", "state", "state_for_seconds", "hold_time_seconds", "flaps",
//                    "graceful_restart", "updates_sent", "updates_received"}, ..],
//      "routes":   [{"prefix", "services": [..], "state", "why", "damped_for_seconds",
//                    "withdrawals", "held", "attributes"}, ..],
//      "foreign", "calls", "failures", "starts", "added", "deleted", "changed", "corrected"}
//
// Threads: none of its own.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace guideway::observe {

struct BgpSessionStatus {
  std::string peer;  // address
  std::uint32_t asn = 0;
  std::string state;  // "established", "active", ..; "missing": of the file, and the
                      // speaker has none; "unknown": the speaker does not answer
  std::chrono::seconds state_for{};
  std::chrono::seconds hold_time{};  // negotiated; 0: no session
  std::uint32_t flaps = 0;
  bool graceful_restart = false;
  std::uint64_t updates_sent = 0, updates_received = 0;
  [[nodiscard]] bool established() const { return state == "established"; }
  // Whether the numbers are the speaker's.
  [[nodiscard]] bool known() const { return state != "missing" && state != "unknown"; }
};

struct BgpRouteStatus {
  std::string prefix;
  std::vector<std::string> services;
  std::string state;                  // "announced", "damped", "withdrawn"
  std::string why;                    // why not announced; or what is not well though it is
  std::chrono::seconds damped_for{};  // from now
  std::uint32_t withdrawals = 0;      // within the damping window
  bool held = false;                  // the speaker has it, as far as known
  std::string attributes;             // that it has, or would have: "med 50"
};

struct BgpStatus {
  std::string mode;               // "managed", "external"
  std::string api;                // "unix:/run/guideway-bgp/api.sock"
  std::string role;               // "active", "passive", "drain"
  bool role_by_operator = false;  // and not as the file says
  std::string contact;            // with the speaker: "none yet", "reached", "lost"
  std::chrono::seconds contact_for{};
  std::string error;     // of the last attempt; empty: it succeeded
  bool in_step = false;  // the speaker holds what is wanted
  std::string speaker;   // its name: "GoBGP"; empty: not reached yet
  std::uint32_t asn = 0;
  std::string router_id;
  std::vector<BgpSessionStatus> sessions;
  std::vector<BgpRouteStatus> routes;
  std::uint64_t foreign = 0;  // the speaker's routes that are not ours
  std::uint64_t calls = 0, failures = 0, starts = 0;
  std::uint64_t added = 0, deleted = 0, changed = 0, corrected = 0;  // routes
};

[[nodiscard]] boost::json::object to_json_object(const BgpStatus& status);
[[nodiscard]] boost::json::object to_json_object(const BgpRouteStatus& status);

// The route by which packets to a service come here, and how many routers can hear of it.
struct RouteOfService {
  BgpRouteStatus route;
  std::string role, contact;  // of BgpStatus
  std::size_t sessions = 0, established = 0;
};

// nullopt: no route is for the service of this name.
[[nodiscard]] std::optional<RouteOfService> route_of(const BgpStatus& status,
                                                     std::string_view service);

}  // namespace guideway::observe
