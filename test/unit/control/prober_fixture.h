// A Prober on a loop of its own, and those whom it asks: on loopback, told apart by their ports.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "control/prober.h"
#include "unit/probe/probe_fixture.h"

namespace guideway::control::testing {

using probe::BoundSocket;
using probe::kLoopback;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// What is asked of loopback, once for each port.
inline ProbeId probe_of(decltype(probe::Question::kind) kind, std::uint16_t port,
                        std::chrono::milliseconds interval, std::chrono::milliseconds timeout) {
  auto asking = std::make_shared<Asking>();
  asking->question = probe::question(std::move(kind), port, timeout);
  asking->interval = interval;
  return {asking, kLoopback};
}

// A prober whose answers are counted by port.
struct World {
  boost::asio::io_context io;
  std::map<std::uint16_t, int> answers;
  std::map<std::uint16_t, probe::Answer> last;
  std::function<void(const ProbeId&)> on_answer;
  std::optional<Prober> prober;

  explicit World(ProberLimits limits = {}, std::uint64_t seed = 1) {
    prober.emplace(
        io,
        [this](const ProbeId& probe, const probe::Answer& answer) {
          ++answers[probe.asking->question.port];
          last[probe.asking->question.port] = answer;
          if (on_answer) on_answer(probe);
        },
        probe::EnterTunnel(), limits, seed);
  }
  void watch(std::vector<ProbeId> probes) {
    std::ranges::sort(probes);
    prober->watch(probes);
  }

  // Runs the loop until `condition` holds; false when that took too long.
  template <class Condition>
  bool eventually(const Condition& condition) {
    const auto deadline = Clock::now() + probe::kPatience;
    io.restart();  // it may have run out before
    while (!condition()) {
      if (Clock::now() > deadline) return false;
      io.run_one_for(10ms);
    }
    return true;
  }
  // Until nothing is left on the loop.
  bool runs_out() {
    const auto deadline = Clock::now() + probe::kPatience;
    while (!io.stopped() && Clock::now() < deadline) io.run_one_for(10ms);
    return io.stopped();
  }
};

// Sockets that take datagrams and say nothing, so that questions stay under way.
class Silent {
 public:
  explicit Silent(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) sockets_.emplace_back(SOCK_DGRAM);
  }
  [[nodiscard]] std::vector<ProbeId> probes(std::chrono::milliseconds timeout,
                                            std::chrono::milliseconds interval = 10ms) const {
    std::vector<ProbeId> all;
    for (const BoundSocket& socket : sockets_)
      all.push_back(probe_of(probe::UdpQuestion{.payload = "well?", .expected = "yes"},
                             socket.port(), interval, timeout));
    return all;
  }
  // How many of them have been asked.
  [[nodiscard]] std::ptrdiff_t asked() const {
    return std::ranges::count_if(sockets_, [](const BoundSocket& socket) {
      char byte = 0;
      return ::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
    });
  }

 private:
  std::vector<BoundSocket> sockets_;
};

}  // namespace guideway::control::testing
