#include "control/health_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

namespace guideway::control {
namespace {

// A hundred backends of a rack that goes are a hundred lines; ten thousand are not.
constexpr std::uint32_t kLogBurst = 100;
constexpr auto kLogRefill = std::chrono::milliseconds(200);
// What keeps one question from being asked keeps others, too: one line tells of all.
constexpr auto kUnaskedRefill = std::chrono::seconds(10);

bool needs_tunnel(const Model& model) {
  return std::ranges::any_of(model.pools, [](const PoolConfig& pool) {
    return std::ranges::any_of(
        pool.checks, [](const CheckConfig& check) { return check.question.vip.has_value(); });
  });
}

}  // namespace

std::chrono::milliseconds first_answer_patience(const Model& model) {
  // For an answer to get from its socket to whoever waits.
  constexpr std::chrono::milliseconds kSlack{250};
  std::chrono::milliseconds longest{0};
  for (const PoolConfig& pool : model.pools)
    for (const CheckConfig& check : pool.checks)
      longest = std::max(longest, check.question.timeout);
  return std::min(Prober::kFirstWithin + longest + kSlack, kMaxFirstAnswerPatience);
}

HealthWatch::HealthWatch(boost::asio::io_context& io, std::function<void()> changed)
    : io_(io),
      changed_(std::move(changed)),
      limiter_(kLogBurst, kLogRefill),
      unasked_limiter_(1, kUnaskedRefill),
      prober_(
          io,
          [this](const ProbeId& probe, const probe::Answer& answer) { on_answer(probe, answer); },
          [this](int socket, Protocol protocol, Ipv4Address backend) -> Result<> {
            if (!tunnel_) return fail("there is no tunnel");
            return tunnel_->enter(socket, protocol, backend);
          },
          limits_of_this_process(), std::random_device()()) {}

Result<> HealthWatch::provide(const Model& model) {
  if (!needs_tunnel(model) || (tunnel_ && tunnel_->look_after())) return {};
  auto tunnel = Tunnel::open(io_, model.encapsulation.source);
  if (!tunnel) return std::unexpected(std::move(tunnel).error());
  tunnel_ = std::move(*tunnel);
  return {};
}

void HealthWatch::prepare(const Model& model) {
  prepared_ = health_;
  prepared_->configure(model, std::chrono::steady_clock::now());
  std::vector<ProbeId> both;
  std::ranges::set_union(health_.probes(), prepared_->probes(), std::back_inserter(both));
  prober_.watch(both);
}

void HealthWatch::adopt(const Model& model) {
  health_ = std::move(*prepared_);
  prepared_.reset();
  needs_tunnel_ = needs_tunnel(model);
  source_ = model.encapsulation.source;
  if (tunnel_) tunnel_->set_source(source_);
  discard();
}

void HealthWatch::discard() {
  prepared_.reset();
  prober_.watch(health_.probes());
  if (!needs_tunnel_) tunnel_.reset();
}

bool HealthWatch::set_drain(const Health::Key& backend, bool drain) {
  if (prepared_ && prepared_->find(backend) != nullptr) (void)prepared_->set_drain(backend, drain);
  return health_.set_drain(backend, drain);
}

void HealthWatch::on_answer(const ProbeId& probe, const probe::Answer& answer) {
  const auto now = std::chrono::steady_clock::now();
  if (!answer.asked && unasked_limiter_.allow(now))
    spdlog::warn("health: {} of backend {}: {}; its state stays as it is",
                 probe.asking->question.text(), probe.backend.text(), answer.why);
  bool changed = false;
  if (prepared_) {
    for (const Health::Transition& transition : prepared_->observe(probe, answer, now)) {
      changed = true;
      if (health_.find(transition.backend) == nullptr) tell(transition, now);
    }
  }
  for (const Health::Transition& transition : health_.observe(probe, answer, now)) {
    changed = true;
    tell(transition, now);
  }
  // Also where only what is prepared has changed: it may be compiled already.
  if (changed) changed_();
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

void HealthWatch::look_after_tunnel() {
  if (!needs_tunnel_ || (tunnel_ && tunnel_->look_after())) return;
  tunnel_.reset();
  auto tunnel = Tunnel::open(io_, source_);
  tunnel_complaint_.set(tunnel ? "" : tunnel.error().text());
  if (!tunnel) return;
  tunnel_ = std::move(*tunnel);
  spdlog::warn("tunnel for probes: somebody had deleted the device; it is made anew");
}

void HealthWatch::look_after() {
  look_after_tunnel();
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
