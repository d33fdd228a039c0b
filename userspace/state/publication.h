// How a Snapshot reaches the workers, and when the one before it can go.
//
//     control thread                         worker r, once for each batch
//     publish(S2): current = S2 (release)    adopt(r): s = current (acquire)
//                  retire S1                           adopted[r] = s.generation (release)
//     reclaim():   free what is older than             ... reads *s until its next adopt(r)
//                  min over r of adopted[r]
//
// A worker that says generation n has let go of all before n; so a snapshot may be freed when all
// workers have said a later one. A worker that has said nothing yet (0) keeps everything.
//
// Readers come and go with the workers: one that has gone holds nothing.
//
// Threads: adopt(r) on worker r alone; everything else on one (control).
// Owns: the current snapshot and the retired ones. REQUIRES: workers stop before destruction.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "state/snapshot.h"

namespace guideway {

class Publication {
 public:
  // With readers 0 to `readers` - 1, and room for `capacity` (or as many as that).
  Publication(std::size_t readers, std::unique_ptr<const Snapshot> first, std::size_t capacity = 0);

  // A further reader, or nullopt where there is no room for one.
  [[nodiscard]] std::optional<std::size_t> add_reader();
  // REQUIRES: its worker has stopped.
  void remove_reader(std::size_t reader);

  // Makes `next` what workers see from their next batch on. REQUIRES: a generation above the last.
  void publish(std::unique_ptr<const Snapshot> next);

  // Frees retired snapshots that no worker can hold. Returns how many are still waiting.
  std::size_t reclaim();

  // The newest snapshot; valid until the same reader's next adopt().
  const Snapshot& adopt(std::size_t reader) {
    const Snapshot& snapshot = *current_.load(std::memory_order_acquire);
    adopted_[reader].generation.store(snapshot.generation, std::memory_order_release);
    return snapshot;
  }

  // Whether every reader works by `generation` or a later one.
  [[nodiscard]] bool all_adopted(std::uint64_t generation) const;

  // The newest snapshot, for the publishing thread.
  [[nodiscard]] const Snapshot& current() const { return *owned_.back(); }
  // The generation that a worker works by; 0 before its first batch.
  [[nodiscard]] std::uint64_t adopted_by(std::size_t reader) const {
    return adopted_[reader].generation.load(std::memory_order_acquire);
  }

 private:
  struct alignas(64) Adopted {
    std::atomic<std::uint64_t> generation{0};
  };
  std::atomic<const Snapshot*> current_;
  std::vector<Adopted> adopted_;  // never resized
  std::vector<bool> in_use_;
  std::vector<std::unique_ptr<const Snapshot>> owned_;  // oldest first, the current one last
};

}  // namespace guideway
