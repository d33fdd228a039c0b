// The way to the backends: routes, next hops, and the address that packets come from. What is amiss
// with many backends in the same way is one finding.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "doctor/judge_parts.h"
#include "net/encapsulation.h"

namespace guideway::doctor {
namespace {

constexpr std::uint32_t kEgressMtu = 1500 + kOuterIpBytes;
constexpr std::uint32_t kStrict = 1;  // of rp_filter; 2 is loose, and the greater one counts

using Addresses = std::vector<std::string>;

// With more of them a route for each backend is not what the network needs.
constexpr std::size_t kMostCommands = 6;

bool is_served(const Case& seen, const std::string& device) {
  return std::ranges::any_of(seen.facts.interfaces, [&](const InterfaceFacts& one) {
    return one.exists && (one.name == device || one.kernel_name == device);
  });
}

// The next hop on a served interface that most backends have, for those that have none.
struct GoodHop {
  std::string device, gateway;  // gateway: empty: on the link
};

GoodHop usual_hop(const Case& seen) {
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (const BackendFacts& backend : seen.facts.backends)
    if (backend.route.known() && backend.route->kind == RouteFact::Kind::unicast &&
        backend.route->gateway.has_value() && is_served(seen, backend.route->device))
      ++counts[{backend.route->device, backend.route->gateway->text()}];
  const auto most = std::ranges::max_element(
      counts, [](const auto& left, const auto& right) { return left.second < right.second; });
  if (most != counts.end()) return {most->first.first, most->first.second};
  return {seen.model->interfaces.front().name, {}};
}

Mend route_by(const Case& seen, const Addresses& backends) {
  if (std::ranges::none_of(seen.facts.interfaces, &InterfaceFacts::exists))
    return Mend::by_hand("interfaces: in " + seen.file + ", first of all");
  const GoodHop hop = usual_hop(seen);
  if (hop.gateway.empty() || backends.size() > kMostCommands)
    return Mend::by_hand("ip route replace " + backends.front() + "/32 via GATEWAY dev " +
                         hop.device + ", with the gateway of that network");
  std::string command;
  for (const std::string& backend : backends)
    command += (command.empty() ? "" : " && ") + ("ip route replace " + backend) + "/32 via " +
               hop.gateway + " dev " + hop.device;
  return Mend::by_command(command, "the network configuration of this host");
}

class Backends {
 public:
  Backends(const Case& seen, Report& report) : seen_(seen), report_(report) {}

  void judge() {
    for (const BackendFacts& backend : seen_.facts.backends) sort(backend);
    say_unreachable();
    say_elsewhere();
    say_device();
    say_narrow();
    say_neighbours();
    if (!amiss_ && !seen_.facts.backends.empty())
      report_.ok("routes", "each backend is reached by an interface that is served");
  }

 private:
  void sort(const BackendFacts& backend) {
    const std::string address = backend.address.text();
    if (!report_.seen(backend.route, "routes", "the routes to the backends")) return;
    const RouteFact& route = *backend.route;
    switch (route.kind) {
      case RouteFact::Kind::none: no_route_.push_back(address); return;
      case RouteFact::Kind::local: own_.push_back(address); return;
      case RouteFact::Kind::unsupported: by_ipv6_.push_back(address); return;
      case RouteFact::Kind::unicast: break;
    }
    if (!is_served(seen_, route.device)) {
      elsewhere_[route.device].push_back(address);
      return;
    }
    if (!route.device_ethernet) no_macs_[route.device].push_back(address);
    if (!route.device_running) down_[route.device].push_back(address);
    if (route.mtu_bytes < kEgressMtu && route.mtu_bytes < device_mtu(route.device))
      narrow_[route.mtu_bytes].push_back(address);
    if (route.device_running && backend.neighbour.known()) sort_neighbour(backend);
  }

  void sort_neighbour(const BackendFacts& backend) {
    using State = NeighbourFact::State;
    const NeighbourFact& neighbour = *backend.neighbour;
    const std::string key = neighbour.address.text() + " on " + backend.route->device;
    if (neighbour.state == State::failed || neighbour.state == State::incomplete)
      silent_[key].push_back(backend.address.text());
    else if (neighbour.state == State::none)
      unasked_.push_back(backend.address.text());
    else
      ++answering_;
  }

  std::uint32_t device_mtu(const std::string& device) const {
    for (const InterfaceFacts& one : seen_.facts.interfaces)
      if ((one.name == device || one.kernel_name == device) && one.mtu_bytes.known())
        return *one.mtu_bytes;
    return 0;
  }

  void complain(Severity severity, const char* check, std::string text, Mend mend = {}) {
    amiss_ = true;
    report_.say(severity, check, std::move(text), std::move(mend));
  }

  void say_unreachable() {
    if (!no_route_.empty())
      complain(Severity::error, "no_route", "no route leads to " + listed(no_route_),
               route_by(seen_, no_route_));
    if (!own_.empty())
      complain(Severity::error, "own_address",
               listed(own_) + " is an address of this host: packets to it do not leave",
               Mend::by_hand("pools[].backends: in " + seen_.file));
    if (!by_ipv6_.empty())
      complain(Severity::error, "ipv6_gateway",
               "the route to " + listed(by_ipv6_) + " has an IPv6 gateway, which is not supported",
               route_by(seen_, by_ipv6_));
  }

  void say_elsewhere() {
    for (const auto& [device, backends] : elsewhere_)
      complain(Severity::error, "other_interface",
               listed(backends) + ": reached through " + device +
                   ", which is not served: packets are dropped (no_next_hop)",
               route_by(seen_, backends));
  }

  void say_device() {
    for (const auto& [device, backends] : down_)
      complain(Severity::error, "device_down",
               listed(backends) + ": reached through " + device + ", which does not run");
    for (const auto& [device, backends] : no_macs_)
      complain(Severity::error, "no_macs",
               listed(backends) + ": reached through " + device +
                   ", which has no MAC addresses and is not supported");
  }

  void say_narrow() {
    for (const auto& [mtu_bytes, backends] : narrow_)
      complain(Severity::warning, "route_mtu",
               "the route to " + listed(backends) + " has an MTU of " + std::to_string(mtu_bytes) +
                   ", less than its interface: packets of 1500 bytes do not fit with the outer "
                   "headers (too_big)",
               Mend::by_hand("ip route show to match " + backends.front() +
                             ", and ip route flush cache where the MTU was learnt"));
  }

  void say_neighbours() {
    for (const auto& [next_hop, backends] : silent_)
      complain(none_gets_packets(backends) ? Severity::warning : Severity::error, "next_hop",
               "the next hop " + next_hop + " does not answer ARP: " + listed(backends) +
                   (backends.size() == 1 ? " is" : " are") + " behind it",
               Mend::by_hand("is that host up, and on the same network? ip neigh; arping -I " +
                             next_hop.substr(next_hop.rfind(' ') + 1) + " " +
                             next_hop.substr(0, next_hop.find(' '))));
    if (!unasked_.empty() && seen_.running == nullptr)
      report_.ok("next_hop",
                 "not asked yet for its MAC address, as no daemon runs: " + listed(unasked_));
    if (answering_ != 0 && silent_.empty())
      report_.ok("next_hop", "the next hops of " + counted(answering_, "backend") + " answer");
  }

  // A daemon runs, and finds each of them down.
  bool none_gets_packets(const Addresses& backends) const {
    const std::set<std::string_view> of(backends.begin(), backends.end());
    return seen_.running != nullptr &&
           std::ranges::none_of(seen_.running->backends, [&](const RunningBackend& one) {
             return of.contains(one.address) && gets_packets(*seen_.running, one);
           });
  }

  const Case& seen_;
  Report& report_;
  Addresses no_route_, own_, by_ipv6_, unasked_;
  std::map<std::string, Addresses> elsewhere_, down_, no_macs_, silent_;
  std::map<std::uint32_t, Addresses> narrow_;
  std::size_t answering_ = 0;
  bool amiss_ = false;
};

void judge_source(const Case& seen, Report& report) {
  const std::string source = seen.model->encapsulation.source.text();
  if (!report.seen(seen.facts.host.addresses, "source", "the addresses of this host")) return;
  const bool own = std::ranges::any_of(*seen.facts.host.addresses, [&](const auto& one) {
    return one.address == seen.model->encapsulation.source;
  });
  if (own) {
    report.ok("source", source + ", from which packets come, is an address of this host");
    return;
  }
  const bool tunnel = checks_through_tunnel(*seen.model);
  report.say(tunnel ? Severity::error : Severity::warning, "source",
             "encapsulation.source " + source + " is no address of this host: " +
                 (tunnel ? "checks through the tunnel cannot be asked"
                         : "networks that check sources drop what is sent"),
             // Not a command: where the file was copied, the address is another load balancer's,
             // and both would answer for it.
             Mend::by_hand("encapsulation.source: in " + seen.file +
                           " with an address of this host (ip -4 -brief address); or, where no "
                           "other host has it, ip address add " +
                           source + "/32 dev " + seen.model->interfaces.front().name));
}

// A dot in the name of an interface is none between parts of the name of a sysctl.
std::string as_sysctl(std::string interface) {
  std::ranges::replace(interface, '.', '/');
  return interface;
}

// Answers of checks through the tunnel come from the VIP, to this host's kernel.
void judge_rp_filter(const Case& seen, Report& report) {
  if (!checks_through_tunnel(*seen.model)) return;
  const auto& all = seen.facts.host.rp_filter_all;
  if (!report.seen(all, "rp_filter", "net.ipv4.conf.all.rp_filter")) return;
  bool strict = false;
  for (const InterfaceFacts& one : seen.facts.interfaces) {
    if (!one.exists || !one.rp_filter.known() || std::max(*one.rp_filter, *all) != kStrict)
      continue;
    strict = true;
    const std::string name = one.kernel_name.empty() ? one.name : one.kernel_name;
    report.say(Severity::warning, "rp_filter",
               "reverse path filtering is strict on " + name +
                   ": answers of checks through the tunnel are dropped where the route to their "
                   "VIP leaves by another interface",
               sysctl("net.ipv4.conf." + as_sysctl(name) + ".rp_filter", "2"));
  }
  if (!strict) report.ok("rp_filter", "reverse path filtering lets answers from VIPs pass");
}

}  // namespace

void judge_backends(const Case& seen, Desk& desk) {
  Report report = desk.report("way to the backends");
  Backends(seen, report).judge();
  judge_source(seen, report);
  judge_rp_filter(seen, report);
}

}  // namespace guideway::doctor
