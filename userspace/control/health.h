// What is known of the health of each backend, and what follows from it for the pools' tables.
//
// Pure: answers of probes and the time come in, standings go out. It asks nobody (prober.h does)
// and knows no clock.
//
//     unknown ──first answer──▶ up ◀──`rise` passed in a row── down
//                               └────`fall` failed in a row───▶
//
// Each check of each backend has this state; a backend is up if all its checks are, down if one is.
// Without checks it counts as up. A count is of consecutive answers: one of the other kind begins
// anew.
//
// Invariants:
// 1. An operator's drain and the state of a backend survive configure(), as long as the pool has
//    the backend. A check that asks something new begins with the state that the backend had; one
//    of a new backend with what the answers to the same probe have said for another pool.
// 2. A probe is asked once for all pools that ask the same of the same address (ProbeId).
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/model.h"
#include "probe/probe.h"

namespace guideway::control {

enum class HealthState : std::uint8_t { unchecked, unknown, up, down };
[[nodiscard]] std::string_view name(HealthState state);

// What is asked, and how often: one object for each that differs, so that two are the same if they
// are at the same address.
struct Asking {
  probe::Question question;
  std::chrono::milliseconds interval{};
  friend auto operator<=>(const Asking&, const Asking&) = default;
};

// One probe: what is asked of whom.
struct ProbeId {
  std::shared_ptr<const Asking> asking;
  Ipv4Address backend;
  friend bool operator==(const ProbeId&, const ProbeId&) = default;
  friend auto operator<=>(const ProbeId& a, const ProbeId& b) {
    if (const auto order = a.backend <=> b.backend; order != 0) return order;
    return std::compare_three_way()(a.asking.get(), b.asking.get());
  }
};

// The state of one check of one backend: hysteresis over consecutive answers.
class Judge {
 public:
  Judge(std::uint32_t rise, std::uint32_t fall, HealthState state)
      : rise_(rise), fall_(fall), state_(state) {}

  // Takes an answer. The first one decides at once.
  void observe(bool passed);
  // Other thresholds from now on. The count stays.
  void adjust(std::uint32_t rise, std::uint32_t fall);
  [[nodiscard]] HealthState state() const { return state_; }

 private:
  std::uint32_t rise_, fall_;
  HealthState state_;          // never `unchecked`
  std::uint32_t against_ = 0;  // answers in a row that contradict the state
};

// What one backend is to have in the table of its pool.
struct Standing {
  std::uint32_t weight = 0;  // relative within the pool; 0: takes no new flows
  bool usable = false;       // may keep the flows that it has
  friend bool operator==(const Standing&, const Standing&) = default;
};

struct PoolStanding {
  std::vector<Standing> backends;  // in the order of PoolConfig::backends
  std::uint32_t healthy = 0;       // that are up, not drained, and have a weight
  bool empty = false;              // none is: on_empty decides
  friend bool operator==(const PoolStanding&, const PoolStanding&) = default;
};

class Health {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Check {
    ProbeId probe;
    Judge judge;
    std::string last;  // why the last answer was what it was
    std::chrono::microseconds took{};
    std::uint64_t passed = 0, failed = 0;
  };
  struct Backend {
    HealthState state = HealthState::unknown;
    Time since{};              // in this state
    bool drained = false;      // by an operator's command
    bool joined_late = false;  // came with a reload: its first time up is a slow start, too
    std::optional<Time> slow_start_from{};  // of the last recovery; none while down
    std::uint64_t went_up = 0, went_down = 0;
    std::vector<Check> checks;  // in the order of PoolConfig::checks
  };
  using Key = std::pair<std::string, Ipv4Address>;  // pool, address
  struct Transition {
    Key backend;
    HealthState from, to;
    std::string why;  // "http port 80 path /: connection refused"
  };

  // Steps from recovery to full weight: each costs a table. At the first a backend has a tenth.
  static constexpr std::uint32_t kSlowStartSteps = 10;

  // The backends and checks of `model`, those and no others. Those of the first call begin without
  // slow start, as all begin together. Nothing of `model` is kept.
  void configure(const Model& model, Time now);

  // Each probe that somebody needs, once, sorted.
  [[nodiscard]] std::vector<ProbeId> probes() const;
  // Whether a backend waits for its first answer.
  [[nodiscard]] bool any_unknown() const;

  // The answer to a probe; what it changed. One that nobody needs any more changes nothing; of one
  // that this host could not ask only the reason is kept.
  std::vector<Transition> observe(const ProbeId& probe, const probe::Answer& answer, Time now);

  // An operator drains a backend, or takes that back. False: it was so before. REQUIRES: known.
  bool set_drain(const Key& backend, bool drain);

  // nullptr: not configured. Valid until configure().
  [[nodiscard]] const Backend* find(const Key& backend) const;
  // The percentage of its weight that a backend has in a slow start; 100: none, or over.
  // REQUIRES: `pool` is the backend's, as last configured.
  [[nodiscard]] static std::uint32_t weight_percent(const PoolConfig& pool, const Backend& backend,
                                                    Time now);
  // `down`, where given, is taken to be down, whatever is known of it. REQUIRES: as last
  // configured.
  [[nodiscard]] PoolStanding standing(const PoolConfig& pool, Time now,
                                      std::optional<Ipv4Address> down = {}) const;
  // When a slow start takes its next step; nullopt: none goes on. Backends that are not known yet
  // are in none.
  [[nodiscard]] std::optional<Time> next_step(const Model& model, Time now) const;

 private:
  std::shared_ptr<const Asking> intern(const CheckConfig& check);
  [[nodiscard]] std::map<ProbeId, HealthState> known() const;
  void index_probes();

  bool configured_ = false;
  std::map<Asking, std::shared_ptr<const Asking>> askings_;
  std::map<Key, Backend> backends_;
  std::map<ProbeId, std::vector<Key>> watchers_;  // who needs a probe
};

}  // namespace guideway::control
