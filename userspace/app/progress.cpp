#include "app/progress.h"

#include <algorithm>
#include <utility>

namespace guideway::app {

std::vector<Progress::Change> Progress::look(std::span<const Worker> workers,
                                             Clock::time_point now) {
  Duration passed = now - std::exchange(looked_, now);
  if (passed > 2 * step_) passed = step_;
  std::vector<Change> changes;
  std::map<Key, Seen> seen;
  for (const auto& [key, turns] : workers) {
    const auto known = seen_.find(key);
    Seen one = known == seen_.end() ? Seen{.turns = turns} : known->second;
    if (known != seen_.end() && one.turns == turns) {
      one.still += passed;
      if (!one.stalled && one.still >= patience_) {
        one.stalled = true;
        changes.push_back({.key = key, .stalled = true, .still = one.still});
      }
    } else {
      if (one.stalled) changes.push_back({.key = key, .stalled = false, .still = one.still});
      one = Seen{.turns = turns};
    }
    seen.emplace(key, one);
  }
  seen_ = std::move(seen);
  return changes;
}

Progress::Duration Progress::stalled_for(const Key& key) const {
  const auto known = seen_.find(key);
  return known != seen_.end() && known->second.stalled ? known->second.still : Duration{};
}

bool Progress::any_stalled() const {
  return std::ranges::any_of(seen_, [](const auto& one) { return one.second.stalled; });
}

}  // namespace guideway::app
