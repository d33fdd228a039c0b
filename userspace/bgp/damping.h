// When a route that was withdrawn may come back.
//
// A route is withdrawn at once. It comes back when what it was withdrawn for has been good without
// a break for a time: `first` after the first withdrawal, twice as long for each further one within
// `window`, `most` at most. So a pool that flaps costs routers a few updates, and one that failed
// once is back soon. (RFC 2439 damps at the receiver with a penalty that decays; here the origin
// knows why, and a count over a window can be told to a person.)
//
// The withdrawal that took a route away counts until the route is back, however long ago it was, so
// that `first` is the least that is waited; the others count while they are younger than `window`.
//
// A prefix that was never withdrawn is announced as soon as it is good. Withdrawals that an
// operator asked for (a role, a stop, a reload) are none here: do not tell, or forget the prefix by
// keep().
//
// Invariant: within any time shorter than `window`, a prefix is announced n + 1 times at most,
// where n is how many of the times that are waited (first, 2 first, 4 first, .., most, most, ..)
// fit into it: ten times with the default rule. (Each announcement but the first of them comes
// after one more withdrawal that counts.)
//
// Pure: time is an argument, and does not go back. Threads: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "bgp/route.h"

namespace guideway::bgp {

struct DampingRule {
  std::chrono::milliseconds first{1000};  // 0: a route comes back at once
  std::chrono::milliseconds most{60'000};
  std::chrono::milliseconds window{300'000};

  // How long a prefix must have been good after so many withdrawals that count.
  [[nodiscard]] std::chrono::milliseconds wait_after(std::size_t withdrawals) const;

  friend bool operator==(const DampingRule&, const DampingRule&) = default;
};

class Damping {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Of each prefix, so many withdrawals are remembered; `withdrawals` is no more than that.
  static constexpr std::size_t kMostRemembered = 1000;

  struct Verdict {
    bool announce = false;
    // Good, but not for long enough: from this moment on it may be announced, if nothing changes.
    std::optional<Time> until{};
    std::uint32_t withdrawals = 0;  // within the window
  };

  // What is known of a prefix now. Call it for every prefix whenever something may have changed,
  // and at Verdict::until. The rule may be another one each time, and holds for what was before.
  Verdict observe(const Prefix& prefix, bool good, Time now, const DampingRule& rule);

  // Only these are remembered: others are as if never seen.
  void keep(const std::set<Prefix>& prefixes);

 private:
  enum class State : std::uint8_t { never_good, announced, withdrawn };
  struct History {
    State state = State::never_good;
    std::optional<Time> good_since{};
    // Those within the window, oldest first, and before them, while State::withdrawn, the last one.
    std::vector<Time> withdrawals{};
  };
  static void withdraw(History& history, Time now);
  static void forget_old(History& history, Time now, const DampingRule& rule);
  static Time back_at(const History& history, const DampingRule& rule);

  std::map<Prefix, History> histories_;
};

}  // namespace guideway::bgp
