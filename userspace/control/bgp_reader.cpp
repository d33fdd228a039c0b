#include "control/bgp_reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>

#include "control/bgp_values.h"
#include "control/config_values.h"
#include "control/password_file.h"

namespace guideway::control {
namespace {

using Word = std::string_view;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxPeers = 64, kMaxPrefixes = 256;
constexpr std::uint64_t kMaxPort = 65535, kMaxMetric = std::numeric_limits<std::uint32_t>::max();
// RFC 4271, section 4.2: 0 (for ever) or 3 s and more, in 16 bits.
constexpr seconds kMinHoldTime{3}, kMaxHoldTime{65535};
constexpr seconds kMaxRestartTime{4095};  // RFC 4724, section 3: 12 bits
constexpr std::uint64_t kMinTtl = 2, kMaxTtl = 255, kMaxPrepend = 10;

// What a passive node has worse, where the file does not say.
constexpr std::uint32_t kPassiveMed = 100;             // more
constexpr std::uint32_t kPassiveLocalPreference = 50;  // routers take 100 where none is said
constexpr std::uint8_t kPassivePrepend = 3;

std::optional<std::uint32_t> read_metric(const Mapping& section, Word key) {
  const auto at = section.find(key);
  const auto value = at ? at->number(0, kMaxMetric) : std::nullopt;
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

Place place_of(const Mapping& section, Word key) {
  const auto at = section.find(key);
  return at ? at->place() : Place{};
}

void read_session(const Mapping& section, bgp::Peer& peer, PeerPlaces& places) {
  if (const auto at = section.find("hold_time"))
    peer.hold_time = read_seconds(*at, kMinHoldTime, kMaxHoldTime).value_or(peer.hold_time);
  if (const auto at = section.find("multihop")) {
    if (const auto ttl = at->number(kMinTtl, kMaxTtl)) {
      peer.multihop = static_cast<std::uint8_t>(*ttl);
      places.multihop = at->place();
    }
  }
  if (const auto at = section.find("port"))
    peer.port = static_cast<std::uint16_t>(at->number(1, kMaxPort).value_or(peer.port));
  if (const auto at = section.find("local_address")) {
    if (const auto address = read_peer_address(*at)) {
      peer.local_address = *address;
      places.local_address = at->place();
    }
  }
}

void read_peer(const Cursor& at, bgp::Peer& peer, PeerPlaces& places) {
  static constexpr auto kKeys = std::to_array<Word>(
      {"address", "asn", "password_file", "hold_time", "multihop", "port", "local_address"});
  const Mapping section(at, kKeys);
  if (const auto address = section.require("address", kPeerAddressRule)) {
    if (const auto value = read_peer_address(*address)) {
      peer.address = *value;
      places.address = address->place();
    }
  }
  if (const auto asn = section.require("asn", kAsnRule)) {
    if (const auto value = read_asn(*asn)) {
      peer.asn = *value;
      places.asn = asn->place();
    }
  }
  if (const auto file = section.find("password_file"))
    peer.password = read_password(*file).value_or("");
  read_session(section, peer, places);
}

void read_peers(const Mapping& section, bgp::SpeakerConfig& speaker, BgpPlaces& places) {
  static constexpr Word kRule = "a list with at least one peer";
  const auto at = section.require("peers", kRule);
  const auto items = at ? at->list(kRule) : std::nullopt;
  if (!items) return;
  if (items->size() > kMaxPeers)
    return at->error("there are at most " + std::to_string(kMaxPeers) + " peers, not " +
                     std::to_string(items->size()));
  speaker.peers.resize(items->size());
  places.peers.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i)
    read_peer((*items)[i], speaker.peers[i], places.peers[i]);
}

void read_managed(const Mapping& section, const Draft& draft, bgp::SpeakerConfig& speaker,
                  BgpPlaces& places) {
  if (const auto at = section.require("local_asn", kAsnRule))
    speaker.asn = read_asn(*at).value_or(0);
  speaker.router_id = draft.model.encapsulation.source.text();
  if (const auto at = section.find("router_id")) {
    if (const auto address = read_address(*at, "10.0.0.10")) {
      speaker.router_id = address->text();
      places.router_id = at->place();
    }
  }
  if (const auto at = section.find("listen_port"))
    speaker.listen_port =
        static_cast<std::uint16_t>(at->number(0, kMaxPort).value_or(speaker.listen_port));
  if (const auto at = section.find("graceful_restart"))
    speaker.graceful_restart =
        read_seconds(*at, seconds(0), kMaxRestartTime).value_or(speaker.graceful_restart);
  read_peers(section, speaker, places);
}

void read_external(const Mapping& section, const Cursor& at, bgp::SpeakerConfig& speaker) {
  if (const auto asn = section.find("local_asn")) speaker.asn = read_asn(*asn).value_or(0);
  for (const Word key : {"router_id", "listen_port", "graceful_restart", "peers"})
    if (const Place place = section.key_place(key))
      at.problems().error(place,
                          "with mode: external gobgpd has this in a configuration of its own; "
                          "leave it out here, or set mode: managed");
}

void read_speaker(const Mapping& section, const Cursor& at, Draft& draft,
                  bgp::SpeakerConfig& speaker) {
  static constexpr auto kModes = std::to_array<Word>({"managed", "external"});
  speaker.api = kUsualBgpApi;
  if (const auto api = section.find("api"))
    speaker.api = read_speaker_api(*api).value_or(speaker.api);
  if (const auto mode = section.find("mode")) {
    const auto word = mode->choice(kModes);
    if (!word) return;  // what else would be wrong is not known
    speaker.mode = static_cast<bgp::Mode>(*word);
  }
  if (speaker.mode == bgp::Mode::managed)
    read_managed(section, draft, speaker, draft.bgp);
  else
    read_external(section, at, speaker);
}

void read_prefixes(const Mapping& section, bgp::Policy& policy, BgpPlaces& places) {
  static constexpr Word kRule = "a list of prefixes such as [198.51.100.0/24]";
  const auto at = section.find("prefixes");
  const auto items = at ? at->list(kRule) : std::nullopt;
  if (!items) return;
  if (items->size() > kMaxPrefixes)
    return at->error("there are at most " + std::to_string(kMaxPrefixes) + " prefixes, not " +
                     std::to_string(items->size()));
  for (const Cursor& item : *items) {
    const auto prefix = read_bgp_prefix(item);
    if (!prefix) continue;
    policy.prefixes.push_back(*prefix);
    places.prefixes.push_back(item.place());
  }
}

void read_attributes(const Mapping& section, bgp::Attributes& attributes, BgpPlaces& places) {
  if (const auto at = section.find("next_hop")) {
    if (const auto address = read_address(*at, "10.0.0.10")) {
      attributes.next_hop = to_ip_address(*address);
      places.next_hop = at->place();
    }
  }
  if (const auto at = section.find("communities")) read_communities(*at, attributes);
  attributes.med = read_metric(section, "med");
  attributes.local_preference = read_metric(section, "local_preference");
  places.local_preference = place_of(section, "local_preference");
}

// What of `active` is worse on a passive node, unless the file says how.
void worsen(bgp::Attributes& attributes, bool internal) {
  const std::uint32_t med = attributes.med.value_or(0);
  attributes.med =
      med > kMaxMetric - kPassiveMed ? static_cast<std::uint32_t>(kMaxMetric) : med + kPassiveMed;
  if (internal)
    attributes.local_preference =
        std::min(kPassiveLocalPreference, attributes.local_preference.value_or(100) / 2);
  else
    attributes.local_preference.reset();
  attributes.prepend = internal ? 0 : kPassivePrepend;
}

void read_passive(const Mapping& section, const BgpConfig& bgp, bgp::Attributes& passive,
                  BgpPlaces& places) {
  static constexpr auto kKeys = std::to_array<Word>({"med", "local_preference", "prepend"});
  const auto& speaker = bgp.speaker;
  // The peers of an external speaker are not known; who sets a preference has some that read it.
  const bool internal = speaker.mode == bgp::Mode::external
                            ? bgp.policy.active.local_preference.has_value()
                            : std::ranges::any_of(speaker.peers, [&](const bgp::Peer& peer) {
                                return is_internal(speaker, peer);
                              });
  passive = bgp.policy.active;
  worsen(passive, internal);
  const auto at = section.find("passive");
  if (!at) return;
  const Mapping own(*at, kKeys);
  places.passive = at->place();
  if (const auto med = read_metric(own, "med")) passive.med = med;
  if (const auto preference = read_metric(own, "local_preference")) {
    passive.local_preference = preference;
    places.passive_local_preference = place_of(own, "local_preference");
  }
  if (const auto prepend = own.find("prepend")) {
    passive.prepend =
        static_cast<std::uint8_t>(prepend->number(0, kMaxPrepend).value_or(passive.prepend));
    places.prepend = prepend->place();
  }
}

void read_damping(const Mapping& section, bgp::DampingRule& rule) {
  static constexpr auto kKeys = std::to_array<Word>({"first", "most", "window"});
  constexpr milliseconds kMostWait = std::chrono::hours(1), kMostWindow = std::chrono::hours(24);
  const auto at = section.find("damping");
  if (!at) return;
  const Mapping own(*at, kKeys);
  if (const auto first = own.find("first"))
    rule.first = read_duration(*first, milliseconds(0), kMostWait).value_or(rule.first);
  if (const auto window = own.find("window"))
    rule.window = read_duration(*window, seconds(1), kMostWindow).value_or(rule.window);
  const auto most = own.find("most");
  rule.most = std::max(rule.first, rule.most);
  const auto value = most ? read_duration(*most, milliseconds(0), kMostWait) : std::nullopt;
  if (value && *value < rule.first)
    most->mismatch("at least first, " + duration_text(rule.first));
  else if (value)
    rule.most = *value;
}

void read_policy(const Mapping& section, BgpConfig& bgp, BgpPlaces& places) {
  static constexpr auto kNeeds = std::to_array<Word>({"all", "any"});
  bgp::Policy& policy = bgp.policy;
  if (const auto role = section.find("role")) {
    policy.role = static_cast<bgp::Role>(role->choice(bgp::kRoleNames).value_or(0));
    places.role = role->place();
  }
  if (const auto announce = section.find("announce"))
    policy.need = static_cast<bgp::Need>(announce->choice(kNeeds).value_or(0));
  read_prefixes(section, policy, places);
  read_attributes(section, policy.active, places);
  read_passive(section, bgp, policy.passive, places);
  read_damping(section, policy.damping);
}

}  // namespace

void read_bgp(const Mapping& file, Draft& draft) {
  static constexpr auto kKeys =
      std::to_array<Word>({"mode", "api", "local_asn", "router_id", "listen_port",
                           "graceful_restart", "role", "peers", "announce", "prefixes", "next_hop",
                           "communities", "local_preference", "med", "passive", "damping"});
  const auto at = file.find("bgp");
  if (!at) return;
  BgpConfig& bgp = draft.model.bgp.emplace();
  draft.bgp.section = at->place();
  const Mapping section(*at, kKeys);
  if (at->node().kind != YamlNode::Kind::mapping) return;
  read_speaker(section, *at, draft, bgp.speaker);
  read_policy(section, bgp, draft.bgp);
}

}  // namespace guideway::control
