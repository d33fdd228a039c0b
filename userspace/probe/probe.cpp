#include "probe/probe.h"

#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

#include "probe/attempt.h"

namespace guideway::probe {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

std::string detail(const Question& question) {
  return std::visit(Overloaded{[](const TcpQuestion&) { return std::string(); },
                               [](const UdpQuestion&) { return std::string(); },
                               [](const HttpQuestion& http) { return " path " + http.path; },
                               [](const DnsQuestion& dns) {
                                 return " name " + dns.name + " type " + type_name(dns.type);
                               },
                               [](const ExecQuestion& exec) {
                                 return exec.command.empty() ? "" : " " + exec.command.front();
                               }},
                    question.kind);
}

}  // namespace

std::string_view Question::type() const {
  using namespace std::string_view_literals;
  return std::visit(
      Overloaded{[](const TcpQuestion&) { return "tcp"sv; },
                 [](const HttpQuestion& http) { return http.tls ? "https"sv : "http"sv; },
                 [](const UdpQuestion&) { return "udp"sv; },
                 [](const DnsQuestion&) { return "dns"sv; },
                 [](const ExecQuestion&) { return "exec"sv; }},
      kind);
}

std::string Question::text() const {
  std::string text(type());
  if (port != 0) text += " port " + std::to_string(port);
  text += detail(*this);
  if (vip) text += " through the tunnel to " + vip->text();
  return text;
}

asio::awaitable<Answer> ask(const Question& question, Ipv4Address backend,
                            const EnterTunnel& enter_tunnel) {
  const auto start = std::chrono::steady_clock::now();
  // A caller that cancels gets an answer as well, not an exception out of the next co_await.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Answer answer;
  try {
    Attempt attempt(executor, question, backend, enter_tunnel);
    answer = co_await std::visit([&](const auto& kind) { return ask_kind(attempt, kind); },
                                 question.kind);
  } catch (const std::exception& error) {
    answer = Attempt::failed(error.what());
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  answer.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  co_return answer;
}

}  // namespace guideway::probe
