#include "dataplane/mailbox.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

namespace guideway::dataplane {
namespace {

// Nobody but the mailbox has it any more.
bool is_given_up(const std::shared_ptr<Inquiry>& question) { return question.use_count() == 1; }

}  // namespace

Result<> Mailbox::open(const std::string& owner) {
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return fail_errno("making an eventfd for worker " + owner, errno);
  return {};
}

void Mailbox::put(std::shared_ptr<Inquiry> question) {
  // Here, too, or they would pile up before a worker that hangs.
  std::erase_if(waiting_, is_given_up);
  waiting_.push_back(std::move(question));
  go_on();
}

void Mailbox::go_on() {
  if (asked_.load(std::memory_order_acquire)) return;
  while (!waiting_.empty() && is_given_up(waiting_.front())) waiting_.pop_front();
  if (waiting_.empty()) return;
  question_ = std::move(waiting_.front());
  waiting_.pop_front();
  given_ = std::chrono::steady_clock::now();
  // In this order: a worker that is awake may answer as soon as asked_ is true, and what were
  // written behind that would stay readable without a question, and keep the worker from sleeping.
  (void)::eventfd_write(wake_.get(), 1);
  asked_.store(true, std::memory_order_release);
}

bool Mailbox::stands_still(std::chrono::milliseconds time) const {
  return asked_.load(std::memory_order_acquire) &&
         std::chrono::steady_clock::now() - given_ >= time;
}

void Mailbox::work(const Pipeline& pipeline, const flow::Table& flows, const Snapshot& snapshot,
                   flow::Tick now) {
  if (!question_->work(pipeline, flows, snapshot, now)) return;
  eventfd_t ignored = 0;
  (void)::eventfd_read(wake_.get(), &ignored);
  asked_.store(false, std::memory_order_release);
}

}  // namespace guideway::dataplane
