#include "bgp/damping.h"

#include <algorithm>
#include <iterator>

namespace guideway::bgp {

std::chrono::milliseconds DampingRule::wait_after(std::size_t withdrawals) const {
  if (withdrawals == 0) return std::chrono::milliseconds(0);
  std::chrono::milliseconds wait = std::min(first, most);
  // Compared with the half, so that nothing overflows; 0 and what is below would never arrive.
  for (std::size_t i = 1; i < withdrawals && wait.count() > 0 && wait < most; ++i)
    wait = wait > most / 2 ? most : wait * 2;
  return wait;
}

Damping::Verdict Damping::observe(const Prefix& prefix, bool good, Time now,
                                  const DampingRule& rule) {
  History& history = histories_[prefix];
  if (!good) {
    if (history.state == State::announced) withdraw(history, now);
    history.good_since.reset();
  } else if (!history.good_since) {
    history.good_since = now;
  }
  forget_old(history, now, rule);

  Verdict verdict;
  if (good && history.state != State::announced) {
    const Time back = back_at(history, rule);
    if (back <= now)
      history.state = State::announced;
    else
      verdict.until = back;
  }
  verdict.announce = history.state == State::announced;
  verdict.withdrawals = static_cast<std::uint32_t>(
      std::ranges::count_if(history.withdrawals, [&](Time at) { return now - at < rule.window; }));
  return verdict;
}

void Damping::withdraw(History& history, Time now) {
  history.state = State::withdrawn;
  if (history.withdrawals.size() == kMostRemembered)
    history.withdrawals.erase(history.withdrawals.begin());
  history.withdrawals.push_back(now);
}

void Damping::forget_old(History& history, Time now, const DampingRule& rule) {
  auto& all = history.withdrawals;
  const auto old_end = std::ranges::find_if(all, [&](Time at) { return now - at < rule.window; });
  // The one that took the route away counts until it is back.
  const bool keep_last = old_end == all.end() && history.state == State::withdrawn && !all.empty();
  all.erase(all.begin(), keep_last ? std::prev(old_end) : old_end);
}

// The first moment at which the prefix, if it stays good, has been so for as long as is asked then.
// That is less as withdrawals get too old to count, so it may be the moment at which one does.
Damping::Time Damping::back_at(const History& history, const DampingRule& rule) {
  const auto& all = history.withdrawals;
  Time back = *history.good_since + rule.wait_after(all.size());
  for (std::size_t gone = 1; gone < all.size(); ++gone) {
    const Time sooner = *history.good_since + rule.wait_after(all.size() - gone);
    back = std::min(back, std::max(sooner, all[gone - 1] + rule.window));
  }
  return back;
}

void Damping::keep(const std::set<Prefix>& prefixes) {
  std::erase_if(histories_, [&](const auto& entry) { return !prefixes.contains(entry.first); });
}

}  // namespace guideway::bgp
