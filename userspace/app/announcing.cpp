#include "app/announcing.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <utility>

namespace guideway::app {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using State = bgp::Announcement::State;

// A gobgpd that is well answers within milliseconds. What has not by then is not waited for.
constexpr std::chrono::milliseconds kSettlePatience{3000};

std::vector<bgp::ServiceCondition> all_well(const control::Model& model) {
  std::vector<bgp::ServiceCondition> conditions;
  for (const auto& service : model.services)
    conditions.push_back({.service = service.name,
                          .vip = asio::ip::address_v4(service.vip.host()),
                          .good = true,
                          .why = {}});
  return conditions;
}

// Every prefix that the model would have announced.
std::set<bgp::Prefix> prefixes_of(const control::Model& model) {
  std::set<bgp::Prefix> prefixes;
  if (!model.bgp) return prefixes;
  const auto decision =
      bgp::Announcements().decide(model.bgp->policy, all_well(model), {}, false, Clock::now());
  for (const auto& one : decision.announcements) prefixes.insert(one.prefix);
  return prefixes;
}

using Vips = std::set<bgp::IpAddress>;

Vips vips_of(const control::Model& model) {
  Vips vips;
  for (const auto& service : model.services) vips.insert(asio::ip::address_v4(service.vip.host()));
  return vips;
}

bool has_one_of(const bgp::Prefix& prefix, const Vips& vips) {
  const auto first = vips.lower_bound(prefix.address);
  return first != vips.end() && prefix.contains(*first);
}

// Of a reload: which prefixes lead to a VIP after it, too. Some by themselves; the VIP of others is
// announced by another prefix then, and is not to be without a route for the drain time.
class Staying {
 public:
  Staying(const control::Model& before, const control::Model& after)
      : prefixes_(prefixes_of(after)), vips_(vips_of(after)) {
    std::ranges::set_intersection(vips_, vips_of(before),
                                  std::inserter(vips_in_both_, vips_in_both_.end()));
  }
  [[nodiscard]] bool has(const bgp::Prefix& prefix) const {
    return has_one_of(prefix, vips_in_both_) ||
           (prefixes_.contains(prefix) && has_one_of(prefix, vips_));
  }

 private:
  std::set<bgp::Prefix> prefixes_;
  Vips vips_, vips_in_both_;
};

bool same_speaker(const control::Model& one, const control::Model& other) {
  return one.bgp && other.bgp && one.bgp->speaker.api == other.bgp->speaker.api &&
         one.bgp->speaker.mode == other.bgp->speaker.mode;
}

// Of one that is to announce less, or nothing any more. One that is not there announces nothing.
std::string not_given_back(const bgp::Announcer::State& state, const char* and_now) {
  if (state.in_step || state.error_number == ECONNREFUSED) return {};
  return "bgp: what goes could not be withdrawn, and leads to nobody: " +
         (state.error.empty() ? "the speaker has not answered" : state.error) + "; " + and_now;
}

}  // namespace

Announcing::Announcing(asio::io_context& io, MakeSpeaker make_speaker, std::function<void()> look)
    : io_(io), make_speaker_(std::move(make_speaker)), look_(std::move(look)), timer_(io) {}

bgp::Role Announcing::role(const control::BgpConfig& config) const {
  return role_by_operator_.value_or(config.policy.role);
}

void Announcing::look(const Situation& now) {
  if (!now.model.bgp) return;
  const control::BgpConfig& config = *now.model.bgp;
  if (!announcer_) announcer_ = std::make_unique<bgp::Announcer>(io_, make_speaker_());
  bgp::Wanted wanted{.config = config.speaker, .routes = {}, .own = {}, .routes_unknown = true};
  known_ = known_ || now.known;
  if (known_) {
    bgp::Policy policy = config.policy;
    policy.role = role(config);
    const auto time = Clock::now();
    reachability_.look(now.model, now.next_hop, time);
    const auto conditions = control::service_conditions(now.model, now.standings, reachability_);
    auto decision = announcements_.decide(policy, conditions, now.trouble, now.stopping, time);
    for (bgp::Announcement& one : decision.announcements) {
      wanted.own.insert(one.prefix);
      if (!leaving_.contains(one.prefix)) continue;
      one.state = State::withdrawn;
      one.why = "a reload takes it out";
    }
    std::erase_if(decision.routes,
                  [this](const bgp::Route& route) { return leaving_.contains(route.prefix); });
    wanted.routes_unknown = false;
    wanted.routes = decision.routes;
    const auto before = std::exchange(decision_, std::move(decision));
    tell_of(before);
    look_at(decision_.next);
  }
  announcer_->want(std::move(wanted));
}

void Announcing::tell_of(const bgp::Decision& before) const {
  std::map<bgp::Prefix, const bgp::Announcement*> known;
  for (const auto& one : before.announcements) known.emplace(one.prefix, &one);
  std::size_t told = 0;
  for (const auto& one : decision_.announcements) {
    const auto found = known.find(one.prefix);
    const bool was = found != known.end() && found->second->state == State::announced;
    const bool is = one.state == State::announced;
    if (is ? was : !was && found != known.end()) continue;
    if (++told > bgp::SpeakerLog::kMostLines) continue;
    if (is)
      spdlog::info("bgp: announcing {}", one.prefix.text());
    else
      spdlog::warn("bgp: {} {}: {}", was ? "withdrawing" : "not announcing", one.prefix.text(),
                   one.why);
  }
  if (told > bgp::SpeakerLog::kMostLines)
    spdlog::info("bgp: and {} prefixes more: guideway bgp", told - bgp::SpeakerLog::kMostLines);
}

void Announcing::look_at(std::optional<bgp::Damping::Time> time) {
  if (!time) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(*time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_();
  });
}

asio::awaitable<Announcing::Leaving> Announcing::withdraw_what_leaves(
    const Situation& now, const control::Model& wanted) {
  given_back_ = true;
  if (!announcer_ || !now.model.bgp) co_return Leaving::nothing;
  const bool speaker_stays = same_speaker(now.model, wanted);
  const Staying staying(now.model, wanted);
  bool any = false;
  for (const bgp::Announcement& one : decision_.announcements)
    if (!speaker_stays || !staying.has(one.prefix)) {
      leaving_.insert(one.prefix);
      any = any || one.state == State::announced;
    }
  if (!any) co_return Leaving::nothing;
  look(now);
  given_back_ = co_await settled();
  co_return given_back_ ? Leaving::withdrawn : Leaving::not_yet;
}

std::string Announcing::taken_over(const control::Model& before, const control::Model& now) {
  leaving_.clear();
  if (before.bgp && now.bgp && before.bgp->policy.role != now.bgp->policy.role)
    role_by_operator_.reset();
  std::string warning;
  if (same_speaker(before, now)) {
    if (!given_back_)
      warning = not_given_back(announcer_->state(), "it is tried again each second");
    return warning;
  }
  if (announcer_)
    warning = not_given_back(announcer_->state(), "a restart of that gobgpd takes it back");
  announcer_.reset();
  if (now.bgp) return warning;
  role_by_operator_.reset();
  announcements_ = {};
  decision_ = {};
  look_at({});
  return warning;
}

asio::awaitable<bool> Announcing::settled() {
  if (!announcer_ || announcer_->state().contact != bgp::Announcer::State::Contact::reached)
    co_return false;
  // Not in the condition itself: GCC 12 breaks the coroutine where a call in one has a temporary.
  const bool in_time = co_await announcer_->settled(kSettlePatience);
  if (!in_time)
    spdlog::warn("bgp: the speaker has not taken what was wanted within {} ms",
                 kSettlePatience.count());
  co_return in_time;
}

Result<> Announcing::withdraw_the_rest(const control::Model& model) {
  if (!model.bgp) return {};
  const bool done = known_ && decision_.routes.empty() && announcer_ && announcer_->state().in_step;
  announcer_.reset();
  if (done) return {};
  const auto speaker = make_speaker_();
  auto report = withdraw_all(*speaker, model);
  // A speaker that is not there announces nothing.
  if (!report && report.error().number != ECONNREFUSED)
    return std::unexpected(std::move(report).error());
  if (report && report->deleted > 0) spdlog::info("bgp: withdrew {} route(s)", report->deleted);
  return {};
}

observe::RoleOutcome Announcing::set_role(const control::Model& model, const std::string& role) {
  using Kind = observe::RoleOutcome::Kind;
  const auto wanted = bgp::role_named(role);
  if (!wanted) return {.kind = Kind::no_such_role};
  if (!model.bgp) return {.kind = Kind::no_bgp};
  const bool changed = this->role(*model.bgp) != *wanted;
  role_by_operator_ = *wanted;
  if (*wanted == model.bgp->policy.role) role_by_operator_.reset();
  if (changed) spdlog::info("bgp: role {} by an operator", role);
  return {.kind = Kind::done, .changed = changed};
}

Result<bgp::Report> withdraw_all(bgp::Speaker& speaker, const control::Model& model) {
  bgp::Wanted nothing{.config = model.bgp->speaker,
                      .routes = {},
                      .own = prefixes_of(model),
                      .routes_unknown = true};
  auto found = speaker.reconcile(nothing);
  if (!found || found->asn == 0) return found;
  nothing.routes_unknown = false;
  return speaker.reconcile(nothing);
}

}  // namespace guideway::app
