// The routes that are wanted, and those that GoBGP has: what is to be done, and doing it. Private
// to this folder.
//
// A path is ours by its identifier. Another local path to a prefix of ours is taken away: GoBGP
// would choose between the two, and a withdrawal of ours would withdraw nothing.
//
// Added and changed before deleted. plan() is pure; threads of the others: as Client.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bgp/speaker.h"
#include "gobgp/client.h"
#include "gobgp/paths.h"

namespace guideway::gobgp {

struct RoutePlan {
  std::vector<bgp::Route> add;
  std::vector<bgp::Route> change;  // ours is there, with other attributes
  std::vector<LocalPath> remove;
  std::vector<bgp::Route> held;  // of ours, when all of this is done, sorted by prefix
  std::uint64_t foreign = 0;     // left alone
};

// `paths`: all local ones, or in external mode at least those to wanted and own prefixes.
[[nodiscard]] RoutePlan plan(const std::vector<LocalPath>& paths, const bgp::Wanted& wanted);

// Adds what was done to `report`. Where it fails half-way, the next call sees what was done.
[[nodiscard]] Result<> carry_out(Client& client, const RoutePlan& plan, std::uint32_t own_asn,
                                 bgp::Report& report);
[[nodiscard]] Result<> remove_path(Client& client, const LocalPath& path, bgp::Report& report);

// Calls `visit` for each local path of one family.
[[nodiscard]] Result<> for_each_local_path(Client& client, const Client::Listing& listing,
                                           std::uint32_t own_asn,
                                           const std::function<void(LocalPath path)>& visit);

}  // namespace guideway::gobgp
