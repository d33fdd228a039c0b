// Whether the workers go on: each counts a turn whenever it has gone round its loop, which takes
// 100 ms at most (dataplane/worker.h). One whose count stands still for `patience` is stalled,
// until it counts again.
//
// Time counts only as far as it was looked: a pause of the whole process (SIGSTOP, a frozen virtual
// machine) is no stall of a worker.
//
// Threads: one. Times are arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace guideway::app {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = Clock::duration;

  // What tells one worker from all others that there are: its name, of queue and interface. The
  // number of its thread would not, as one that never runs has none.
  using Key = std::string;

  struct Worker {
    Key key;
    std::uint64_t turns = 0;
  };

  // What a look has found out.
  struct Change {
    Key key;
    bool stalled = false;  // false: it goes on again
    Duration still{};      // for so long it stood, or had stood, still
  };

  // `step`: time between two looks; one that is longer than two steps counts as one. REQUIRES: at
  // least two steps are within `patience`.
  Progress(Duration patience, Duration step) : patience_(patience), step_(step) {}

  // Looks at all workers that there are; those that are not named are forgotten.
  [[nodiscard]] std::vector<Change> look(std::span<const Worker> workers, Clock::time_point now);

  // For how long a stalled worker has stood still; 0: it is not stalled, or not known.
  [[nodiscard]] Duration stalled_for(const Key& key) const;
  [[nodiscard]] bool any_stalled() const;

 private:
  struct Seen {
    std::uint64_t turns = 0;
    Duration still{};
    bool stalled = false;
  };
  Duration patience_, step_;
  Clock::time_point looked_{};
  std::map<Key, Seen> seen_;
};

}  // namespace guideway::app
