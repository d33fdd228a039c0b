// GoBGP (https://github.com/osrg/gobgp) as a bgp::Speaker: its gRPC API (api/gobgp.proto and
// api/attribute.proto of GoBGP 3, from which the client is generated when this is built).
//
// What is ours in GoBGP's table: local paths that carry the path identifier kPathIdentifier, which
// routers do not see unless they negotiate ADD-PATH. So a daemon that was restarted knows its own
// routes again, and an operator's own in an external gobgpd are left alone.
//
// managed, on a gobgpd without BGP: StartBgp; a global policy that imports and exports local routes
// only, so that the load balancer never takes routes from one router to another, and does not keep
// a full table; the routes; then the peers, so that the first thing a peer hears are the routes
// (after a restart of gobgpd a peer keeps what it had until it hears the end of them, RFC 4724). A
// gobgpd that runs is Guideway's if it has that policy; then it is stopped and started anew where
// its ASN, router id or port is not as wanted. Any other that has peers or routes is refused, as
// somebody else's, also one with the same ASN.
//
// external: see external.h. Only routes to prefixes of Wanted::own, and old ones of ours, are
// touched.
//
// Next hops: where none is given, GoBGP puts the own address of each session. Over a session of
// IPv4, that is for a prefix of IPv6 an address that routers refuse (::ffff:10.0.0.10; BIRD:
// "mismatched address family"): such a prefix needs Attributes::next_hop, or a session over IPv6,
// which carries both (RFC 8950).
//
// Errors: nobody at the address of the API; BGP not running (external); another's gobgpd (managed);
// whatever GoBGP says to a call.
//
// Threads: as bgp::Speaker. The first reconcile() makes gRPC's own threads, which have the
// capabilities and the signal mask of the thread that calls it.
#pragma once

#include <cstdint>
#include <memory>

#include "bgp/speaker.h"

namespace guideway::gobgp {

inline constexpr std::uint32_t kPathIdentifier = 0x47570001;
inline constexpr char kPolicyName[] = "guideway-local-routes-only";

[[nodiscard]] std::unique_ptr<bgp::Speaker> make_speaker();

}  // namespace guideway::gobgp
