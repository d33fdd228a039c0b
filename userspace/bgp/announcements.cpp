#include "bgp/announcements.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace guideway::bgp {
namespace {

// What is behind one prefix.
struct Group {
  std::vector<std::string> services;
  std::vector<std::string> unwell;  // "web: why"

  [[nodiscard]] bool well(Need need) const {
    return need == Need::all ? unwell.empty() && !services.empty()
                             : unwell.size() < services.size();
  }
};

// So many services are told of in one `why`.
constexpr std::size_t kMostTold = 3;

Prefix prefix_of(const IpAddress& vip, const std::vector<Prefix>& prefixes) {
  const Prefix* best = nullptr;
  for (const Prefix& one : prefixes)
    if (one.contains(vip) && (best == nullptr || one.bits > best->bits)) best = &one;
  return best != nullptr ? *best : Prefix::of(vip);
}

std::map<Prefix, Group> grouped(const Policy& policy,
                                const std::vector<ServiceCondition>& services) {
  std::map<Prefix, Group> groups;
  for (const Prefix& prefix : policy.prefixes) groups[prefix];
  for (const ServiceCondition& one : services) {
    Group& group = groups[prefix_of(one.vip, policy.prefixes)];
    group.services.push_back(one.service);
    if (!one.good) group.unwell.push_back(one.service + ": " + one.why);
  }
  return groups;
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string all;
  for (const std::string& one : reasons) all += (all.empty() ? "" : "; ") + one;
  return all;
}

void add_unwell(std::vector<std::string>& reasons, const Group& group) {
  const std::size_t told = std::min(group.unwell.size(), kMostTold);
  std::copy_n(group.unwell.begin(), told, std::back_inserter(reasons));
  if (told < group.unwell.size())
    reasons.push_back("and " + std::to_string(group.unwell.size() - told) + " more");
}

// Why what was withdrawn and is well again is not announced yet.
std::string damping_text(std::uint32_t withdrawals) {
  return "well, but not for long enough yet after it was withdrawn" +
         (withdrawals > 1 ? " " + std::to_string(withdrawals) + " times within the damping window"
                          : std::string());
}

// Why nothing is announced, or only after a damping, whatever the services are like.
struct Node {
  std::string withheld;  // as an operator wants it; empty: no reason, as below
  std::string trouble;
};

std::string withheld_text(Role role, bool stopping) {
  if (stopping) return "guidewayd stops";
  return role == Role::drain ? "role drain" : "";
}

// `verdict`: nullopt where there is nothing behind the prefix.
Announcement announcement(const Prefix& prefix, const Group& group,
                          const std::optional<Damping::Verdict>& verdict, const Node& node) {
  Announcement one{.prefix = prefix, .services = group.services};
  std::vector<std::string> reasons;
  for (const std::string& reason : {node.withheld, node.trouble})
    if (!reason.empty()) reasons.push_back(reason);
  if (!verdict) {
    reasons.emplace_back("no service has a VIP within it");
  } else {
    one.withdrawals = verdict->withdrawals;
    if (verdict->until) reasons.push_back(damping_text(verdict->withdrawals));
    if (node.withheld.empty()) {
      one.until = verdict->until;
      if (verdict->until) one.state = Announcement::State::damped;
      if (verdict->announce) one.state = Announcement::State::announced;
    }
  }
  add_unwell(reasons, group);
  one.why = joined(reasons);
  return one;
}

}  // namespace

std::string_view name(Role role) { return kRoleNames[static_cast<std::size_t>(role)]; }

std::optional<Role> role_named(std::string_view name) {
  const auto* found = std::ranges::find(kRoleNames, name);
  if (found == std::end(kRoleNames)) return std::nullopt;
  return static_cast<Role>(found - std::begin(kRoleNames));
}

std::string_view name(Announcement::State state) {
  switch (state) {
    case Announcement::State::announced: return "announced";
    case Announcement::State::damped: return "damped";
    case Announcement::State::withdrawn: break;
  }
  return "withdrawn";
}

Decision Announcements::decide(const Policy& policy, const std::vector<ServiceCondition>& services,
                               const std::string& node_trouble, bool stopping, Damping::Time now) {
  const Node node{withheld_text(policy.role, stopping), node_trouble};
  const Attributes& attributes = policy.role == Role::passive ? policy.passive : policy.active;
  Decision decision;
  std::set<Prefix> observed;
  for (const auto& [prefix, group] : grouped(policy, services)) {
    std::optional<Damping::Verdict> verdict;
    if (!group.services.empty()) {
      observed.insert(prefix);
      const bool well = node_trouble.empty() && group.well(policy.need);
      verdict = damping_.observe(prefix, well, now, policy.damping);
      if (verdict->until)
        decision.next = std::min(decision.next.value_or(*verdict->until), *verdict->until);
    }
    Announcement one = announcement(prefix, group, verdict, node);
    if (one.state == Announcement::State::announced)
      decision.routes.push_back({prefix, attributes});
    decision.announcements.push_back(std::move(one));
  }
  damping_.keep(observed);
  return decision;
}

}  // namespace guideway::bgp
