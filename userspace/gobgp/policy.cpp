#include "gobgp/policy.h"

#include <algorithm>
#include <array>

#include "gobgp/speaker.h"

namespace guideway::gobgp {
namespace {

constexpr std::array kDirections{apipb::PolicyDirection::IMPORT, apipb::PolicyDirection::EXPORT};

// Statements have names of their own, of which there is one each in all of GoBGP.
constexpr char kStatementName[] = "guideway-local-routes";

apipb::Policy own_policy() {
  apipb::Policy policy;
  policy.set_name(kPolicyName);
  apipb::Statement& statement = *policy.add_statements();
  statement.set_name(kStatementName);
  statement.mutable_conditions()->set_route_type(apipb::Conditions::ROUTE_TYPE_LOCAL);
  statement.mutable_actions()->set_route_action(apipb::RouteAction::ACCEPT);
  return policy;
}

bool changes_nothing(const apipb::Actions& actions) {
  return actions.community().communities().empty() && actions.med().value() == 0 &&
         actions.as_prepend().repeat() == 0 && actions.ext_community().communities().empty() &&
         actions.nexthop().address().empty() && !actions.nexthop().self() &&
         actions.local_pref().value() == 0 && actions.large_community().communities().empty();
}

// GoBGP fills in an rpki_result that asks for nothing, and actions that change nothing.
bool is_own(const apipb::Policy& policy) {
  if (policy.name() != kPolicyName || policy.statements_size() != 1) return false;
  const apipb::Statement& statement = policy.statements(0);
  apipb::Conditions others = statement.conditions();
  others.clear_route_type();
  if (others.rpki_result() == -1) others.clear_rpki_result();
  return statement.conditions().route_type() == apipb::Conditions::ROUTE_TYPE_LOCAL &&
         others.ByteSizeLong() == 0 &&
         statement.actions().route_action() == apipb::RouteAction::ACCEPT &&
         changes_nothing(statement.actions());
}

bool is_named(const apipb::Policy& policy) { return policy.name() == kPolicyName; }

bool is_right(const apipb::PolicyAssignment& assignment) {
  return assignment.policies_size() == 1 && is_own(assignment.policies(0)) &&
         assignment.default_action() == apipb::RouteAction::REJECT;
}

}  // namespace

PolicyState state_of(const std::vector<apipb::PolicyAssignment>& assignments) {
  if (assignments.size() == kDirections.size() && std::ranges::all_of(assignments, is_right))
    return PolicyState::right;
  const bool somewhere = std::ranges::any_of(assignments, [](const auto& assignment) {
    return std::ranges::any_of(assignment.policies(), is_named);
  });
  return somewhere ? PolicyState::damaged : PolicyState::absent;
}

Result<> establish_policy(Client& client) {
  if (auto set = client.set_policies({own_policy()}); !set) return set;
  for (const auto direction : kDirections) {
    apipb::PolicyAssignment assignment;
    assignment.set_direction(direction);
    assignment.add_policies()->set_name(kPolicyName);
    assignment.set_default_action(apipb::RouteAction::REJECT);
    if (auto assigned = client.assign_policy(assignment); !assigned) return assigned;
  }
  return {};
}

}  // namespace guideway::gobgp
