// Health at work: Health (what is known), Prober (who asks) and Tunnel (by which way), and the log
// lines about them.
//
// A reload prepares a Health for the new model and adopts it later. Answers that come in between
// count for both.
//
// Threads: everything on the thread that runs the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "control/health.h"
#include "control/log_limiter.h"
#include "control/prober.h"
#include "control/tunnel.h"
#include "core/result.h"

namespace guideway::control {

class HealthWatch {
 public:
  // `changed` is called after a backend came up or went down.
  HealthWatch(boost::asio::io_context& io, std::function<void()> changed);

  // Makes what the checks of `model` need and there is not yet: the tunnel.
  [[nodiscard]] Result<> provide(const Model& model);

  // The health of the backends of `model`, as it would be after adopt(). Answers from now on are
  // also kept for it.
  [[nodiscard]] Health prepare(const Model& model);
  // Takes what prepare() gave, and asks what it needs asked. REQUIRES: the same model.
  void adopt(Health prepared, const Model& model);
  // Instead of adopt(): everything stays as it is.
  void discard() { replay_.reset(); }

  [[nodiscard]] const Health& health() const { return health_; }
  // False: it was so before. REQUIRES: health().find(backend).
  bool set_drain(const Health::Key& backend, bool drain);

  // Says what has become of a pool, if it is worth saying.
  void tell_pool(const PoolConfig& pool, const PoolStanding& before, const PoolStanding& now);
  // Says how many lines were left out of the log, if any. To be called once a second or so.
  void tell_suppressed();
  [[nodiscard]] std::uint64_t suppressed_log_lines() const { return limiter_.suppressed(); }

 private:
  void on_answer(const ProbeId& probe, const probe::Answer& answer);
  void tell(const Health::Transition& transition, Health::Time now);

  boost::asio::io_context& io_;
  std::function<void()> changed_;
  Health health_;
  // What happened since prepare(), to be done to what it gave as well.
  std::optional<std::vector<std::function<void(Health&)>>> replay_;
  LogLimiter limiter_;
  std::unique_ptr<Tunnel> tunnel_;
  std::uint64_t delayed_told_ = 0;
  Prober prober_;
};

}  // namespace guideway::control
