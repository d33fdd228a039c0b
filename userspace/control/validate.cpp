#include "control/validate.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/first_lines.h"
#include "control/validate_bgp.h"
#include "control/words.h"
#include "maglev/table.h"
#include "state/snapshot.h"

namespace guideway::control {
namespace {

// At 100 entries for each backend their shares differ by 1 % (the paper's section 5.3).
constexpr std::uint64_t kEntriesPerBackend = 100;

std::uint32_t prime_from(std::uint64_t number, int step) {
  auto candidate =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(number, maglev::kMaxTableSize));
  while (!maglev::is_prime(candidate)) candidate += static_cast<std::uint32_t>(step);
  return candidate;
}

void check_interfaces(const Draft& draft, Problems& problems) {
  FirstLines<std::string> names;
  for (std::size_t i = 0; i < draft.interfaces.size(); ++i) {
    const Interface& interface = draft.model.interfaces[i];
    const InterfacePlaces& places = draft.interfaces[i];
    if (places.name)
      if (const auto line = names.earlier(interface.name, places.name))
        problems.error(places.name, quoted(interface.name) + " is already " + at_line(*line) +
                                        "; an interface is listed once");
    FirstLines<std::uint32_t> queues;
    for (std::size_t j = 0; j < places.queues.size(); ++j)
      if (const auto line = queues.earlier(interface.queues[j], places.queues[j]))
        problems.error(places.queues[j], "queue " + std::to_string(interface.queues[j]) +
                                             " is already " + at_line(*line) +
                                             "; a queue is listed once");
    if (places.queue_list)
      problems.warn(
          places.queue_list,
          "packets to a VIP that arrive on other queues are dropped; let the NIC spread over "
          "these queues only (ethtool -X), or set queues: all");
  }
}

// About a pool none of whose backends is for new flows, whatever its on_empty.
std::string all_idle(const PoolConfig& pool) {
  const auto drained = std::ranges::count_if(pool.backends, &BackendConfig::drain);
  std::string message = "all backends have weight 0";
  if (drained == std::ssize(pool.backends))
    message = "all backends are drained";
  else if (drained > 0)
    message = "all backends are drained or have weight 0";
  return message + ": new flows to this pool are dropped";
}

void check_table_size(const PoolConfig& pool, const PoolPlaces& places, Problems& problems) {
  const Place& where = places.table_size ? places.table_size : places.backends;
  if (!maglev::is_prime(pool.table_size)) {
    problems.error(where, "must be a prime; the nearest to " + std::to_string(pool.table_size) +
                              " are " + std::to_string(prime_from(pool.table_size, -1)) + " and " +
                              std::to_string(prime_from(pool.table_size, 1)));
    return;
  }
  if (!places.backends) return;
  const std::string count = std::to_string(pool.backends.size());
  if (pool.backends.size() > maglev::kMaxMembers) {
    problems.error(places.backends, "a pool has at most " + std::to_string(maglev::kMaxMembers) +
                                        " backends, not " + count);
    return;
  }
  const auto active = static_cast<std::size_t>(std::ranges::count_if(
      pool.backends, [](const auto& backend) { return backend.weight > 0 && !backend.drain; }));
  const std::string size = std::to_string(pool.table_size);
  const std::string right =
      std::to_string(prime_from(kEntriesPerBackend * std::max<std::size_t>(active, 1), 1));
  if (pool.backends.size() > pool.table_size)
    problems.error(where, "table_size " + size + " is less than the number of backends, " + count +
                              "; set it to " + right + " or a larger prime");
  else if (active == 0)
    problems.warn(places.backends, all_idle(pool));
  else if (active > 1 && pool.table_size < kEntriesPerBackend * active)
    problems.warn(where, "table_size " + size + " is less than 100 for each of " +
                             std::to_string(active) +
                             " backends, so that their shares are uneven; set it to " + right +
                             " or a larger prime");
}

// Answers where each backend's address stands first.
FirstLines<Ipv4Address> check_pools(const Draft& draft, Problems& problems) {
  FirstLines<Ipv4Address> backends;
  FirstLines<std::string> names;
  std::size_t count = 0;
  for (std::size_t i = 0; i < draft.pools.size(); ++i) {
    const PoolConfig& pool = draft.model.pools[i];
    const PoolPlaces& places = draft.pools[i];
    if (places.name)
      if (const auto line = names.earlier(pool.name, places.name))
        problems.error(places.name, "pool " + quoted(pool.name) + " is already " + at_line(*line) +
                                        "; pools differ by name");
    FirstLines<Ipv4Address> addresses;
    for (std::size_t j = 0; j < places.addresses.size(); ++j) {
      const Ipv4Address address = pool.backends[j].address;
      if (!places.addresses[j]) continue;
      static_cast<void>(backends.earlier(address, places.addresses[j]));
      if (const auto line = addresses.earlier(address, places.addresses[j]))
        problems.error(places.addresses[j], "backend " + address.text() + " is already " +
                                                at_line(*line) + "; a pool has an address once");
    }
    check_table_size(pool, places, problems);
    if (places.min_healthy && places.backends && pool.min_healthy > pool.backends.size())
      problems.error(places.min_healthy, "min_healthy " + std::to_string(pool.min_healthy) +
                                             " is more than the number of backends, " +
                                             std::to_string(pool.backends.size()));
    count += pool.backends.size();
  }
  if (count > kMaxBackendSlots)
    problems.error(draft.pool_list, "all pools together have at most " +
                                        std::to_string(kMaxBackendSlots) + " backends, not " +
                                        std::to_string(count));
  return backends;
}

std::string is_own(const OwnAddress& own) {
  const std::string address = own.address.text();
  return address + " is an address of this host (interface " + own.interface +
         "); a VIP must be an address that no load balancer has for itself: ip address del " +
         address + "/" + std::to_string(own.prefix_length) + " dev " + own.interface;
}

void check_vips(const Draft& draft, const FirstLines<Ipv4Address>& backends,
                std::span<const OwnAddress> own, Problems& problems) {
  std::map<Ipv4Address, const OwnAddress*> taken;
  for (const OwnAddress& address : own) taken.try_emplace(address.address, &address);
  for (std::size_t i = 0; i < draft.services.size(); ++i) {
    const Place& place = draft.services[i].vip;
    const Ipv4Address vip = draft.model.services[i].vip;
    if (!place) continue;
    if (const auto line = backends.find(vip))
      problems.error(place, vip.text() + " is also a backend's address, " + at_line(*line) +
                                "; a VIP must be an address that no backend is reached by");
    if (draft.source && vip == draft.model.encapsulation.source)
      problems.error(place, vip.text() + " is also encapsulation.source, " +
                                at_line(draft.source.mark.line) +
                                "; a VIP must be an address that no load balancer has for itself");
    else if (const auto found = taken.find(vip); found != taken.end())
      problems.error(place, is_own(*found->second));
    if (draft.metrics_listen && vip == draft.model.metrics.address)
      problems.error(place, vip.text() + " is also where metrics.listen is, " +
                                at_line(draft.metrics_listen.mark.line) +
                                "; packets to a VIP go to backends, whatever their port");
  }
}

void check_endpoints(const Draft& draft, Problems& problems) {
  FirstLines<std::string> names;
  FirstLines<Endpoint> endpoints;
  std::size_t count = 0;
  for (std::size_t i = 0; i < draft.services.size(); ++i) {
    const ServiceConfig& service = draft.model.services[i];
    const ServicePlaces& places = draft.services[i];
    if (places.name)
      if (const auto line = names.earlier(service.name, places.name))
        problems.error(places.name, "service " + quoted(service.name) + " is already " +
                                        at_line(*line) + "; services differ by name");
    count += service.endpoints.size();
    if (!places.vip) continue;
    for (std::size_t j = 0; j < places.ports.size(); ++j)
      if (const auto line = endpoints.earlier(service.endpoints[j], places.ports[j]))
        problems.error(places.ports[j], service.endpoints[j].text() + " is already " +
                                            at_line(*line) +
                                            "; a port of a VIP is in one service only");
  }
  if (count > kMaxServiceSlots)
    problems.error(draft.service_list, "all services together have at most " +
                                           std::to_string(kMaxServiceSlots) + " ports, not " +
                                           std::to_string(count));
}

std::string no_such_pool(const Model& model, std::string_view name) {
  constexpr std::size_t kCompared = 256, kShown = 10;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::min(model.pools.size(), kCompared); ++i)
    names.push_back(model.pools[i].name);
  const std::string message = "there is no pool " + quoted(name) + "; ";
  if (const auto near = nearest(name, names))
    return message + "did you mean " + quoted(*near) + "?";
  const std::string more =
      std::to_string(model.pools.size() - std::min(names.size(), kShown)) + " more";
  if (names.size() > kShown) {
    names.resize(kShown);
    names.push_back(more);
  }
  return message + "the pools are " + joined(names, "and");
}

void resolve_pools(Draft& draft, Problems& problems) {
  // A name that was not readable may be the one that is missed.
  const bool all_named = std::ranges::all_of(
      draft.pools, [](const PoolPlaces& places) { return static_cast<bool>(places.name); });
  std::unordered_map<std::string_view, std::size_t> by_name;
  for (std::size_t i = 0; i < draft.pools.size(); ++i)
    by_name.try_emplace(draft.model.pools[i].name, i);
  std::vector<bool> used(draft.pools.size());
  for (std::size_t i = 0; i < draft.services.size(); ++i) {
    const ServicePlaces& places = draft.services[i];
    if (!places.pool) continue;
    if (const auto found = by_name.find(places.pool_name); found != by_name.end()) {
      draft.model.services[i].pool = found->second;
      used[found->second] = true;
    } else if (all_named && !draft.pools.empty()) {
      problems.error(places.pool,
                     problems.errors_full() ? "" : no_such_pool(draft.model, places.pool_name));
    }
  }
  for (std::size_t i = 0; i < draft.pools.size(); ++i)
    if (!used[i] && draft.pools[i].name)
      problems.warn(draft.pools[i].name,
                    "no service uses pool " + quoted(draft.model.pools[i].name));
}

// Which VIPs there are, as far as the file could be read.
struct Vips {
  std::set<Ipv4Address> all;
  std::unordered_map<std::string_view, std::set<Ipv4Address>> of_pool;  // by the pool's name
  bool complete = true;  // false: there are services of which this is not known
};

Vips vips_of(const Draft& draft) {
  Vips vips;
  vips.complete = !draft.services.empty();
  for (std::size_t i = 0; i < draft.services.size(); ++i) {
    const ServicePlaces& places = draft.services[i];
    if (!places.vip || !places.pool) vips.complete = false;
    if (!places.vip) continue;
    vips.all.insert(draft.model.services[i].vip);
    if (places.pool) vips.of_pool[places.pool_name].insert(draft.model.services[i].vip);
  }
  return vips;
}

// A check that names no VIP gets the one that its pool is for.
void resolve_vip(const PoolConfig& pool, const Place& tunnel, const Vips& vips,
                 probe::Question& question, Problems& problems) {
  static const std::set<Ipv4Address> kNone;
  const auto found = vips.of_pool.find(pool.name);
  const std::set<Ipv4Address>& own = found == vips.of_pool.end() ? kNone : found->second;
  if (own.size() == 1) question.vip = *own.begin();
  if (own.size() > 1)
    problems.error(tunnel, "the services of pool " + quoted(pool.name) + " have " +
                               std::to_string(own.size()) +
                               " VIPs; name the one to ask through the tunnel with the key vip, "
                               "such as vip: " +
                               own.begin()->text());
  if (own.empty() && vips.complete)
    problems.error(tunnel, "no service uses pool " + quoted(pool.name) +
                               ", so that there is no VIP to ask through the tunnel; name one with "
                               "the key vip");
}

void resolve_tunnels(Draft& draft, Problems& problems) {
  const Vips vips = vips_of(draft);
  for (std::size_t i = 0; i < draft.pools.size(); ++i) {
    PoolConfig& pool = draft.model.pools[i];
    for (std::size_t j = 0; j < draft.pools[i].checks.size(); ++j) {
      const CheckPlaces& places = draft.pools[i].checks[j];
      probe::Question& question = pool.checks[j].question;
      if (places.tunnel && draft.pools[i].name)
        resolve_vip(pool, places.tunnel, vips, question, problems);
      if (places.vip && vips.complete && !vips.all.contains(*question.vip))
        problems.error(places.vip, question.vip->text() +
                                       " is the VIP of no service; must be one that a service of "
                                       "this file has, such as " +
                                       vips.all.begin()->text());
    }
  }
}

}  // namespace

void validate(Draft& draft, std::span<const OwnAddress> own, Problems& problems) {
  check_interfaces(draft, problems);
  const FirstLines<Ipv4Address> backends = check_pools(draft, problems);
  check_vips(draft, backends, own, problems);
  check_endpoints(draft, problems);
  resolve_pools(draft, problems);
  resolve_tunnels(draft, problems);
  validate_bgp(draft, own, problems);
}

}  // namespace guideway::control
