#include "app/inquiries.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace guideway::app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLook{1};

struct Pending {
  LaneName to;
  std::shared_ptr<dataplane::Inquiry> inquiry;
  bool put = false;
  bool gone = false;
  bool hangs = false;

  [[nodiscard]] bool done() const { return gone || hangs || inquiry->answered(); }
};

dataplane::Worker* find_worker(const DataPlane& plane, const LaneName& name) {
  for (const auto& unit : plane.units()) {
    if (unit->port->nic().name != name.interface) continue;
    for (const Lane& lane : unit->lanes)
      if (lane.socket->queue() == name.queue) return lane.worker.get();
  }
  return nullptr;
}

// A worker keeps the question that it was put: one that nobody but us has was put to a worker that
// has been taken out of service since, and can be put to the one that came in its place.
void look(const DataPlane& plane, Pending& pending, std::chrono::milliseconds patience) {
  if (pending.done()) return;
  if (pending.put && pending.inquiry.use_count() == 1) pending.put = false;
  dataplane::Worker* worker = find_worker(plane, pending.to);
  pending.gone = worker == nullptr;
  if (pending.gone) return;
  dataplane::Mailbox& mailbox = worker->mailbox();
  if (!std::exchange(pending.put, true))
    mailbox.put(pending.inquiry);
  else
    mailbox.go_on();
  pending.hangs = mailbox.stands_still(patience);
}

std::vector<Pending> pending_of(std::vector<Question> questions) {
  std::vector<Pending> all;
  all.reserve(questions.size());
  for (Question& question : questions) {
    auto inquiry = std::visit(
        [](auto& about) { return std::make_shared<dataplane::Inquiry>(std::move(about)); },
        question.about);
    all.push_back({.to = std::move(question.to), .inquiry = std::move(inquiry)});
  }
  return all;
}

std::vector<Reply> replies_of(std::vector<Pending> all) {
  std::vector<Reply> replies;
  replies.reserve(all.size());
  for (Pending& one : all) {
    Reply reply{.from = std::move(one.to)};
    if (one.inquiry->answered()) {
      reply.kind = Reply::Kind::answered;
      reply.inquiry = std::move(one.inquiry);
    } else if (one.gone) {
      reply.kind = Reply::Kind::gone;
    }
    replies.push_back(std::move(reply));
  }
  return replies;
}

}  // namespace

std::vector<LaneName> lane_names(const DataPlane& plane) {
  std::vector<LaneName> names;
  for (const auto& unit : plane.units())
    for (const Lane& lane : unit->lanes)
      names.push_back({.interface = unit->port->nic().name, .queue = lane.socket->queue()});
  return names;
}

asio::awaitable<std::vector<Reply>> ask_workers(const DataPlane& plane,
                                                std::vector<Question> questions,
                                                std::chrono::milliseconds patience) {
  std::vector<Pending> all = pending_of(std::move(questions));
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    for (Pending& one : all) look(plane, one, patience);
    if (std::ranges::all_of(all, &Pending::done)) break;
    timer.expires_after(kLook);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return replies_of(std::move(all));
}

}  // namespace guideway::app
