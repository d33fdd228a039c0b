#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "probe/attempt.h"
#include "probe/child.h"

namespace guideway::probe {
namespace {

// A killed program is gone within microseconds, unless the kernel is busy for it (a core dump, a
// dead file server). Who must not wait is the one who asked.
constexpr std::chrono::milliseconds kDyingTime{100};

std::vector<std::string> environment(const Attempt& attempt, const ExecQuestion& question) {
  std::vector<std::string> variables{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "GUIDEWAY_BACKEND=" + attempt.backend().text(), "GUIDEWAY_POOL=" + question.pool};
  if (attempt.question().port != 0)
    variables.push_back("GUIDEWAY_PORT=" + std::to_string(attempt.question().port));
  return variables;
}

Answer judge(const Attempt& attempt, const Exit& exit) {
  if (exit.code == 0) return Attempt::passed("exit code 0");
  if (exit.code) return Attempt::failed("exit code " + std::to_string(*exit.code));
  if (attempt.expired() && exit.signal == SIGKILL)
    return Attempt::failed("killed after " + std::to_string(attempt.question().timeout.count()) +
                           " ms");
  return Attempt::failed("killed by signal " + std::to_string(exit.signal));
}

}  // namespace

asio::awaitable<Answer> ask_kind(Attempt& attempt, const ExecQuestion& question) {
  if (attempt.question().vip) co_return Attempt::failed("a program cannot go through the tunnel");
  Child child(attempt.executor());
  const Result<> started = child.start(question.command, environment(attempt, question));
  if (!started) co_return Attempt::not_asked(started.error());
  attempt.at_deadline([&child] { child.stop_waiting(); });
  error_code error;
  co_await child.ended().async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, error));
  child.kill_group();
  if (attempt.expired()) {
    attempt.extend(kDyingTime);
    co_await child.ended().async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, error));
  }
  const Result<std::optional<Exit>> exit = child.reap();
  if (!exit) co_return Attempt::failed(exit.error().text());
  if (!*exit && !attempt.expired()) co_return attempt.failed(error);
  child.give_up();
  if (!*exit) co_return Attempt::failed("killed, and not dead yet");
  co_return judge(attempt, **exit);
}

}  // namespace guideway::probe
