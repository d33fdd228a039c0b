// A gobgpd that has its own configuration: routes of ours are added to it and taken from it, and
// nothing else is touched. Private to this folder.
//
// It may hold a full table, so each call lists only the prefixes that matter. Old routes of ours to
// other prefixes, which a daemon with another configuration has left, are looked for in the whole
// table: when the channel is new, and then once a minute, or so seldom that it is a hundredth of
// the time: gobgpd lists 100000 routes in a second, and a million not within a call.
//
// Threads: as Client.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "bgp/speaker.h"
#include "gobgp/client.h"

namespace guideway::gobgp {

class External {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kSearchPeriod{60};
  static constexpr int kSearchShare = 100;  // of the time

  explicit External(std::function<Time()> clock = std::chrono::steady_clock::now)
      : clock_(std::move(clock)) {}

  // Fills in all of `report` but the sessions.
  [[nodiscard]] Result<> reconcile(Client& client, const apipb::Global& global,
                                   const bgp::Wanted& wanted, bgp::Report& report);

  // Takes old routes away, if it is time to look for them; the last that is done in a call, for it
  // may use up its time. A table that is too large to be looked through is no error. `channel`:
  // Connection::channel_number().
  [[nodiscard]] Result<> remove_old_routes(Client& client, const bgp::Wanted& wanted,
                                           std::uint64_t channel, bgp::Report& report);

 private:
  [[nodiscard]] Result<> search(Client& client, const bgp::Wanted& wanted, bgp::Report& report);

  std::function<Time()> clock_;
  Time next_search_ = Time::min();
  std::uint64_t searched_channel_ = 0;
  bool gave_up_ = false;       // the last search: too many routes
  std::uint64_t foreign_ = 0;  // at the last search that found an end
};

}  // namespace guideway::gobgp
