// Asks each probe again and again: the clock, the jitter and the limits of the probe engine.
//
// A probe's first question comes within kFirstWithin of watch(), or its interval where that is
// shorter; after that one each interval, give or take a tenth, so that load balancers and backends
// do not fall into step. A question that outlasts its interval puts the next one off, never beside
// it.
//
// At most as many questions are under way as there are descriptors for, and kMaxPrograms of those
// that start a program; the others wait their turn. That they had to is counted, and said.
//
// Threads: everything on the thread that runs the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "control/health.h"
#include "probe/probe.h"

namespace guideway::control {

struct ProberLimits {
  std::size_t sockets = 1024;  // questions under way over the network
  std::size_t programs = 32;   // and by programs
};
// As many sockets as this process may open, less what the rest of it needs. Raises the limit of
// open files to its hard limit first.
[[nodiscard]] ProberLimits limits_of_this_process();

class Prober {
 public:
  using OnAnswer = std::function<void(const ProbeId&, const probe::Answer&)>;

  static constexpr std::chrono::milliseconds kFirstWithin{1000};

  // `on_answer` is called for each answer to a probe that is still watched. `seed` is that of the
  // jitter.
  Prober(boost::asio::io_context& io, OnAnswer on_answer, probe::EnterTunnel enter_tunnel,
         ProberLimits limits, std::uint64_t seed);
  // Nothing is called any more. Questions under way end by themselves, within their time.
  ~Prober();

  // Asks these and no others. REQUIRES: sorted, each once.
  void watch(const std::vector<ProbeId>& probes);

  // Questions that had to wait their turn so far.
  [[nodiscard]] std::uint64_t delayed() const;
  [[nodiscard]] std::size_t under_way() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // also of each coroutine
};

}  // namespace guideway::control
