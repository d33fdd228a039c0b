#include "gobgp/external.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gobgp/paths.h"
#include "gobgp/routes.h"
#include "gobgp/speaker.h"

namespace guideway::gobgp {
namespace {

Result<> check_speaker(const Client& client, const apipb::Global& global,
                       const bgp::SpeakerConfig& config) {
  if (global.asn() == 0)
    return fail(client.name() + ": runs no BGP: it has no configuration",
                "give gobgpd its configuration file, or set bgp.mode: managed");
  if (config.asn != 0 && config.asn != global.asn())
    return fail(client.name() + ": runs as AS " + std::to_string(global.asn()) + ", not " +
                    std::to_string(config.asn),
                "bgp.local_asn has to be gobgpd's, or is left out");
  return {};
}

// Prefixes that are ours to decide on, of one family.
std::vector<bgp::Prefix> prefixes_of(const bgp::Wanted& wanted, bool v4) {
  std::set<bgp::Prefix> result;
  for (const bgp::Prefix& prefix : wanted.own)
    if (prefix.address.is_v4() == v4) result.insert(prefix);
  for (const bgp::Route& route : wanted.routes)
    if (route.prefix.address.is_v4() == v4) result.insert(route.prefix);
  return {result.begin(), result.end()};
}

Result<std::vector<LocalPath>> find(Client& client, std::uint32_t own_asn,
                                    const bgp::Wanted& wanted) {
  std::vector<LocalPath> paths;
  for (const bool v4 : {true, false}) {
    const Client::Listing listing{.family = v4 ? family_v4() : family_v6(),
                                  .prefixes = prefixes_of(wanted, v4)};
    if (listing.prefixes.empty()) continue;  // that would be all
    const auto listed = for_each_local_path(
        client, listing, own_asn, [&](LocalPath path) { paths.push_back(std::move(path)); });
    if (!listed) return std::unexpected(listed.error());
  }
  return paths;
}

}  // namespace

Result<> External::reconcile(Client& client, const apipb::Global& global, const bgp::Wanted& wanted,
                             bgp::Report& report) {
  report.asn = global.asn();
  report.router_id = global.router_id();
  // One without BGP has no routes either.
  if (global.asn() == 0 && wanted.routes_unknown) return {};
  if (auto right = check_speaker(client, global, wanted.config); !right) return right;
  const auto paths = find(client, global.asn(), wanted);
  if (!paths) return std::unexpected(paths.error());
  return carry_out(client, plan(*paths, wanted), global.asn(), report);
}

Result<> External::remove_old_routes(Client& client, const bgp::Wanted& wanted,
                                     std::uint64_t channel, bgp::Report& report) {
  report.foreign = foreign_;
  const Time begin = clock_();
  // A search that took too long has cost the channel; the next one is no reason to begin again.
  const bool is_new = channel != searched_channel_ && !gave_up_;
  if (wanted.routes_unknown || (begin < next_search_ && !is_new)) return {};
  searched_channel_ = channel;
  auto searched = search(client, wanted, report);
  next_search_ = begin + std::max<Time::duration>(kSearchPeriod, (clock_() - begin) * kSearchShare);
  gave_up_ = !searched && searched.error().number == ETIMEDOUT;
  report.foreign = foreign_;
  if (!gave_up_) return searched;
  report.notes.push_back("gave up looking for old routes: " + searched.error().text());
  return {};
}

Result<> External::search(Client& client, const bgp::Wanted& wanted, bgp::Report& report) {
  std::vector<LocalPath> old;
  std::uint64_t foreign = 0;
  for (const bool v4 : {true, false}) {
    const std::vector<bgp::Prefix> decided = prefixes_of(wanted, v4);
    const Client::Listing listing{.family = v4 ? family_v4() : family_v6(), .brief = true};
    const auto listed = for_each_local_path(client, listing, report.asn, [&](LocalPath path) {
      if (std::ranges::binary_search(decided, path.prefix)) return;
      if (path.identifier == kPathIdentifier)
        old.push_back(std::move(path));
      else
        ++foreign;
    });
    if (!listed) return listed;
  }
  foreign_ = foreign;
  for (const LocalPath& path : old)
    if (auto removed = remove_path(client, path, report); !removed) return removed;
  return {};
}

}  // namespace guideway::gobgp
