// The seam to a BGP speaker: a process beside the daemon that has the sessions with the routers and
// sends them what it holds. gobgp/speaker.h drives GoBGP; another speaker is another Speaker.
//
// It is reconciled, not commanded: each call compares what the speaker holds with what it should,
// and mends the difference. So a speaker that was restarted, or that somebody has changed by hand,
// is right again after the next call, and one that is right is not touched.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bgp/route.h"
#include "core/result.h"

namespace guideway::bgp {

// managed: BGP is started on a speaker that has nothing of its own, and its peers are kept as
// configured; what it holds beyond is taken away. external: the speaker has its own configuration,
// and only routes are added to it and taken from it.
enum class Mode : std::uint8_t { managed, external };

// A router to have a session with (managed).
struct Peer {
  IpAddress address;
  std::uint32_t asn = 0;  // the speaker's own: iBGP
  std::string password;   // of TCP MD5 (RFC 2385); empty: none
  std::chrono::seconds hold_time{9};
  std::optional<std::uint8_t>
      multihop;  // TTL, 2 to 255, of an eBGP peer that is further than a link
  std::uint16_t port = 179;
  std::optional<IpAddress>
      local_address;  // that the session comes from; nullopt: the kernel chooses
  friend bool operator==(const Peer&, const Peer&) = default;
};

struct SpeakerConfig {
  Mode mode = Mode::managed;
  // Where its API is: "unix:/run/guideway-bgp/api.sock" or "127.0.0.1:50051".
  std::string api;
  std::uint32_t asn = 0;  // external: 0 takes the speaker's, another one must be the speaker's
  std::string router_id;  // dotted quad; external: empty
  std::uint16_t listen_port = 179;  // 0: routers cannot connect, the speaker does (managed)
  // For how long peers that can (RFC 4724) keep the routes of a speaker that is gone without a
  // word; 0: not at all (managed).
  std::chrono::seconds graceful_restart{20};
  std::vector<Peer> peers;  // addresses differ (managed)
  friend bool operator==(const SpeakerConfig&, const SpeakerConfig&) = default;
};

// What a speaker is to be like.
struct Wanted {
  SpeakerConfig config;
  std::vector<Route> routes;  // sorted by prefix, each once
  // Prefixes that are the daemon's to decide on, wanted now or not: a route of another's to one of
  // them is taken away (external; managed: all that is not wanted is).
  std::set<Prefix> own;
  // A speaker that has nothing is left so while there is no route to give it: with its first
  // session it would tell peers that no routes remain, and they would let go of those that they
  // have kept (RFC 4724). Set while the daemon does not know yet what is wanted: peers are kept as
  // configured on a speaker that runs, routes are not touched.
  bool routes_unknown = false;
  friend bool operator==(const Wanted&, const Wanted&) = default;
};

// A session, as the speaker has it.
struct Session {
  std::string peer{};  // its address
  std::uint32_t asn = 0;
  std::string state{};               // RFC 4271, section 8.2.2: "established", "active", ..
  std::chrono::seconds state_for{};  // in this state, or out of it, for so long; 0: not known
  std::chrono::seconds hold_time{};  // negotiated; 0: not established
  std::uint32_t flaps = 0;           // how often it was lost, since the first call that saw it
  bool graceful_restart = false;     // the peer keeps routes of a speaker that is gone
  std::uint64_t updates_sent = 0, updates_received = 0;
  [[nodiscard]] bool established() const { return state == "established"; }
};

// What a call of reconcile() found and did.
struct Report {
  std::string name{};     // "GoBGP"; whatever the speaker says of itself
  std::uint32_t asn = 0;  // 0: BGP does not run
  std::string router_id{};
  std::vector<Session> sessions{};
  std::vector<Route> held{};  // of ours, now, sorted by prefix
  std::uint64_t foreign = 0;  // local routes of others that were left alone
  // What was done, a line each: "started BGP as AS 64512", "added 198.51.100.1/32, med 50",
  // "deleted 198.51.100.9/32, which nobody wants", "peer 10.0.0.1: changed".
  std::vector<std::string> done{};
  std::vector<std::string> notes{};  // what a person should know, and nobody has changed
  bool started = false;              // BGP was started on a speaker that had none
  std::uint64_t added = 0, deleted = 0, changed = 0;  // routes
};

class Speaker {
 public:
  virtual ~Speaker() = default;
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  // Has the speaker as `wanted` says. Blocks, for kPatience at most. An Error: it could not be
  // reached, or would not; what was done before that stays done, and the next call goes on from
  // there. Error::number is 0 where the speaker answered that it will not, ECONNREFUSED where
  // nobody answers, ETIMEDOUT where somebody does not answer in time, ECANCELED after cancel(), and
  // another errno value where it could not be reached or was lost.
  //
  // Threads: one at a time, any.
  [[nodiscard]] virtual Result<Report> reconcile(const Wanted& wanted) = 0;

  // Ends a reconcile() that goes on, with an error, soon. Threads: any.
  virtual void cancel() = 0;

  static constexpr std::chrono::seconds kPatience{5};

 protected:
  Speaker() = default;
};

}  // namespace guideway::bgp
