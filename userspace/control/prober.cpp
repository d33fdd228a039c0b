#include "control/prober.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <random>
#include <utility>
#include <variant>

namespace guideway::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

// Descriptors that sockets of NICs, maps, netlink, the API and its clients may take.
constexpr std::size_t kReservedDescriptors = 1024;
// Between two first questions, on average: a few are asked at once, thousands not.
constexpr std::chrono::milliseconds kFirstApart{1};

// Lets so many in at a time, the others in the order in which they came.
class Gate {
 public:
  Gate(asio::io_context& io, std::size_t room) : io_(io), room_(room) {}

  // False: closed; nobody is let in any more.
  asio::awaitable<bool> enter() {
    if (room_ > 0) {
      --room_;
      co_return !closed_;
    }
    ++delayed_;
    asio::steady_timer turn(io_, Clock::time_point::max());
    queue_.push_back(&turn);
    error_code cancelled;
    co_await turn.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    co_return !closed_;
  }
  // Whoever waits the longest takes the place.
  void leave() {
    if (queue_.empty()) {
      ++room_;
      return;
    }
    queue_.front()->cancel();
    queue_.pop_front();
  }
  // Sends away who waits. To be called while the io_context lives: afterwards the timers do not.
  void close() {
    closed_ = true;
    for (asio::steady_timer* turn : queue_) turn->cancel();
    queue_.clear();
  }
  [[nodiscard]] std::uint64_t delayed() const { return delayed_; }

 private:
  asio::io_context& io_;
  std::size_t room_;
  bool closed_ = false;
  std::uint64_t delayed_ = 0;
  std::deque<asio::steady_timer*> queue_;  // timers live in their coroutines' frames
};

// One watched probe, shared by the engine and the coroutine that asks it.
struct Watch {
  Watch(asio::io_context& io, ProbeId id) : probe(std::move(id)), timer(io) {}
  ProbeId probe;
  asio::steady_timer timer;
  bool stopped = false;
};

}  // namespace

ProberLimits limits_of_this_process() {
  ProberLimits limits;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return limits;
  // Not to the millions that some systems allow: programs of exec checks inherit the limit.
  files.rlim_cur = std::max(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 1 << 20));
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) ::getrlimit(RLIMIT_NOFILE, &files);
  const auto all = static_cast<std::size_t>(std::min<rlim_t>(files.rlim_cur, 1 << 20));
  // More at once would only take each other's time.
  const std::size_t most = limits.sockets;
  // With a limit below what is reserved, half of it: some probes are better than none.
  const std::size_t room = all > 2 * kReservedDescriptors ? all - kReservedDescriptors : all / 2;
  limits.sockets = std::min(most, room);
  limits.handshakes = std::min(limits.handshakes, room);
  return limits;
}

class Prober::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, OnAnswer on_answer, probe::EnterTunnel enter_tunnel,
       ProberLimits limits, std::uint64_t seed)
      : io_(io),
        on_answer_(std::move(on_answer)),
        enter_tunnel_(std::move(enter_tunnel)),
        sockets_(io, limits.sockets),
        handshakes_(io, limits.handshakes),
        programs_(io, limits.programs),
        random_(seed) {}

  void watch(const std::vector<ProbeId>& probes);
  void stop();
  void close() {
    stop();
    sockets_.close();
    handshakes_.close();
    programs_.close();
  }
  [[nodiscard]] std::uint64_t delayed() const {
    return sockets_.delayed() + handshakes_.delayed() + programs_.delayed();
  }
  [[nodiscard]] std::size_t under_way() const { return under_way_; }

 private:
  static asio::awaitable<void> run(std::shared_ptr<Impl> self, std::shared_ptr<Watch> watch,
                                   Clock::duration first_wait);
  asio::awaitable<probe::Answer> ask(const Watch& watch);

  // Evenly from `min` to `max`.
  Clock::duration between(Clock::duration min, Clock::duration max) {
    return Clock::duration(
        std::uniform_int_distribution<Clock::rep>(min.count(), max.count())(random_));
  }
  Clock::duration next_wait(Clock::duration interval) {
    return between(interval - interval / 10, interval + interval / 10);
  }

  asio::io_context& io_;
  OnAnswer on_answer_;
  probe::EnterTunnel enter_tunnel_;
  Gate& gate_of(const probe::Question& question) {
    if (std::holds_alternative<probe::ExecQuestion>(question.kind)) return programs_;
    const auto* http = std::get_if<probe::HttpQuestion>(&question.kind);
    return http != nullptr && http->tls ? handshakes_ : sockets_;
  }

  Gate sockets_;
  Gate handshakes_;
  Gate programs_;
  std::minstd_rand random_;
  std::size_t under_way_ = 0;
  std::map<ProbeId, std::shared_ptr<Watch>> watched_;
};

asio::awaitable<probe::Answer> Prober::Impl::ask(const Watch& watch) {
  // Leaves the gate also when the coroutine is destroyed.
  struct Place {
    Place(Gate& entered, std::size_t& count) : gate(entered), under_way(count) { ++under_way; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      --under_way;
      gate.leave();
    }
    Gate& gate;
    std::size_t& under_way;
  };
  const probe::Question& question = watch.probe.asking->question;
  Gate& gate = gate_of(question);
  if (!co_await gate.enter()) co_return probe::Answer{};
  const Place place(gate, under_way_);
  if (watch.stopped) co_return probe::Answer{};  // while it waited
  co_return co_await probe::ask(question, watch.probe.backend, enter_tunnel_);
}

asio::awaitable<void> Prober::Impl::run(std::shared_ptr<Impl> self, std::shared_ptr<Watch> watch,
                                        Clock::duration first_wait) {
  const Clock::duration interval = watch->probe.asking->interval;
  Clock::time_point due = Clock::now() + first_wait;
  while (!watch->stopped) {
    watch->timer.expires_at(due);
    error_code cancelled;
    co_await watch->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (watch->stopped) break;
    const Clock::time_point asked_at = Clock::now();
    const probe::Answer answer = co_await self->ask(*watch);
    if (watch->stopped) break;
    self->on_answer_(watch->probe, answer);
    due = std::max(asked_at + self->next_wait(interval), Clock::now());
  }
}

void Prober::Impl::watch(const std::vector<ProbeId>& probes) {
  const auto fresh = std::ranges::count_if(
      probes, [&](const ProbeId& probe) { return !watched_.contains(probe); });
  const Clock::duration spread = std::min<Clock::duration>(kFirstWithin, fresh * kFirstApart);
  std::map<ProbeId, std::shared_ptr<Watch>> watched;
  for (const ProbeId& probe : probes) {
    if (auto known = watched_.extract(probe)) {
      watched.insert(watched.end(), std::move(known));
      continue;
    }
    auto watch = std::make_shared<Watch>(io_, probe);
    watched.emplace_hint(watched.end(), probe, watch);
    const Clock::duration wait =
        between({}, std::min<Clock::duration>(probe.asking->interval, spread));
    asio::co_spawn(io_, run(shared_from_this(), std::move(watch), wait), asio::detached);
  }
  stop();
  watched_ = std::move(watched);
}

void Prober::Impl::stop() {
  for (const auto& [probe, watch] : watched_) {
    watch->stopped = true;
    watch->timer.cancel();
  }
  watched_.clear();
}

Prober::Prober(asio::io_context& io, OnAnswer on_answer, probe::EnterTunnel enter_tunnel,
               ProberLimits limits, std::uint64_t seed)
    : impl_(std::make_shared<Impl>(io, std::move(on_answer), std::move(enter_tunnel), limits,
                                   seed)) {}

Prober::~Prober() { impl_->close(); }

void Prober::watch(const std::vector<ProbeId>& probes) { impl_->watch(probes); }
std::uint64_t Prober::delayed() const { return impl_->delayed(); }
std::size_t Prober::under_way() const { return impl_->under_way(); }

}  // namespace guideway::control
