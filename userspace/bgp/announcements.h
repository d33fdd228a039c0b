// From what is known of the services behind each VIP to the routes that are wanted, and for each
// prefix why it is or is not announced.
//
// A prefix is well while its services are (Policy::need) and the load balancer itself is. It is
// announced while it is well, damping lets it come back (damping.h), and nobody wants it away.
//
//                         well    damping    by an operator
//     services ──need──┐
//                      ├─ and ──▶ observe ──▶ and ──▶ announced
//     node_trouble ────┘                      ▲
//     stopping, Role::drain ──────────────────┘
//
// What an operator wants is behind the damping: it is no flap, and routes are back from it at once;
// and damping goes on watching meanwhile, so that a pool that flaps during a drain is damped after
// it.
//
// Pure: conditions and the time come in, a decision goes out. Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/damping.h"
#include "bgp/route.h"

namespace guideway::bgp {

// active announces with Policy::active, passive with Policy::passive, drain nothing.
enum class Role : std::uint8_t { active, passive, drain };
inline constexpr std::string_view kRoleNames[] = {"active", "passive", "drain"};
[[nodiscard]] std::string_view name(Role role);
[[nodiscard]] std::optional<Role> role_named(std::string_view name);

// Of the services behind one prefix, how many have to be well for it to be announced.
enum class Need : std::uint8_t { all, any };

// One service: whether it can be served, and why not.
struct ServiceCondition {
  std::string service;  // its name
  IpAddress vip;
  bool good = false;
  std::string why;  // "pool web: 1 of 3 backends usable, 2 needed"; empty where good
};

struct Policy {
  Role role = Role::active;
  Need need = Need::all;
  // A VIP within one of them is announced by it, by the longest where several have it; else by its
  // /32 or /128.
  std::vector<Prefix> prefixes;
  Attributes active, passive;
  DampingRule damping;
  friend bool operator==(const Policy&, const Policy&) = default;
};

struct Announcement {
  enum class State : std::uint8_t {
    announced,  // wanted
    damped,     // would be, but was withdrawn too recently or too often: `until`
    withdrawn,  // not wanted: `why`
  };
  Prefix prefix;
  std::vector<std::string> services;  // behind it, in the order that they came in
  State state = State::withdrawn;
  // Why it is not announced, all reasons, with "; " between them: "role drain; web: pool web: 0 of
  // 3 backends usable, 2 needed". Where it is announced: which of its services are not well.
  std::string why{};
  std::optional<Damping::Time> until{};  // damped: if it stays well
  std::uint32_t withdrawals = 0;         // within the damping window
};
[[nodiscard]] std::string_view name(Announcement::State state);

struct Decision {
  // One for each prefix of a VIP and each of Policy::prefixes, sorted by prefix: what is the
  // daemon's to decide on (Wanted::own). A prefix without a VIP is never announced.
  std::vector<Announcement> announcements;
  std::vector<Route> routes;  // that are wanted, sorted by prefix
  // When to decide again, though nothing changed: the earliest end of a damping, also of one that a
  // role hides.
  std::optional<Damping::Time> next;
};

class Announcements {
 public:
  // To be called whenever something may have changed, and at Decision::next. `services`: all of the
  // file. `node_trouble`: why this load balancer as a whole must not get traffic ("worker 0 of eth0
  // hangs"); empty: nothing. It ends as any other trouble does, with a damping. `stopping` does not
  // count as one, as Role::drain does not. A prefix that is the file's no more is forgotten.
  [[nodiscard]] Decision decide(const Policy& policy, const std::vector<ServiceCondition>& services,
                                const std::string& node_trouble, bool stopping, Damping::Time now);

 private:
  Damping damping_;
};

}  // namespace guideway::bgp
