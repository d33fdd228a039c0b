#include "control/validate_bgp.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "control/bgp_reader.h"
#include "control/bgp_values.h"
#include "control/first_lines.h"

namespace guideway::control {
namespace {

using bgp::IpAddress;
using bgp::Prefix;

// The section with what it is compared with.
struct View {
  const Draft& draft;
  const BgpConfig& bgp;
  const BgpPlaces& places;
  std::span<const OwnAddress> own;
  FirstLines<IpAddress> vips;
  Problems& problems;
};

FirstLines<IpAddress> vips_of(const Draft& draft) {
  FirstLines<IpAddress> vips;
  for (std::size_t i = 0; i < draft.services.size(); ++i)
    if (draft.services[i].vip)
      static_cast<void>(
          vips.earlier(to_ip_address(draft.model.services[i].vip), draft.services[i].vip));
  return vips;
}

const OwnAddress* find_own(const View& view, const IpAddress& address) {
  const auto found = std::ranges::find_if(
      view.own, [&](const OwnAddress& own) { return to_ip_address(own.address) == address; });
  return found == view.own.end() ? nullptr : &*found;
}

bool is_source(const View& view, const IpAddress& address) {
  return view.draft.source && to_ip_address(view.draft.model.encapsulation.source) == address;
}

// Only of IPv4 the host's addresses are known. encapsulation.source is an address of the host that
// the file is for, whichever host checks it.
bool is_surely_not_own(const View& view, const IpAddress& address) {
  return address.is_v4() && !view.own.empty() && find_own(view, address) == nullptr &&
         !is_source(view, address);
}

// An address that has to be somebody's, and a VIP is nobody's.
bool is_vip(const View& view, const IpAddress& address, const Place& place) {
  const auto line = view.vips.find(address);
  if (line)
    view.problems.error(place, address.to_string() + " is also a VIP, " + at_line(*line) +
                                   "; a VIP is reached by its route only, which is what is "
                                   "announced");
  return line.has_value();
}

void check_peer_address(const View& view, const IpAddress& address, const Place& place) {
  if (is_vip(view, address, place)) return;
  if (const OwnAddress* own = find_own(view, address))
    view.problems.error(place, address.to_string() + " is an address of this host (interface " +
                                   own->interface + "); a peer is a router");
  else if (is_source(view, address))
    view.problems.error(place, address.to_string() + " is also encapsulation.source, " +
                                   at_line(view.draft.source.mark.line) +
                                   ", an address of this host; a peer is a router");
  else if (address.is_v6() && !view.bgp.policy.active.next_hop)
    view.problems.warn(place,
                       "over this session VIPs, which are IPv4, are announced with an IPv6 next "
                       "hop, which takes a router that knows RFC 8950; set next_hop to an IPv4 "
                       "address of this host");
}

void check_local_address(const View& view, const bgp::Peer& peer, const PeerPlaces& places) {
  const IpAddress& local = *peer.local_address;
  const std::string text = local.to_string();
  if (places.address && local.is_v4() != peer.address.is_v4())
    view.problems.error(places.local_address,
                        text + " is not of the family of the peer, " + peer.address.to_string() +
                            "; a session is between two addresses of one family");
  else if (!is_vip(view, local, places.local_address) && is_surely_not_own(view, local))
    view.problems.warn(places.local_address,
                       "this host has no address " + text +
                           ", so that no session can come from it; give it to an interface");
}

void check_peers(const View& view) {
  FirstLines<IpAddress> addresses;
  for (std::size_t i = 0; i < view.places.peers.size(); ++i) {
    const bgp::Peer& peer = view.bgp.speaker.peers[i];
    const PeerPlaces& places = view.places.peers[i];
    if (places.address) {
      if (const auto line = addresses.earlier(peer.address, places.address))
        view.problems.error(places.address, "peer " + peer.address.to_string() + " is already " +
                                                at_line(*line) +
                                                "; with a peer there is one session");
      else
        check_peer_address(view, peer.address, places.address);
    }
    if (places.local_address) check_local_address(view, peer, places);
    if (places.multihop && is_internal(view.bgp.speaker, peer))
      view.problems.error(places.multihop,
                          "peer is in the own AS, " + std::to_string(peer.asn) +
                              ", where a session may have any number of hops; leave it out");
  }
}

// Who of the fleet's own is within the prefix, with where that is said; empty: nobody.
std::string reached_within(const View& view, const Prefix& prefix) {
  const Model& model = view.draft.model;
  const auto next_hop = view.bgp.policy.active.next_hop;
  if (next_hop && view.places.next_hop && prefix.contains(*next_hop))
    return "next_hop, " + at_line(view.places.next_hop.mark.line);
  if (view.draft.source && prefix.contains(to_ip_address(model.encapsulation.source)))
    return "encapsulation.source, " + at_line(view.draft.source.mark.line);
  for (std::size_t i = 0; i < view.places.peers.size(); ++i)
    if (view.places.peers[i].address && prefix.contains(view.bgp.speaker.peers[i].address))
      return "a peer's address, " + at_line(view.places.peers[i].address.mark.line);
  for (std::size_t i = 0; i < view.draft.pools.size(); ++i)
    for (std::size_t j = 0; j < view.draft.pools[i].addresses.size(); ++j)
      if (const Place& place = view.draft.pools[i].addresses[j];
          place && prefix.contains(to_ip_address(model.pools[i].backends[j].address)))
        return "a backend's address, " + at_line(place.mark.line);
  return {};
}

void check_prefix(const View& view, const Prefix& prefix, const Place& place) {
  // Sorted: the first one that is not below the prefix is in it, or none is.
  const auto vip = view.vips.all().lower_bound(prefix.address);
  if (vip == view.vips.all().end() || !prefix.contains(vip->first))
    view.problems.warn(place,
                       "no VIP is within " + prefix.text() + ", so that it is never announced");
  if (const std::string within = reached_within(view, prefix); !within.empty())
    view.problems.warn(place, "a router without a more specific route would send what is for " +
                                  within + ", to this load balancer, as it is within " +
                                  prefix.text());
}

void check_prefixes(const View& view) {
  const auto& prefixes = view.bgp.policy.prefixes;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    const Place& place = view.places.prefixes[i];
    const auto* const before =
        std::find_if(prefixes.data(), prefixes.data() + i, [&](const Prefix& other) {
          return other.contains(prefixes[i].address) || prefixes[i].contains(other.address);
        });
    if (before == prefixes.data() + i) {
      check_prefix(view, prefixes[i], place);
      continue;
    }
    const std::string where =
        at_line(view.places.prefixes[static_cast<std::size_t>(before - prefixes.data())].mark.line);
    if (*before == prefixes[i])
      view.problems.error(
          place, "prefix " + before->text() + " is already " + where + "; a prefix is listed once");
    else
      view.problems.error(place, "prefix " + prefixes[i].text() + " overlaps with " +
                                     before->text() + ", " + where +
                                     "; a VIP is announced by one prefix");
  }
}

void check_next_hop(const View& view) {
  const auto& next_hop = view.bgp.policy.active.next_hop;
  if (!next_hop || !view.places.next_hop || is_vip(view, *next_hop, view.places.next_hop)) return;
  if (is_surely_not_own(view, *next_hop))
    view.problems.warn(view.places.next_hop,
                       "this host has no address " + next_hop->to_string() +
                           ": routers would send the packets for its VIPs to another one");
}

// All load balancers of a fleet have its VIPs.
void check_router_id(const View& view) {
  const std::string& router_id = view.bgp.speaker.router_id;
  const Place& place = view.places.router_id;
  if (!place) return;
  if (const auto line = view.vips.find(boost::asio::ip::make_address(router_id)))
    view.problems.warn(place, router_id + " is also a VIP, " + at_line(*line) +
                                  ", and no other speaker may have this router id; take an address "
                                  "that this host alone has");
}

// The first iBGP peer's position.
std::optional<std::size_t> internal_peer(const View& view) {
  const auto& peers = view.bgp.speaker.peers;
  const auto found = std::ranges::find_if(
      peers, [&](const bgp::Peer& peer) { return is_internal(view.bgp.speaker, peer); });
  if (found == peers.end()) return std::nullopt;
  return static_cast<std::size_t>(found - peers.begin());
}

// Whether routers prefer what an active node announces to what a passive one does.
bool passive_is_worse(const bgp::Policy& policy) {
  constexpr std::uint32_t kUsualPreference = 100;
  const bgp::Attributes &active = policy.active, &passive = policy.passive;
  const std::uint32_t preferred = active.local_preference.value_or(kUsualPreference);
  const std::uint32_t other = passive.local_preference.value_or(preferred);
  // In the order in which routers compare them (RFC 4271, section 9.1).
  if (other != preferred) return other < preferred;
  if (passive.prepend != active.prepend) return passive.prepend > active.prepend;
  return passive.med.value_or(0) > active.med.value_or(0);
}

void check_attributes(const View& view) {
  const auto internal = internal_peer(view);
  const bool known = view.bgp.speaker.mode == bgp::Mode::managed && !view.bgp.speaker.peers.empty();
  if (known && !internal)
    for (const Place* place :
         {&view.places.local_preference, &view.places.passive_local_preference})
      if (*place)
        view.problems.warn(*place,
                           "no peer is in the own AS, and others are not told a local preference");
  if (internal && view.places.prepend && view.bgp.policy.passive.prepend > 0)
    view.problems.error(view.places.prepend,
                        "must be 0, as the peer " +
                            at_line(view.places.peers[*internal].asn.mark.line) +
                            " is in the own AS: there a path with the own number in it is refused");
  else if (view.places.passive && !passive_is_worse(view.bgp.policy))
    view.problems.warn(view.places.passive,
                       "routers would not prefer an active node to a passive one: give the passive "
                       "one a higher med, a lower local_preference or a prepend");
}

}  // namespace

void validate_bgp(const Draft& draft, std::span<const OwnAddress> own, Problems& problems) {
  if (!draft.model.bgp) return;
  const View view{draft, *draft.model.bgp, draft.bgp, own, vips_of(draft), problems};
  check_peers(view);
  check_prefixes(view);
  check_next_hop(view);
  check_router_id(view);
  check_attributes(view);
  if (view.places.role && view.bgp.policy.role == bgp::Role::drain)
    problems.warn(view.places.role, "nothing is announced while the role is drain");
  if (draft.shutdown_drain && draft.model.shutdown.drain == std::chrono::seconds(0))
    problems.warn(draft.shutdown_drain,
                  "packets that routers send before they have taken a withdrawal in are lost; "
                  "leave it out for 5s");
}

}  // namespace guideway::control
