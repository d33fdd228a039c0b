#include "bgp/announcer.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace guideway::bgp {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

Result<Report> reconcile(Speaker& speaker, const Wanted& wanted) {
  try {
    return speaker.reconcile(wanted);
  } catch (const std::exception& problem) {
    return fail(std::string("asking the BGP speaker: ") + problem.what());
  } catch (...) {
    return fail("asking the BGP speaker: an exception that says nothing of itself");
  }
}

bool same_to_a_person(const Session& a, const Session& b) {
  return a.peer == b.peer && a.asn == b.asn && a.state == b.state && a.hold_time == b.hold_time &&
         a.flaps == b.flaps && a.graceful_restart == b.graceful_restart;
}

bool same_to_a_person(const Report& a, const Report& b) {
  return a.name == b.name && a.asn == b.asn && a.router_id == b.router_id && a.held == b.held &&
         a.foreign == b.foreign &&
         std::ranges::equal(a.sessions, b.sessions, [](const Session& one, const Session& other) {
           return same_to_a_person(one, other);
         });
}

bool same_to_a_person(const Announcer::State& a, const Announcer::State& b) {
  return a.contact == b.contact && a.error == b.error && a.in_step == b.in_step &&
         a.starts == b.starts && a.added == b.added && a.deleted == b.deleted &&
         a.changed == b.changed && a.last.has_value() == b.last.has_value() &&
         (!a.last || same_to_a_person(*a.last, *b.last));
}

}  // namespace

struct Announcer::Waiter {
  Waiter(asio::io_context& io, std::uint64_t wanted_number, std::chrono::milliseconds patience)
      : timer(io, patience), number(wanted_number) {}
  asio::steady_timer timer;
  std::uint64_t number;
  bool settled = false;

  // Also for a wait that begins only later.
  void wake() { timer.expires_at(asio::steady_timer::time_point::min()); }
};

Announcer::Announcer(asio::io_context& io, std::unique_ptr<Speaker> speaker,
                     std::function<void()> changed, std::chrono::milliseconds period)
    : io_(io),
      speaker_(std::move(speaker)),
      changed_(std::move(changed)),
      period_(period),
      timer_(io) {
  state_.since = Clock::now();
}

Announcer::~Announcer() {
  alive_.reset();
  for (const auto& waiting : waiters_)
    if (const auto waiter = waiting.lock()) waiter->wake();
  // A cancel() that comes before the speaker has begun is in vain, so it is said again.
  constexpr std::chrono::milliseconds kAgain{20};
  for (auto patience = kAgain * 0;
       call_ended_.valid() && call_ended_.wait_for(patience) != std::future_status::ready;
       patience = kAgain)
    speaker_->cancel();
  side_.join();
}

void Announcer::want(Wanted wanted) {
  if (wanted_ == wanted) return;
  wanted_ = std::move(wanted);
  ++number_;
  state_.in_step = false;
  if (!calling_) call();
}

void Announcer::call() {
  calling_ = true;
  timer_.cancel();
  std::promise<void> ended;
  call_ended_ = ended.get_future();
  // The guard: without it a loop that waits for nothing but this answer would end.
  asio::post(side_, [this, alive = std::weak_ptr<bool>(alive_), number = number_, wanted = *wanted_,
                     ended = std::move(ended), guard = asio::make_work_guard(io_)]() mutable {
    auto take_it = [this, alive, number, result = reconcile(*speaker_, wanted)] {
      if (!alive.expired()) take(number, result);
    };
    asio::post(guard.get_executor(), std::move(take_it));
    ended.set_value();
  });
}

void Announcer::call_later() {
  timer_.expires_after(period_);
  timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const auto& error) {
    if (error || alive.expired() || calling_) return;
    call();
  });
}

void Announcer::take(std::uint64_t number, const Result<Report>& result) {
  calling_ = false;
  const State before = state_;
  ++state_.calls;
  if (result)
    succeeded(number, *result);
  else
    failed(result.error());
  if (number < number_)
    call();
  else
    call_later();
  if (changed_ && !same_to_a_person(before, state_)) changed_();
}

void Announcer::succeeded(std::uint64_t number, const Report& report) {
  const bool was_reached = state_.contact == State::Contact::reached;
  const bool unasked = was_reached && number == settled_number_;
  // That a reload has BGP started anew, with another ASN, is no surprise; nor is the first start.
  const bool restarted =
      report.started && state_.last && state_.last->asn != 0 && (unasked || !was_reached);
  const std::uint64_t routes = report.added + report.deleted + report.changed;

  log_.answered(wanted_->config.api, report, {.unasked = unasked, .restarted = restarted},
                Clock::now());
  enter(State::Contact::reached);
  state_.error.clear();
  state_.error_number = 0;
  state_.last = report;
  state_.in_step = number == number_;
  state_.starts += report.started ? 1 : 0;
  state_.added += report.added;
  state_.deleted += report.deleted;
  state_.changed += report.changed;
  if (unasked && !report.started) state_.corrected += routes;
  settled_number_ = number;
  wake_waiters();
}

void Announcer::failed(const Error& error) {
  log_.failed(error, Clock::now());
  if (state_.contact == State::Contact::reached) enter(State::Contact::lost);
  state_.error = error.text();
  state_.error_number = error.number;
  state_.in_step = false;
  ++state_.failures;
}

void Announcer::enter(State::Contact contact) {
  if (state_.contact == contact) return;
  state_.contact = contact;
  state_.since = Clock::now();
}

asio::awaitable<bool> Announcer::settled(std::chrono::milliseconds patience) {
  auto waiter = std::make_shared<Waiter>(io_, number_, patience);
  waiter->settled = state_.in_step || number_ == 0;
  std::erase_if(waiters_, [](const auto& other) { return other.expired(); });
  waiters_.push_back(waiter);
  return wait(std::move(waiter));
}

asio::awaitable<bool> Announcer::wait(std::shared_ptr<Waiter> waiter) {
  boost::system::error_code ignored;
  if (!waiter->settled)
    co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return waiter->settled;
}

void Announcer::wake_waiters() {
  std::erase_if(waiters_, [this](const auto& waiting) {
    const auto waiter = waiting.lock();
    if (!waiter) return true;
    if (waiter->number > settled_number_) return false;
    waiter->settled = true;
    waiter->wake();
    return true;
  });
}

}  // namespace guideway::bgp
