#include "control/health.h"

#include <algorithm>

namespace guideway::control {
namespace {

bool counts_as_up(HealthState state) {
  return state == HealthState::up || state == HealthState::unchecked;
}

// One check that is down is enough, one that is unknown leaves it open.
HealthState verdict(const std::vector<Health::Check>& checks) {
  if (checks.empty()) return HealthState::unchecked;
  const auto any = [&](HealthState state) {
    return std::ranges::any_of(checks, [state](const auto& c) { return c.judge.state() == state; });
  };
  if (any(HealthState::down)) return HealthState::down;
  return any(HealthState::unknown) ? HealthState::unknown : HealthState::up;
}

// What a check begins with that the backend did not have before.
HealthState inherited(const Health::Backend& backend, bool is_new) {
  if (is_new) return HealthState::unknown;
  return backend.state == HealthState::unchecked ? HealthState::up : backend.state;
}

void rise(Health::Backend& backend, Health::Time now) {
  ++backend.went_up;
  // It may have been down and then unknown: one check mended before another one's first answer.
  const bool was_down = backend.state == HealthState::down || backend.went_down > 0;
  if (was_down || backend.joined_late) backend.slow_start_from = now;
  backend.joined_late = false;
}

void fall(Health::Backend& backend) {
  ++backend.went_down;
  // Else on_empty: all would use it with a part of its weight, and nobody would take the next step.
  backend.slow_start_from.reset();
  backend.joined_late = false;
}

}  // namespace

std::string_view name(HealthState state) {
  switch (state) {
    case HealthState::unchecked: return "unchecked";
    case HealthState::unknown: return "unknown";
    case HealthState::up: return "up";
    case HealthState::down: return "down";
  }
  return "?";
}

void Judge::observe(bool passed) {
  const HealthState said = passed ? HealthState::up : HealthState::down;
  if (state_ == said) {
    against_ = 0;
    return;
  }
  ++against_;
  if (state_ != HealthState::unknown && against_ < (passed ? rise_ : fall_)) return;
  state_ = said;
  against_ = 0;
}

void Judge::adjust(std::uint32_t rise, std::uint32_t fall) {
  rise_ = rise;
  fall_ = fall;
}

std::shared_ptr<const Asking> Health::intern(const CheckConfig& check) {
  Asking asking{check.question, check.interval};
  auto& known = askings_[asking];
  if (!known) known = std::make_shared<const Asking>(std::move(asking));
  return known;
}

// What is known by the answers to each probe, whoever needs it.
std::map<ProbeId, HealthState> Health::known() const {
  std::map<ProbeId, HealthState> states;
  for (const auto& [key, backend] : backends_)
    for (const Check& check : backend.checks) states.try_emplace(check.probe, check.judge.state());
  return states;
}

void Health::configure(const Model& model, Time now) {
  std::map<ProbeId, HealthState> known_by_probe = known();
  std::map<Key, Backend> backends;
  for (const PoolConfig& pool : model.pools) {
    std::vector<std::shared_ptr<const Asking>> askings;
    for (const CheckConfig& check : pool.checks) askings.push_back(intern(check));
    for (const BackendConfig& config : pool.backends) {
      const auto known = backends_.find({pool.name, config.address});
      const bool is_new = known == backends_.end();
      Backend backend = is_new ? Backend{} : std::move(known->second);
      std::vector<Check> before = std::move(backend.checks);
      backend.checks.clear();
      for (std::size_t i = 0; i < askings.size(); ++i) {
        const auto same = std::ranges::find(before, askings[i],
                                            [](const Check& check) { return check.probe.asking; });
        if (same != before.end()) {
          backend.checks.push_back(std::move(*same));
          backend.checks.back().judge.adjust(pool.checks[i].rise, pool.checks[i].fall);
          before.erase(same);
          continue;
        }
        const ProbeId probe{askings[i], config.address};
        HealthState state = inherited(backend, is_new);
        if (const auto found = known_by_probe.find(probe); is_new && found != known_by_probe.end())
          state = found->second;
        backend.checks.push_back({.probe = probe,
                                  .judge = {pool.checks[i].rise, pool.checks[i].fall, state},
                                  .last = {}});
      }
      const HealthState state = verdict(backend.checks);
      if (is_new) backend.joined_late = configured_;
      if (is_new || state != backend.state) backend.since = now;
      backend.state = state;
      backends.emplace(Key{pool.name, config.address}, std::move(backend));
    }
  }
  backends_ = std::move(backends);
  configured_ = true;
  known_by_probe.clear();  // what only it knows is to be forgotten
  index_probes();
}

void Health::index_probes() {
  watchers_.clear();
  for (const auto& [key, backend] : backends_)
    for (const Check& check : backend.checks) {
      std::vector<Key>& keys = watchers_[check.probe];
      if (keys.empty() || keys.back() != key) keys.push_back(key);  // a pool may ask the same twice
    }
  std::erase_if(askings_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

std::vector<ProbeId> Health::probes() const {
  std::vector<ProbeId> probes;
  probes.reserve(watchers_.size());
  for (const auto& [probe, keys] : watchers_) probes.push_back(probe);
  return probes;
}

bool Health::any_unknown() const {
  return std::ranges::any_of(
      backends_, [](const auto& entry) { return entry.second.state == HealthState::unknown; });
}

std::vector<Health::Transition> Health::observe(const ProbeId& probe, const probe::Answer& answer,
                                                Time now) {
  std::vector<Transition> transitions;
  const auto watchers = watchers_.find(probe);
  if (watchers == watchers_.end()) return transitions;
  for (const Key& key : watchers->second) {
    Backend& backend = backends_.at(key);
    for (Check& check : backend.checks) {
      if (check.probe != probe) continue;
      check.last = answer.why;
      if (!answer.asked) continue;
      check.judge.observe(answer.passed);
      check.took = answer.took;
      ++(answer.passed ? check.passed : check.failed);
    }
    const HealthState state = verdict(backend.checks);
    if (state == backend.state) continue;
    transitions.push_back(
        {key, backend.state, state, probe.asking->question.text() + ": " + answer.why});
    if (state == HealthState::up) rise(backend, now);
    if (state == HealthState::down) fall(backend);
    backend.state = state;
    backend.since = now;
  }
  return transitions;
}

bool Health::set_drain(const Key& backend, bool drain) {
  return std::exchange(backends_.at(backend).drained, drain) != drain;
}

const Health::Backend* Health::find(const Key& backend) const {
  const auto found = backends_.find(backend);
  return found == backends_.end() ? nullptr : &found->second;
}

std::uint32_t Health::weight_percent(const PoolConfig& pool, const Backend& backend, Time now) {
  constexpr std::uint32_t kFull = 100;
  if (pool.slow_start.count() == 0 || !backend.slow_start_from) return kFull;
  const Time::duration length = pool.slow_start;
  const Time::duration passed = now - *backend.slow_start_from;
  if (passed >= length) return kFull;
  const auto steps = static_cast<std::uint32_t>(passed * kSlowStartSteps / length);
  return kFull / kSlowStartSteps * (1 + steps);
}

PoolStanding Health::standing(const PoolConfig& pool, Time now,
                              std::optional<Ipv4Address> down) const {
  PoolStanding standing;
  const auto is_up = [&](const BackendConfig& config, const Backend& backend) {
    return config.address != down && counts_as_up(backend.state);
  };
  standing.backends.reserve(pool.backends.size());
  std::vector<const Backend*> known;
  known.reserve(pool.backends.size());
  for (const BackendConfig& config : pool.backends) {
    const Backend& backend = backends_.at({pool.name, config.address});
    known.push_back(&backend);
    const bool takes_flows = config.weight > 0 && !config.drain && !backend.drained;
    if (takes_flows && is_up(config, backend)) ++standing.healthy;
  }
  standing.empty = standing.healthy == 0;
  const bool all = standing.empty && pool.on_empty == OnEmpty::all;
  for (std::size_t i = 0; i < pool.backends.size(); ++i) {
    const BackendConfig& config = pool.backends[i];
    const bool up = all || is_up(config, *known[i]);
    const bool takes_flows = up && !config.drain && !known[i]->drained;
    // In hundredths for all, so that a part of a weight is a whole number: tables do not change
    // when all weights are multiplied.
    standing.backends.push_back(
        {.weight = takes_flows ? config.weight * weight_percent(pool, *known[i], now) : 0,
         .usable = up});
  }
  return standing;
}

std::optional<Health::Time> Health::next_step(const Model& model, Time now) const {
  std::optional<Time> next;
  for (const PoolConfig& pool : model.pools) {
    if (pool.slow_start.count() == 0) continue;
    const Time::duration length = pool.slow_start;
    for (const BackendConfig& config : pool.backends) {
      const Backend* backend = find({pool.name, config.address});
      if (backend == nullptr || !backend->slow_start_from) continue;
      const Time from = *backend->slow_start_from;
      if (now - from >= length) continue;
      const auto steps = (now - from) * kSlowStartSteps / length + 1;
      const Time at =
          from + (length * steps + Time::duration(kSlowStartSteps - 1)) / kSlowStartSteps;
      if (!next || at < *next) next = at;
    }
  }
  return next;
}

}  // namespace guideway::control
