#include "control/health_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>

namespace guideway::control {
namespace {

// A hundred backends of a rack that goes are a hundred lines; ten thousand are not.
constexpr std::uint32_t kLogBurst = 100;
constexpr auto kLogRefill = std::chrono::milliseconds(200);

bool needs_tunnel(const Model& model) {
  return std::ranges::any_of(model.pools, [](const PoolConfig& pool) {
    return std::ranges::any_of(
        pool.checks, [](const CheckConfig& check) { return check.question.vip.has_value(); });
  });
}

}  // namespace

HealthWatch::HealthWatch(boost::asio::io_context& io, std::function<void()> changed)
    : io_(io),
      changed_(std::move(changed)),
      limiter_(kLogBurst, kLogRefill),
      prober_(
          io,
          [this](const ProbeId& probe, const probe::Answer& answer) { on_answer(probe, answer); },
          [this](int socket, Protocol protocol, Ipv4Address backend) -> Result<> {
            if (!tunnel_) return fail("there is no tunnel");
            return tunnel_->enter(socket, protocol, backend);
          },
          limits_of_this_process(), std::random_device()()) {}

Result<> HealthWatch::provide(const Model& model) {
  if (!needs_tunnel(model) || tunnel_) return {};
  auto tunnel = Tunnel::open(io_, model.encapsulation.source);
  if (!tunnel) return std::unexpected(std::move(tunnel).error());
  tunnel_ = std::move(*tunnel);
  return {};
}

Health HealthWatch::prepare(const Model& model) {
  Health prepared = health_;
  prepared.configure(model, std::chrono::steady_clock::now());
  replay_.emplace();
  return prepared;
}

void HealthWatch::adopt(Health prepared, const Model& model) {
  health_ = std::move(prepared);
  const auto replay = std::exchange(replay_, std::nullopt);
  if (replay)
    for (const auto& event : *replay) event(health_);
  if (tunnel_) tunnel_->set_source(model.encapsulation.source);
  prober_.watch(health_.probes());
}

bool HealthWatch::set_drain(const Health::Key& backend, bool drain) {
  if (replay_)
    replay_->emplace_back([backend, drain](Health& health) {
      if (health.find(backend) != nullptr) (void)health.set_drain(backend, drain);
    });
  return health_.set_drain(backend, drain);
}

void HealthWatch::on_answer(const ProbeId& probe, const probe::Answer& answer) {
  const auto now = std::chrono::steady_clock::now();
  if (replay_)
    replay_->emplace_back(
        [probe, answer, now](Health& health) { (void)health.observe(probe, answer, now); });
  const auto transitions = health_.observe(probe, answer, now);
  for (const Health::Transition& transition : transitions) tell(transition, now);
  if (!transitions.empty()) changed_();
}

void HealthWatch::tell(const Health::Transition& transition, Health::Time now) {
  if (!limiter_.allow(now)) return;
  const auto& [pool, address] = transition.backend;
  const auto level = transition.to == HealthState::down ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(level, "pool {}: backend {} is {}, was {}: {}", pool, address.text(),
              name(transition.to), name(transition.from), transition.why);
}

void HealthWatch::tell_pool(const PoolConfig& pool, const PoolStanding& before,
                            const PoolStanding& now) {
  const auto healthy = [&](const PoolStanding& it) { return it.healthy >= pool.min_healthy; };
  if (before.empty == now.empty && healthy(before) == healthy(now)) return;
  if (!limiter_.allow(std::chrono::steady_clock::now())) return;
  const std::string count = std::to_string(now.healthy) + " of " +
                            std::to_string(pool.backends.size()) + " backends take new flows";
  if (now.empty)
    spdlog::error("pool {}: {}: {}", pool.name, count,
                  pool.on_empty == OnEmpty::all ? "on_empty: all: each is used as if it were up"
                                                : "new flows are dropped (no_backend)");
  else if (!healthy(now))
    spdlog::warn("pool {}: {}: fewer than min_healthy, {}", pool.name, count, pool.min_healthy);
  else
    spdlog::info("pool {}: {}: healthy again", pool.name, count);
}

void HealthWatch::tell_suppressed() {
  if (const auto lines = limiter_.take_untold(); lines > 0)
    spdlog::warn("health: {} more lines about backends were left out; guideway backends shows all",
                 lines);
  // Said when it begins, and again when it has doubled.
  if (const auto delayed = prober_.delayed(); delayed > 2 * delayed_told_) {
    delayed_told_ = delayed;
    spdlog::warn(
        "health: {} probes so far had to wait for others to end: raise the limit of open files "
        "(LimitNOFILE), or the intervals; at most 32 programs of exec checks run at once",
        delayed);
  }
}

}  // namespace guideway::control
