// One ask() from within: the question, its deadline, and the words of its answer. Private to the
// files of this folder; each kind of question is an ask_kind() in a file of its own.
//
//     Attempt ── at_deadline(close the socket) ──▶ Alarm (shared with the handler of its timer)
//        │                                           │ rings: expired(), the socket is closed
//     ask_kind: open, connect, send, receive  ◀──────┘ the pending operation fails, and each later
//                                                      one as well
//
// A closed socket, rather than a cancelled operation, because a deadline may pass between two
// operations, when there is nothing to cancel.
//
// Owns: the one timer. Threads: as ask().
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/unique_fd.h"
#include "net/address.h"
#include "probe/probe.h"

namespace guideway::probe {

namespace asio = boost::asio;
using boost::system::error_code;

// Steps of an attempt, as an answer names them behind a comma.
inline constexpr std::string_view kConnecting = "while connecting";
inline constexpr std::string_view kShakingHands = "during the TLS handshake";
inline constexpr std::string_view kSending = "while sending the request";
inline constexpr std::string_view kWaiting = "while waiting for the answer";
inline constexpr std::string_view kReadingBody = "while reading the body";

class Attempt {
 public:
  // The time begins to run. REQUIRES: the references live as long as the attempt.
  Attempt(const asio::any_io_executor& executor, const Question& question, Ipv4Address backend,
          const EnterTunnel& enter_tunnel);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt();

  [[nodiscard]] const Question& question() const { return question_; }
  [[nodiscard]] Ipv4Address backend() const { return backend_; }
  // Where packets are addressed to: the VIP, where they go through the tunnel.
  [[nodiscard]] Ipv4Address asked() const { return question_.vip.value_or(backend_); }
  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }

  // `stop` is called when the time is over, unless the attempt is gone by then. It makes the
  // pending operation fail. REQUIRES: what it refers to lives until ask_kind() has ended (between
  // that and the end of the attempt nothing else runs on the executor).
  void at_deadline(std::function<void()> stop);
  // A deadline after the deadline, with the same `stop`. REQUIRES: expired().
  void extend(std::chrono::milliseconds time);
  [[nodiscard]] bool expired() const;

  // What is being done now, for failed(error). REQUIRES: text that lives for ever.
  void doing(std::string_view step) { step_ = step; }

  [[nodiscard]] static Answer passed(std::string why);
  [[nodiscard]] static Answer failed(std::string why);
  // This host could not ask.
  [[nodiscard]] static Answer not_asked(const Error& error);
  // "no answer within 1000 ms, while connecting"; before the deadline, what the error says.
  [[nodiscard]] Answer failed(const error_code& error) const;

  // A new, unconnected IPv4 socket, closed on exec, that has entered the tunnel where there is one.
  // A TCP socket ends with a reset when it is closed.
  [[nodiscard]] Result<UniqueFd> open_socket(Protocol protocol) const;

 private:
  struct Alarm;
  static void arm(const std::shared_ptr<Alarm>& alarm, std::chrono::milliseconds time);

  const Question& question_;
  Ipv4Address backend_;
  const EnterTunnel& enter_tunnel_;
  asio::any_io_executor executor_;
  std::shared_ptr<Alarm> alarm_;
  std::string_view step_ = kConnecting;
};

// "connection refused"; of OpenSSL's errors the reason only.
[[nodiscard]] std::string words(const error_code& error);
// In double quotes, ASCII, \xNN for the rest, and "..." behind the first 40 bytes.
[[nodiscard]] std::string quoted(std::string_view bytes);
[[nodiscard]] std::string rcode_name(std::uint16_t rcode);  // "SERVFAIL"; "12"
[[nodiscard]] std::string type_name(std::uint16_t type);    // "AAAA"; "TYPE65" (RFC 3597)

// Connects `socket`, which is closed at the deadline from now on. nullopt: it is connected.
// REQUIRES: `socket` lives until ask_kind() ends.
[[nodiscard]] asio::awaitable<std::optional<Answer>> connect(Attempt& attempt,
                                                             asio::ip::tcp::socket& socket);

[[nodiscard]] asio::awaitable<Answer> ask_kind(Attempt& attempt, const TcpQuestion& question);
[[nodiscard]] asio::awaitable<Answer> ask_kind(Attempt& attempt, const HttpQuestion& question);
[[nodiscard]] asio::awaitable<Answer> ask_kind(Attempt& attempt, const UdpQuestion& question);
[[nodiscard]] asio::awaitable<Answer> ask_kind(Attempt& attempt, const DnsQuestion& question);
[[nodiscard]] asio::awaitable<Answer> ask_kind(Attempt& attempt, const ExecQuestion& question);

}  // namespace guideway::probe
