// Routes as GoBGP has them: bgp::Route to apipb::Path and back. Private to this folder.
//
// Both ways are exact: attributes_of(to_path(route)) are the route's attributes, also after a
// journey through GoBGP. What bgp::Attributes cannot say, such as an origin other than IGP, another
// AS path, or an attribute that Guideway never sends, gives nullopt and never a wrong value: so a
// path that somebody has changed by hand is seen as different.
//
// Pure. Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "attribute.pb.h"
#include "bgp/route.h"
#include "gobgp.pb.h"

namespace guideway::gobgp {

// "IPv4 unicast" or "IPv6 unicast".
[[nodiscard]] apipb::Family family_v4();
[[nodiscard]] apipb::Family family_v6();

// With kPathIdentifier. `own_asn` is what is prepended. Without a next hop it is the unspecified
// address, in place of which GoBGP puts the own address of each session.
[[nodiscard]] apipb::Path to_path(const bgp::Route& route, std::uint32_t own_asn);

// A path of GoBGP's table that no peer has sent: by this API, by its command, from another daemon.
struct LocalPath {
  bgp::Prefix prefix;
  std::uint32_t identifier = 0;
  // Of a client that claims to speak for somebody else; 0 and empty: it does not. Two paths that
  // differ in it are two.
  std::uint32_t source_asn = 0;
  std::string source_id{};
  std::optional<bgp::Attributes> attributes{};  // nullopt: no route of ours looks like that

  [[nodiscard]] bool is_ours() const;
};

// nullopt: a peer has sent it, or its prefix is none.
[[nodiscard]] std::optional<LocalPath> to_local_path(const apipb::Destination& destination,
                                                     const apipb::Path& path,
                                                     std::uint32_t own_asn);

[[nodiscard]] std::optional<bgp::Attributes> attributes_of(const apipb::Path& path,
                                                           std::uint32_t own_asn);

// What DeletePath wants to hear, to take away this path and no other.
[[nodiscard]] apipb::Path withdrawal_of(const LocalPath& path);

}  // namespace guideway::gobgp
