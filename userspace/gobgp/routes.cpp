#include "gobgp/routes.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "gobgp/speaker.h"

namespace guideway::gobgp {
namespace {

bool by_prefix(const bgp::Route& a, const bgp::Route& b) { return a.prefix < b.prefix; }

// GoBGP lists them in an order that is another each time.
std::vector<LocalPath> sorted(std::vector<LocalPath> paths) {
  std::ranges::sort(paths, {}, [](const LocalPath& path) {
    return std::tuple(path.prefix, path.identifier, path.source_asn);
  });
  return paths;
}

// Whether an unwanted path is ours to take away.
bool is_in_charge(const LocalPath& path, const bgp::Wanted& wanted,
                  const std::map<bgp::Prefix, const bgp::Route*>& routes) {
  return wanted.config.mode == bgp::Mode::managed || path.identifier == kPathIdentifier ||
         routes.contains(path.prefix) || wanted.own.contains(path.prefix);
}

// While it is not known what is wanted: a look, and nothing else.
RoutePlan look_only(const std::vector<LocalPath>& paths) {
  RoutePlan result;
  for (const LocalPath& path : paths) {
    if (path.is_ours())
      result.held.push_back({path.prefix, path.attributes.value_or(bgp::Attributes{})});
    else
      ++result.foreign;
  }
  std::ranges::sort(result.held, by_prefix);
  return result;
}

std::string text(const bgp::Route& route) {
  const std::string attributes = route.attributes.text();
  return route.prefix.text() + (attributes.empty() ? "" : ", " + attributes);
}

std::string why_removed(const LocalPath& path) {
  if (path.identifier == kPathIdentifier) return ", which nobody wants";
  return ", which is not Guideway's (path identifier " + std::to_string(path.identifier) + ")";
}

Result<> give(Client& client, const bgp::Route& route, std::uint32_t own_asn) {
  return client.add_path(to_path(route, own_asn), route.prefix);
}

}  // namespace

RoutePlan plan(const std::vector<LocalPath>& paths, const bgp::Wanted& wanted) {
  if (wanted.routes_unknown) return look_only(paths);
  RoutePlan result;
  std::map<bgp::Prefix, const bgp::Route*> routes;
  for (const bgp::Route& route : wanted.routes) routes.emplace(route.prefix, &route);
  std::set<bgp::Prefix> there;
  for (const LocalPath& path : sorted(paths)) {
    const auto route = routes.find(path.prefix);
    if (path.is_ours() && route != routes.end() && there.insert(path.prefix).second) {
      if (path.attributes != route->second->attributes) result.change.push_back(*route->second);
    } else if (is_in_charge(path, wanted, routes)) {
      result.remove.push_back(path);
    } else {
      ++result.foreign;
    }
  }
  for (const bgp::Route& route : wanted.routes)
    if (!there.contains(route.prefix)) result.add.push_back(route);
  result.held = wanted.routes;
  std::ranges::sort(result.held, by_prefix);
  return result;
}

Result<> carry_out(Client& client, const RoutePlan& plan, std::uint32_t own_asn,
                   bgp::Report& report) {
  for (const bgp::Route& route : plan.add) {
    if (auto added = give(client, route, own_asn); !added) return added;
    report.done.push_back("added " + text(route));
    ++report.added;
  }
  for (const bgp::Route& route : plan.change) {
    if (auto changed = give(client, route, own_asn); !changed) return changed;
    report.done.push_back("changed " + text(route));
    ++report.changed;
  }
  for (const LocalPath& path : plan.remove)
    if (auto removed = remove_path(client, path, report); !removed) return removed;
  report.held = plan.held;
  return {};
}

Result<> remove_path(Client& client, const LocalPath& path, bgp::Report& report) {
  if (auto removed = client.delete_path(withdrawal_of(path), path.prefix); !removed) return removed;
  report.done.push_back("deleted " + path.prefix.text() + why_removed(path));
  ++report.deleted;
  return {};
}

Result<> for_each_local_path(Client& client, const Client::Listing& listing, std::uint32_t own_asn,
                             const std::function<void(LocalPath path)>& visit) {
  return client.list_paths(listing, [&](const apipb::Destination& destination) {
    for (const apipb::Path& path : destination.paths())
      if (auto local = to_local_path(destination, path, own_asn)) visit(*std::move(local));
  });
}

}  // namespace guideway::gobgp
