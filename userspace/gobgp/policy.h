// The policy that a managed gobgpd has: routes of its own are told to peers, and nothing else is
// told or taken. Without it GoBGP is a router: it takes what one peer says to the others, and keeps
// a full table. Private to this folder.
//
// It is also the sign that a gobgpd was started by Guideway.
//
// Threads: as Client.
#pragma once

#include <vector>

#include "gobgp/client.h"

namespace guideway::gobgp {

enum class PolicyState {
  absent,   // kPolicyName is nowhere: not Guideway's
  damaged,  // it is there, but not all, or not alone
  right,
};
[[nodiscard]] PolicyState state_of(const std::vector<apipb::PolicyAssignment>& assignments);

// Has kPolicyName, and no other, in both directions.
[[nodiscard]] Result<> establish_policy(Client& client);

}  // namespace guideway::gobgp
