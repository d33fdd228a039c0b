// Peers as GoBGP has them: bgp::Peer to apipb::Peer, and what of a peer that GoBGP has is not as
// wanted. Private to this folder.
//
// GoBGP answers with the settings that it was given, defaults filled in, so they can be compared
// one by one. Two it hides: with a session, the local address is the session's, not the configured
// one; and whether a peer is told of a restart (local_restarting) is forgotten when it was. Neither
// is compared where it says nothing.
//
// Threads: as Client; the rest is pure.
#pragma once

#include <string>
#include <vector>

#include "bgp/speaker.h"
#include "gobgp.pb.h"
#include "gobgp/client.h"

namespace guideway::gobgp {

// `restarted`: GoBGP was just started, so that a peer which has kept routes of its predecessor is
// to go on keeping them until it has heard all anew (RFC 4724, section 4.1).
[[nodiscard]] apipb::Peer to_peer(const bgp::Peer& peer, const bgp::SpeakerConfig& config,
                                  bool restarted);

// "hold time 9, was 90; password": each setting of `held` that is not as in `wanted`, and no
// password; empty: none.
[[nodiscard]] std::string difference(const apipb::Peer& held, const apipb::Peer& wanted);

// Has the peers of `config` and no others; `held` are those of now. What was done is added to
// `done`, a line each. First those go that are not wanted.
[[nodiscard]] Result<> reconcile_peers(Client& client, const std::vector<apipb::Peer>& held,
                                       const bgp::SpeakerConfig& config, bool restarted,
                                       std::vector<std::string>& done);

}  // namespace guideway::gobgp
