// Health at work: Health (what is known), Prober (who asks) and Tunnel (by which way), and the log
// lines about them.
//
// A reload prepares the health of another model and adopts it later: what is new there is asked
// from the first moment, so that a backend that comes has answered before another goes.
//
// Threads: everything on the thread that runs the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "control/complaint.h"
#include "control/health.h"
#include "control/prober.h"
#include "control/tunnel.h"
#include "core/log_limiter.h"
#include "core/result.h"

namespace guideway::control {

// How long the first answers of new probes of `model` are waited for: until all can have answered
// that ever will, but no longer than kMaxFirstAnswerPatience.
[[nodiscard]] std::chrono::milliseconds first_answer_patience(const Model& model);
inline constexpr std::chrono::milliseconds kMaxFirstAnswerPatience{10'000};

class HealthWatch {
 public:
  // `changed` is called after a backend came up or went down.
  HealthWatch(boost::asio::io_context& io, std::function<void()> changed);

  // Makes what the checks of `model` need and there is not yet: the tunnel.
  [[nodiscard]] Result<> provide(const Model& model);

  // Begins to ask what `model` needs asked, too. From now until adopt() or discard() there is the
  // health of both models, and answers and drains count for both.
  void prepare(const Model& model);
  // The health of the prepared model. REQUIRES: prepare().
  [[nodiscard]] const Health& prepared() const { return *prepared_; }
  // The prepared model is in force. REQUIRES: prepare() with the same model.
  void adopt(const Model& model);
  // Instead of adopt(): everything is as it was.
  void discard();

  [[nodiscard]] const Health& health() const { return health_; }
  // False: it was so before. REQUIRES: health().find(backend).
  bool set_drain(const Health::Key& backend, bool drain);

  // Says what has become of a pool, if it is worth saying.
  void tell_pool(const PoolConfig& pool, const PoolStanding& before, const PoolStanding& now);
  // Looks after the tunnel, and says how many lines were left out of the log, if any. To be called
  // once a second or so.
  void look_after();
  [[nodiscard]] std::uint64_t suppressed_log_lines() const { return limiter_.suppressed(); }

 private:
  void look_after_tunnel();
  void on_answer(const ProbeId& probe, const probe::Answer& answer);
  void tell(const Health::Transition& transition, Health::Time now);

  boost::asio::io_context& io_;
  std::function<void()> changed_;
  Health health_;
  std::optional<Health> prepared_;
  bool needs_tunnel_ = false;  // by the model in force
  Ipv4Address source_;         // of its tunnel
  Complaint tunnel_complaint_{"tunnel for probes"};
  LogLimiter limiter_;
  LogLimiter unasked_limiter_;  // its lines are not missed, and so not told
  std::unique_ptr<Tunnel> tunnel_;
  std::uint64_t delayed_told_ = 0;
  Prober prober_;
};

}  // namespace guideway::control
