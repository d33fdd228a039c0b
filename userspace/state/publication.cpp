#include "state/publication.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace guideway {

Publication::Publication(std::size_t readers, std::unique_ptr<const Snapshot> first)
    : current_(first.get()), adopted_(readers) {
  owned_.push_back(std::move(first));
}

void Publication::publish(std::unique_ptr<const Snapshot> next) {
  assert(next->generation > current().generation);
  current_.store(next.get(), std::memory_order_release);
  owned_.push_back(std::move(next));
}

std::size_t Publication::reclaim() {
  std::uint64_t oldest_held = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t reader = 0; reader < adopted_.size(); ++reader)
    oldest_held = std::min(oldest_held, adopted_by(reader));
  // The last one is current, held or not.
  const auto first_kept = std::find_if(owned_.begin(), owned_.end() - 1, [&](const auto& snapshot) {
    return snapshot->generation >= oldest_held;
  });
  owned_.erase(owned_.begin(), first_kept);
  return owned_.size() - 1;
}

}  // namespace guideway
