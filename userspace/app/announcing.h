// The daemon's side of BGP: what of its VIPs routers are told, by what is in force, the role, and
// how the node is. Decides with bgp/announcements.h, and has it brought about by bgp/announcer.h.
//
// Where the model has no `bgp` section it does nothing.
//
// Threads: all on the control thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "bgp/announcements.h"
#include "bgp/announcer.h"
#include "control/conditions.h"
#include "observe/bgp_status.h"
#include "observe/operations.h"

namespace guideway::app {

class Announcing {
 public:
  // What is in force, and how the node is.
  struct Situation {
    const control::Model& model;
    std::span<const control::PoolStanding> standings;
    control::FindNextHop next_hop;
    std::string trouble;  // why this load balancer must get no traffic; empty: nothing
    bool stopping = false;
    // Not yet: routes that the speaker has are left as they are until this was true once.
    bool known = false;
  };
  using MakeSpeaker = std::function<std::unique_ptr<bgp::Speaker>()>;

  // `look` is called when it is time to look() again.
  Announcing(boost::asio::io_context& io, MakeSpeaker make_speaker, std::function<void()> look);

  // Decides, and has it brought about. Cheap where nothing changed.
  void look(const Situation& now);

  // Before a reload: withdraws the prefixes that `wanted` does not announce by the same speaker any
  // more, and returns when that is done, or has no prospect. They stay withdrawn until taken_over()
  // or taken_back().
  enum class Leaving { nothing, withdrawn, not_yet };
  [[nodiscard]] boost::asio::awaitable<Leaving> withdraw_what_leaves(const Situation& now,
                                                                     const control::Model& wanted);
  // The reload is in force, or failed. look() comes next. Where the speaker still has what leaves:
  // a warning that says so; else empty.
  [[nodiscard]] std::string taken_over(const control::Model& before, const control::Model& now);
  void taken_back() { leaving_.clear(); }

  // Until the speaker holds what the last look() wanted; gives up (false) where nobody answers.
  boost::asio::awaitable<bool> settled();

  // For a daemon that ends, however soon: takes all of ours from the speaker, on this thread,
  // unless the last look() has had it done. Nothing may be looked at behind it. Blocks, for
  // bgp::Speaker::kPatience at most. Error: the speaker may hold routes of ours.
  [[nodiscard]] Result<> withdraw_the_rest(const control::Model& model);

  [[nodiscard]] observe::RoleOutcome set_role(const control::Model& model, const std::string& role);

  // nullopt: no `bgp` section.
  [[nodiscard]] std::optional<observe::BgpStatus> status(const control::Model& model) const;

 private:
  [[nodiscard]] bgp::Role role(const control::BgpConfig& config) const;
  void tell_of(const bgp::Decision& before) const;
  void look_at(std::optional<bgp::Damping::Time> time);

  boost::asio::io_context& io_;
  MakeSpeaker make_speaker_;
  std::function<void()> look_;
  boost::asio::steady_timer timer_;
  std::optional<bgp::Role> role_by_operator_;
  control::Reachability reachability_;
  bgp::Announcements announcements_;
  bgp::Decision decision_;
  std::set<bgp::Prefix> leaving_;
  bool given_back_ = true;  // what leaves
  bool known_ = false;
  std::unique_ptr<bgp::Announcer> announcer_;
};

// Takes all of ours from the speaker, now, on this thread: for a daemon that ends or could not
// start, and for `guidewayd --withdraw`. One without BGP has nothing, and is left so.
[[nodiscard]] Result<bgp::Report> withdraw_all(bgp::Speaker& speaker, const control::Model& model);

}  // namespace guideway::app
