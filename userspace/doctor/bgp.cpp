#include "doctor/bgp.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "bgp/endpoint.h"
#include "doctor/next_hops.h"

namespace guideway::doctor {
namespace {

constexpr std::chrono::seconds kPatience{1};

// 0, or why the connection did not come about.
int reach(const std::string& api) {
  const auto endpoint = bgp::parse_endpoint(api);
  if (!endpoint) return EINVAL;
  const auto connected = bgp::try_to_connect(*endpoint, kPatience);
  return connected ? 0 : connected.error().number;
}

Fact<std::string> find_gobgpd(const Root& root) {
  for (const char* folder : {"usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"}) {
    const auto path = root / folder / "gobgpd";
    if (::access(path.c_str(), X_OK) == 0) return "/" + std::string(folder) + "/gobgpd";
  }
  return Unknown{Why::not_there, "looking for gobgpd: it is in none of the usual folders"};
}

PeerFacts read_peer(const bgp::Peer& peer) {
  PeerFacts facts{.address = peer.address.to_string(), .route = {}, .neighbour = {}};
  const auto address = Ipv4Address::parse(facts.address);
  if (!address) {
    facts.route = Unknown{Why::not_supported, "routes of IPv6 are not read"};
    facts.neighbour = facts.route.unknown();
    return facts;
  }
  Ipv4Address source;
  if (peer.local_address)
    source = Ipv4Address::parse(peer.local_address->to_string()).value_or(Ipv4Address());
  const BackendFacts way = read_next_hops({&*address, 1}, source).front();
  facts.route = way.route;
  facts.neighbour = way.neighbour;
  return facts;
}

}  // namespace

Fact<ApiFact> read_api(const std::string& api) {
  const int error = reach(api);
  switch (error) {
    case 0: return ApiFact{.listens = true, .cause = {}};
    case ENOENT:
    case ENOTDIR:
    case ENOTSOCK:
    case ECONNREFUSED:
    case ETIMEDOUT:
    case ENETUNREACH:
    case EHOSTUNREACH: return ApiFact{.listens = false, .cause = std::strerror(error)};
    default: return unknown_errno("connecting to " + api, error);
  }
}

BgpFacts read_bgp(const control::BgpConfig& config, const Root& root) {
  BgpFacts facts{.api = config.speaker.api,
                 .answer = read_api(config.speaker.api),
                 .gobgpd = find_gobgpd(root),
                 .peers = {}};
  for (const bgp::Peer& peer : config.speaker.peers) facts.peers.push_back(read_peer(peer));
  return facts;
}

}  // namespace guideway::doctor
