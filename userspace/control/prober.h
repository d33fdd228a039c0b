// Asks each probe again and again: the clock, the jitter and the limits of the probe engine.
//
// A probe's first question comes within kFirstWithin of watch(), or its interval where that is
// shorter, and sooner where there are few; after that one each interval, give or take a tenth, so
// that load balancers and backends do not fall into step. A question that outlasts its interval
// puts the next one off, never beside it.
//
// Only so many questions are under way at once (ProberLimits): the others wait their turn, and
// their time begins when it comes, so that too much to do makes late probes and not failed ones.
// That they had to wait is counted, and said.
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
  // Questions over the network that are under way. One that is answered costs some 40 to
  // 100 microseconds of the thread, so that this many are a fraction of the shortest sensible
  // time-out; and so many dead backends, at a second each, hold the others up by no more than one.
  std::size_t sockets = 4096;
  // Those that begin with a TLS handshake, which costs ten times as much, and 90 KB of memory.
  std::size_t handshakes = 256;
  std::size_t programs = 32;  // those that start a program
};
// These limits, or what there are descriptors for, less what the rest of the process needs. Raises
// the limit of open files first, to 2^20 if it may.
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
