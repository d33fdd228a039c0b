// A gobgpd that is Guideway's: BGP is started on it, and policy, routes and peers are kept as
// wanted. Private to this folder.
//
// Is a gobgpd that runs already Guideway's? It is if it has the policy, or was kept by this object
// before, or has neither peer nor route, as one whose start was interrupted. Any other is refused.
//
// Threads: as Client.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bgp/speaker.h"
#include "gobgp/client.h"
#include "gobgp/paths.h"
#include "gobgp/policy.h"

namespace guideway::gobgp {

class Managed {
 public:
  // Fills in all of `report` but the sessions. `global`: what GoBGP says now.
  [[nodiscard]] Result<> reconcile(Client& client, apipb::Global global, const bgp::Wanted& wanted,
                                   bgp::Report& report);
  // GoBGP could not be reached: the next one may be another.
  void forget();

 private:
  // What GoBGP has, read in one go.
  struct Found {
    PolicyState policy = PolicyState::absent;
    std::vector<LocalPath> paths;
    std::vector<apipb::Peer> peers;
  };
  [[nodiscard]] Result<Found> find(Client& client, const apipb::Global& global) const;
  [[nodiscard]] Result<> check_owner(Client& client, const apipb::Global& global,
                                     const Found& found) const;
  [[nodiscard]] Result<> start(Client& client, const bgp::SpeakerConfig& config,
                               bgp::Report& report);
  [[nodiscard]] Result<> mend(Client& client, const bgp::Wanted& wanted, const Found& found,
                              bgp::Report& report);

  bool ours_ = false;
  std::string given_;  // ASN and the like that this object has seen to; empty: nothing yet
  // BGP was started, and not all peers have been added since: they are told of a restart.
  bool starting_ = false;
};

}  // namespace guideway::gobgp
