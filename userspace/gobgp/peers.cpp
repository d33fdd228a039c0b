#include "gobgp/peers.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "gobgp/paths.h"

namespace guideway::gobgp {
namespace {

// GoBGP takes less as this; its own default is two minutes.
constexpr std::uint32_t kConnectRetrySeconds = 5;
// From the session to the first route, after a restart: for so long GoBGP listens what a peer has
// to say. Guideway takes nothing from a peer. 0 is taken as six minutes.
constexpr std::uint32_t kDeferralSeconds = 1;

void add_family(apipb::Peer& peer, const apipb::Family& family, bool graceful) {
  apipb::AfiSafi& one = *peer.add_afi_safis();
  *one.mutable_config()->mutable_family() = family;
  one.mutable_config()->set_enabled(true);
  one.mutable_mp_graceful_restart()->mutable_config()->set_enabled(graceful);
}

void set_graceful_restart(apipb::Peer& peer, std::chrono::seconds time, bool restarted) {
  apipb::GracefulRestart& graceful = *peer.mutable_graceful_restart();
  graceful.set_enabled(time.count() > 0);
  if (!graceful.enabled()) return;
  graceful.set_restart_time(static_cast<std::uint32_t>(time.count()));
  graceful.set_deferral_time(kDeferralSeconds);
  // Without graceful restart it would keep GoBGP from sending anything, ever.
  graceful.set_local_restarting(restarted);
}

// ---- comparing
// -----------------------------------------------------------------------------------

// What makes a peer, by name; an empty value is not known.
using Settings = std::map<std::string, std::string>;

std::string families(const apipb::Peer& peer) {
  std::set<std::string> names;
  for (const apipb::AfiSafi& one : peer.afi_safis()) {
    if (!one.config().enabled()) continue;
    names.insert(apipb::Family::Afi_Name(one.config().family().afi()) + "/" +
                 apipb::Family::Safi_Name(one.config().family().safi()) +
                 (one.mp_graceful_restart().config().enabled() ? " kept" : ""));
  }
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ", ") + name;
  return result;
}

std::string multihop(const apipb::Peer& peer) {
  return peer.ebgp_multihop().enabled() ? std::to_string(peer.ebgp_multihop().multihop_ttl())
                                        : "off";
}

std::string graceful_restart(const apipb::Peer& peer) {
  const apipb::GracefulRestart& graceful = peer.graceful_restart();
  if (!graceful.enabled()) return "off";
  return std::to_string(graceful.restart_time()) + " s, deferral " +
         std::to_string(graceful.deferral_time()) + " s" +
         (graceful.helper_only() ? ", helper only" : "") +
         (graceful.notification_enabled() ? ", with notification" : "") +
         (graceful.longlived_enabled() ? ", long-lived" : "");
}

std::string local_address(const apipb::Peer& peer) {
  const std::string& address = peer.transport().local_address();
  return address == "0.0.0.0" || address == "::" ? "" : address;
}

// What Guideway never asks for.
std::string extras(const apipb::Peer& peer) {
  std::string result;
  const auto note = [&](bool is_there, const char* what) {
    if (is_there) result += (result.empty() ? "" : ", ") + std::string(what);
  };
  note(peer.transport().passive_mode(), "passive");
  note(!peer.transport().bind_interface().empty(), "bound to an interface");
  note(peer.route_reflector().route_reflector_client(), "route reflector client");
  note(peer.route_server().route_server_client(), "route server client");
  note(peer.ttl_security().enabled(), "TTL security");
  note(!peer.conf().vrf().empty(), "VRF");
  note(!peer.conf().peer_group().empty(), "peer group");
  note(peer.conf().remove_private() != apipb::RemovePrivate::REMOVE_NONE, "remove private ASNs");
  note(peer.conf().replace_peer_asn(), "replace peer ASN");
  return result.empty() ? "none" : result;
}

Settings settings_of(const apipb::Peer& peer) {
  const apipb::TimersConfig& timers = peer.timers().config();
  return {
      {"ASN", std::to_string(peer.conf().peer_asn())},
      {"local ASN", std::to_string(peer.conf().local_asn())},
      {"hold time", std::to_string(timers.hold_time())},
      {"keepalive interval", std::to_string(timers.keepalive_interval())},
      {"connect retry", std::to_string(timers.connect_retry())},
      {"multihop", multihop(peer)},
      {"port", std::to_string(peer.transport().remote_port())},
      {"local address", local_address(peer)},
      {"graceful restart", graceful_restart(peer)},
      {"families", families(peer)},
      {"extras", extras(peer)},
  };
}

// ---- mending
// -------------------------------------------------------------------------------------

class Mender {
 public:
  Mender(Client& client, std::vector<std::string>& done) : client_(client), done_(done) {}

  Result<> remove(const apipb::Peer& held) {
    const std::string& address = held.state().neighbor_address();
    // DeletePeer would leave its TCP MD5 key on the socket that listens, where it would keep the
    // same peer out when it comes back without one.
    if (!held.conf().auth_password().empty()) {
      apipb::Peer open = held;
      open.mutable_conf()->clear_auth_password();
      open.clear_state();
      if (auto opened = client_.replace_peer(open); !opened) return opened;
    }
    return note(client_.delete_peer(address), "peer " + address + ": deleted");
  }
  Result<> add(const apipb::Peer& wanted) {
    return note(client_.add_peer(wanted), "peer " + wanted.conf().neighbor_address() + ": added");
  }
  Result<> keep(const apipb::Peer& held, const apipb::Peer& wanted) {
    const std::string who = "peer " + wanted.conf().neighbor_address();
    if (const std::string what = difference(held, wanted); !what.empty())
      return note(client_.replace_peer(wanted), who + ": changed (" + what + ")");
    if (held.state().admin_state() == apipb::PeerState::UP) return {};
    return note(client_.enable_peer(wanted.conf().neighbor_address()), who + ": enabled again");
  }

 private:
  Result<> note(Result<> result, std::string line) {
    if (result) done_.push_back(std::move(line));
    return result;
  }

  Client& client_;
  std::vector<std::string>& done_;
};

}  // namespace

apipb::Peer to_peer(const bgp::Peer& peer, const bgp::SpeakerConfig& config, bool restarted) {
  apipb::Peer result;
  apipb::PeerConf& conf = *result.mutable_conf();
  conf.set_neighbor_address(peer.address.to_string());
  conf.set_peer_asn(peer.asn);
  conf.set_local_asn(config.asn);
  conf.set_auth_password(peer.password);
  apipb::TimersConfig& timers = *result.mutable_timers()->mutable_config();
  timers.set_hold_time(static_cast<std::uint64_t>(peer.hold_time.count()));
  timers.set_keepalive_interval(timers.hold_time() / 3);
  timers.set_connect_retry(kConnectRetrySeconds);
  if (peer.multihop) {
    result.mutable_ebgp_multihop()->set_enabled(true);
    result.mutable_ebgp_multihop()->set_multihop_ttl(*peer.multihop);
  }
  result.mutable_transport()->set_remote_port(peer.port);
  if (peer.local_address)
    result.mutable_transport()->set_local_address(peer.local_address->to_string());
  set_graceful_restart(result, config.graceful_restart, restarted);
  for (const apipb::Family& family : {family_v4(), family_v6()})
    add_family(result, family, result.graceful_restart().enabled());
  return result;
}

std::string difference(const apipb::Peer& held, const apipb::Peer& wanted) {
  std::string result;
  const auto note = [&](const std::string& what) { result += (result.empty() ? "" : "; ") + what; };
  const Settings is = settings_of(held);
  for (const auto& [name, value] : settings_of(wanted))
    if (!value.empty() && is.at(name) != value)
      note(name + " " + value + ", was " + (is.at(name).empty() ? "any" : is.at(name)));
  if (held.conf().auth_password() != wanted.conf().auth_password()) note("password");
  return result;
}

Result<> reconcile_peers(Client& client, const std::vector<apipb::Peer>& held,
                         const bgp::SpeakerConfig& config, bool restarted,
                         std::vector<std::string>& done) {
  std::map<std::string, apipb::Peer> wanted;
  for (const bgp::Peer& peer : config.peers) {
    apipb::Peer one = to_peer(peer, config, restarted);
    wanted.emplace(one.conf().neighbor_address(), std::move(one));
  }
  Mender mender(client, done);
  std::set<std::string> there;
  // One that GoBGP refuses is no reason to be without the others.
  Result<> first_failure;
  const auto take = [&](Result<> result) {
    if (!result && first_failure) first_failure = std::move(result);
  };
  for (const apipb::Peer& peer : held)
    if (!wanted.contains(peer.state().neighbor_address())) take(mender.remove(peer));
  for (const apipb::Peer& peer : held) {
    const auto same = wanted.find(peer.state().neighbor_address());
    if (same == wanted.end()) continue;
    there.insert(same->first);
    take(mender.keep(peer, same->second));
  }
  for (const auto& [address, peer] : wanted)
    if (!there.contains(address)) take(mender.add(peer));
  return first_failure;
}

}  // namespace guideway::gobgp
