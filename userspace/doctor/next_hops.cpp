#include "doctor/next_hops.h"

#include <linux/neighbour.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "control/netlink.h"
#include "control/own_addresses.h"
#include "core/unique_fd.h"

namespace guideway::doctor {
namespace {

namespace netlink = control::netlink;

Unknown unknown_of(const Error& error) {
  Unknown unknown = unknown_errno("", error.number);
  unknown.because = error.what;
  return unknown;
}

RouteFact::Kind kind_of(netlink::Route::Kind kind) {
  switch (kind) {
    case netlink::Route::Kind::local: return RouteFact::Kind::local;
    case netlink::Route::Kind::unsupported: return RouteFact::Kind::unsupported;
    case netlink::Route::Kind::unicast: return RouteFact::Kind::unicast;
    case netlink::Route::Kind::none: break;
  }
  return RouteFact::Kind::none;
}

// The source that the kernel chooses: that of a datagram socket, to which nothing is sent.
std::optional<Ipv4Address> chosen_source(Ipv4Address destination) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = Be16(9).wire();  // discard; any will do
  address.sin_addr.s_addr = destination.wire().wire();
  auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  socklen_t size = sizeof address;
  if (!socket.valid() || ::connect(socket.get(), generic, size) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0)
    return std::nullopt;
  return Ipv4Address(Be32::from_wire(address.sin_addr.s_addr));
}

class Reader {
 public:
  Reader(netlink::Requests requests, std::vector<netlink::Link> links, Ipv4Address source,
         bool own_source)
      : requests_(std::move(requests)),
        links_(std::move(links)),
        source_(source),
        own_source_(own_source) {}

  BackendFacts read(Ipv4Address backend) {
    BackendFacts facts{.address = backend, .route = {}, .neighbour = {}};
    const auto route = requests_.route(backend, own_source_ ? source_ : Ipv4Address());
    if (!route) {
      facts.route = unknown_of(route.error());
      facts.neighbour = facts.route.unknown();
      return facts;
    }
    facts.route = describe(*route, backend);
    facts.neighbour = route->kind == netlink::Route::Kind::unicast
                          ? neighbour(route->device, route->gateway.value_or(backend))
                          : Unknown{Why::not_there, "there is no route by a device"};
    return facts;
  }

 private:
  RouteFact describe(const netlink::Route& route, Ipv4Address backend) const {
    RouteFact fact;
    fact.kind = kind_of(route.kind);
    fact.from_source = own_source_;
    fact.source = chosen_source(backend);
    if (route.kind != netlink::Route::Kind::unicast) return fact;
    fact.device_index = route.device;
    fact.gateway = route.gateway;
    fact.mtu_bytes = route.mtu;
    const auto link = std::ranges::find(links_, route.device, &netlink::Link::device);
    if (link == links_.end()) return fact;
    fact.device = link->name;
    fact.mtu_bytes = route.mtu == 0 ? link->mtu : std::min(route.mtu, link->mtu);
    fact.device_running = link->running;
    fact.device_ethernet = link->ethernet;
    return fact;
  }

  Fact<NeighbourFact> neighbour(std::uint32_t device, Ipv4Address address) {
    const auto found = requests_.neighbour(device, address);
    if (!found) return unknown_of(found.error());
    NeighbourFact fact{.address = address, .state = NeighbourFact::State::none, .mac = {}};
    if (!*found) return fact;
    fact.state = neighbour_state((*found)->state);
    if ((*found)->has_mac) fact.mac = (*found)->mac;
    return fact;
  }

  netlink::Requests requests_;
  std::vector<netlink::Link> links_;
  Ipv4Address source_;
  bool own_source_;
};

bool is_own(Ipv4Address address) {
  const auto own = control::own_addresses();
  return own && std::ranges::find(*own, address, &control::OwnAddress::address) != own->end();
}

}  // namespace

NeighbourFact::State neighbour_state(std::uint16_t mask) {
  using State = NeighbourFact::State;
  if ((mask & NUD_PERMANENT) != 0) return State::permanent;
  if ((mask & NUD_NOARP) != 0) return State::noarp;
  if ((mask & NUD_REACHABLE) != 0) return State::reachable;
  if ((mask & NUD_STALE) != 0) return State::stale;
  if ((mask & NUD_DELAY) != 0) return State::delay;
  if ((mask & NUD_PROBE) != 0) return State::probe;
  if ((mask & NUD_FAILED) != 0) return State::failed;
  if ((mask & NUD_INCOMPLETE) != 0) return State::incomplete;
  return State::none;
}

std::vector<BackendFacts> read_next_hops(std::span<const Ipv4Address> backends,
                                         Ipv4Address source) {
  std::vector<BackendFacts> result;
  auto requests = netlink::Requests::open();
  auto links = requests ? requests->links() : std::unexpected(requests.error());
  if (!links) {
    const Unknown unknown = unknown_of(links.error());
    for (const Ipv4Address backend : backends)
      result.push_back({.address = backend, .route = unknown, .neighbour = unknown});
    return result;
  }
  Reader reader(std::move(*requests), std::move(*links), source, is_own(source));
  for (const Ipv4Address backend : backends) result.push_back(reader.read(backend));
  return result;
}

}  // namespace guideway::doctor
