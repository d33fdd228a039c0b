// The section `bgp` of a configuration: how the VIPs are announced. What is compared with the rest
// of the file is validate_bgp.h's.
#pragma once

#include <chrono>

#include "control/draft.h"

namespace guideway::control {

// `shutdown.drain` where the file has `bgp` and says nothing: routers need time to send elsewhere.
inline constexpr std::chrono::seconds kBgpDrain{5};

// Whether a peer is in the own AS: an iBGP peer. False where a number of the two was not readable.
[[nodiscard]] inline bool is_internal(const bgp::SpeakerConfig& speaker, const bgp::Peer& peer) {
  return peer.asn != 0 && peer.asn == speaker.asn;
}

// Reads `bgp` of the whole `file`, if it is there, reports what is wrong with a value by itself,
// and fills in what follows from others. REQUIRES: `encapsulation` is read.
void read_bgp(const Mapping& file, Draft& draft);

}  // namespace guideway::control
