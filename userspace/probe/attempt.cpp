#include "probe/attempt.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace guideway::probe {

// Shared with the timer's handler, which may be on its way already when the attempt goes.
struct Attempt::Alarm {
  explicit Alarm(const asio::any_io_executor& executor) : timer(executor) {}

  asio::steady_timer timer;
  std::function<void()> stop;
  bool rung = false;
  bool late = false;  // it has been put off once
};

namespace {

// A thread that was busy otherwise (a large document, a compilation) finds the deadline before it
// finds the answers that came in time: they have this long to be looked at.
constexpr std::chrono::milliseconds kLate{10}, kGrace{50};

}  // namespace

Attempt::Attempt(const asio::any_io_executor& executor, const Question& question,
                 Ipv4Address backend, const EnterTunnel& enter_tunnel)
    : question_(question),
      backend_(backend),
      enter_tunnel_(enter_tunnel),
      executor_(executor),
      alarm_(std::make_shared<Alarm>(executor)) {
  arm(alarm_, question.timeout);
}

Attempt::~Attempt() {
  alarm_->stop = nullptr;
  alarm_->timer.cancel();
}

void Attempt::arm(const std::shared_ptr<Alarm>& alarm, std::chrono::milliseconds time) {
  alarm->timer.expires_after(time);
  alarm->timer.async_wait([alarm](const error_code& error) {
    if (error) return;
    if (!alarm->late && std::chrono::steady_clock::now() - alarm->timer.expiry() > kLate) {
      alarm->late = true;
      return arm(alarm, kGrace);
    }
    alarm->rung = true;
    if (alarm->stop) alarm->stop();
  });
}

void Attempt::at_deadline(std::function<void()> stop) { alarm_->stop = std::move(stop); }

void Attempt::extend(std::chrono::milliseconds time) { arm(alarm_, time); }

bool Attempt::expired() const { return alarm_->rung; }

Answer Attempt::passed(std::string why) { return {.passed = true, .why = std::move(why)}; }

Answer Attempt::failed(std::string why) { return {.passed = false, .why = std::move(why)}; }

Answer Attempt::not_asked(const Error& error) {
  return {.passed = false, .why = "not asked: " + error.text(), .asked = false};
}

Answer Attempt::failed(const error_code& error) const {
  if (expired()) {
    return failed("no answer within " + std::to_string(question_.timeout.count()) + " ms, " +
                  std::string(step_));
  }
  if (step_ == kConnecting) return failed(words(error));
  return failed(words(error) + ", " + std::string(step_));
}

Result<UniqueFd> Attempt::open_socket(Protocol protocol) const {
  const int type = protocol == Protocol::tcp ? SOCK_STREAM : SOCK_DGRAM;
  UniqueFd socket(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("opening a socket", errno);
  if (protocol == Protocol::tcp) {
    // Not by Asio, whose sockets forget an option of theirs when they are destroyed.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0)
      return fail_errno("setting SO_LINGER", errno);
  }
  if (question_.vip) {
    if (!enter_tunnel_) return fail("there is no tunnel to ask through");
    if (auto entered = enter_tunnel_(socket.get(), protocol, backend_); !entered)
      return std::unexpected(std::move(entered.error()));
  }
  return socket;
}

std::string words(const error_code& error) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
    return "connection closed";
  if (error.category() == asio::error::get_ssl_category()) {
    const char* reason = ::ERR_reason_error_string(static_cast<unsigned>(error.value()));
    if (reason != nullptr) return reason;
  }
  std::string text = error.message();
  // "Connection refused" has no place in the middle of a sentence.
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z')
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

std::string quoted(std::string_view bytes) {
  static constexpr std::size_t kShown = 40;
  std::string text = "\"";
  for (const char byte : bytes.substr(0, kShown)) {
    if (byte >= 0x20 && byte <= 0x7e && byte != '"' && byte != '\\') {
      text += byte;
      continue;
    }
    std::array<char, 5> code{};
    std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned char>(byte));
    text += code.data();
  }
  return text + (bytes.size() > kShown ? "\"..." : "\"");
}

}  // namespace guideway::probe
