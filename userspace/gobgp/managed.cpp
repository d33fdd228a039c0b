#include "gobgp/managed.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "gobgp/peers.h"
#include "gobgp/routes.h"
#include "gobgp/speaker.h"

namespace guideway::gobgp {
namespace {

// GoBGP takes 0 as 179.
constexpr std::int32_t kDoNotListen = -1;

apipb::Global to_global(const bgp::SpeakerConfig& config) {
  apipb::Global global;
  global.set_asn(config.asn);
  global.set_router_id(config.router_id);
  global.set_listen_port(config.listen_port == 0 ? kDoNotListen : config.listen_port);
  return global;
}

bool is_as_wanted(const apipb::Global& global, const bgp::SpeakerConfig& config) {
  const apipb::Global wanted = to_global(config);
  return global.asn() == wanted.asn() && global.router_id() == wanted.router_id() &&
         global.listen_port() == wanted.listen_port();
}

std::string text(const apipb::Global& global) {
  const std::string port = global.listen_port() > 0 ? "port " + std::to_string(global.listen_port())
                                                    : std::string("not listening");
  return "AS " + std::to_string(global.asn()) + ", router id " + global.router_id() + ", " + port;
}

void describe(const apipb::Global& global, bgp::Report& report) {
  report.asn = global.asn();
  report.router_id = global.router_id();
}

// What mends a start that failed for want of its port, by the words of the Go library; empty: that
// is not why.
std::string what_frees(std::string_view error, std::uint16_t port) {
  const std::string number = std::to_string(port);
  if (error.ends_with("address already in use"))
    return "another BGP speaker has port " + number + ": ss -ltnp 'sport = :" + number +
           "'; stop it, or set bgp.listen_port";
  if (error.ends_with("permission denied"))
    return "gobgpd needs cap_net_bind_service for port " + number +
           ", as guideway-gobgp.service gives it; or set bgp.listen_port";
  return {};
}

}  // namespace

void Managed::forget() {
  ours_ = starting_ = false;
  given_.clear();
}

Result<> Managed::reconcile(Client& client, apipb::Global global, const bgp::Wanted& wanted,
                            bgp::Report& report) {
  const bool runs = global.asn() != 0;
  describe(global, report);
  if (!runs) forget();
  if (!runs && wanted.routes_unknown) return {};
  Found found;
  if (runs) {
    auto read = find(client, global);
    if (!read) return std::unexpected(std::move(read.error()));
    found = *std::move(read);
  }
  ours_ = true;
  const bool right = is_as_wanted(global, wanted.config);
  // To have it back would be taken from us again within a second, and so on, with no session ever.
  if (!right && given_ == text(to_global(wanted.config)))
    return fail(client.name() + ": somebody else has started BGP anew as " + text(global),
                "another guidewayd at the same API? Each needs a gobgpd of its own; then restart "
                "this one");
  if (!right) {
    if (wanted.routes_unknown) {
      report.held = plan(found.paths, wanted).held;
      return {};
    }
    if (runs) {
      if (auto stopped = client.stop(); !stopped) return stopped;
      report.done.push_back("stopped BGP as " + text(global));
    }
    found = {};
    if (auto started = start(client, wanted.config, report); !started) return started;
  }
  given_ = text(to_global(wanted.config));
  return mend(client, wanted, found, report);
}

// Paths last: one that is somebody else's may have a full table.
Result<Managed::Found> Managed::find(Client& client, const apipb::Global& global) const {
  Found found;
  auto assignments = client.policy_assignments();
  if (!assignments) return std::unexpected(std::move(assignments.error()));
  found.policy = state_of(*assignments);
  auto peers = client.peers();
  if (!peers) return std::unexpected(std::move(peers.error()));
  found.peers = *std::move(peers);
  if (auto owned = check_owner(client, global, found); !owned)
    return std::unexpected(std::move(owned.error()));
  for (const apipb::Family& family : {family_v4(), family_v6()}) {
    const auto listed =
        for_each_local_path(client, {.family = family}, global.asn(),
                            [&](LocalPath path) { found.paths.push_back(std::move(path)); });
    if (!listed) return std::unexpected(listed.error());
  }
  if (auto owned = check_owner(client, global, found); !owned)
    return std::unexpected(std::move(owned.error()));
  return found;
}

Result<> Managed::check_owner(Client& client, const apipb::Global& global,
                              const Found& found) const {
  const bool is_empty = found.peers.empty() && found.paths.empty();
  if (ours_ || found.policy != PolicyState::absent || is_empty) return {};
  return fail(client.name() + ": is somebody else's: it runs as " + text(global) +
                  ", and without the policy " + kPolicyName,
              "bgp.mode: external, or a gobgpd of its own for Guideway");
}

Result<> Managed::start(Client& client, const bgp::SpeakerConfig& config, bgp::Report& report) {
  const apipb::Global global = to_global(config);
  // Also if the answer is lost, for then the next call finds BGP running.
  starting_ = true;
  if (auto started = client.start(global); !started) {
    // A start that failed half-way keeps the port of one family, and no other start would get it.
    std::ignore = client.stop();
    started.error().hint = what_frees(started.error().what, config.listen_port);
    return started;
  }
  describe(global, report);
  report.started = true;
  report.done.push_back("started BGP as " + text(global));
  return {};
}

Result<> Managed::mend(Client& client, const bgp::Wanted& wanted, const Found& found,
                       bgp::Report& report) {
  if (found.policy != PolicyState::right) {
    if (auto established = establish_policy(client); !established) return established;
    if (!report.started) report.done.push_back("set the policy " + std::string(kPolicyName));
  }
  // What came in without the policy is still there.
  if (found.policy != PolicyState::right && !found.peers.empty())
    if (auto reapplied = client.reapply_policy(); !reapplied) return reapplied;
  const RoutePlan routes = plan(found.paths, wanted);
  report.foreign = routes.foreign;
  if (auto given = carry_out(client, routes, wanted.config.asn, report); !given) return given;
  auto kept = reconcile_peers(client, found.peers, wanted.config, starting_, report.done);
  if (kept) starting_ = false;
  return kept;
}

}  // namespace guideway::gobgp
