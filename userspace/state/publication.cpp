#include "state/publication.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace guideway {

Publication::Publication(std::size_t readers, std::unique_ptr<const Snapshot> first,
                         std::size_t capacity)
    : current_(first.get()),
      adopted_(std::max(readers, capacity)),
      in_use_(std::max(readers, capacity), false) {
  std::fill_n(in_use_.begin(), readers, true);
  owned_.push_back(std::move(first));
}

std::optional<std::size_t> Publication::add_reader() {
  const auto free = std::ranges::find(in_use_, false);
  if (free == in_use_.end()) return std::nullopt;
  *free = true;
  const auto reader = static_cast<std::size_t>(free - in_use_.begin());
  adopted_[reader].generation.store(0, std::memory_order_release);
  return reader;
}

void Publication::remove_reader(std::size_t reader) { in_use_[reader] = false; }

bool Publication::all_adopted(std::uint64_t generation) const {
  for (std::size_t reader = 0; reader < adopted_.size(); ++reader)
    if (in_use_[reader] && adopted_by(reader) < generation) return false;
  return true;
}

void Publication::publish(std::unique_ptr<const Snapshot> next) {
  assert(next->generation > current().generation);
  current_.store(next.get(), std::memory_order_release);
  owned_.push_back(std::move(next));
}

std::size_t Publication::reclaim() {
  std::uint64_t oldest_held = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t reader = 0; reader < adopted_.size(); ++reader)
    if (in_use_[reader]) oldest_held = std::min(oldest_held, adopted_by(reader));
  // The last one is current, held or not.
  const auto first_kept = std::find_if(owned_.begin(), owned_.end() - 1, [&](const auto& snapshot) {
    return snapshot->generation >= oldest_held;
  });
  owned_.erase(owned_.begin(), first_kept);
  return owned_.size() - 1;
}

}  // namespace guideway
