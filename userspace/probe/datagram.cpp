#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <tuple>

#include "probe/attempt.h"
#include "probe/dns_message.h"

namespace guideway::probe {
namespace {

using asio::ip::udp;

// Of a datagram that is only shown.
// Datagrams that answer another question, before no more are looked at.
constexpr int kMaxOthers = 64;
constexpr std::size_t kShownBytes = 64;
// RFC 1035, section 4.2.1. What is longer is cut off, behind all that is looked at.
constexpr std::size_t kMaxDnsBytes = 512;

Answer broken(const Attempt& attempt, const error_code& error) {
  if (!attempt.expired() && error == asio::error::connection_refused)
    return Attempt::failed("port unreachable");
  return attempt.failed(error);
}

// Connects `socket` and sends `payload`; it is closed at the deadline from now on. nullopt: sent.
std::optional<Answer> send(Attempt& attempt, udp::socket& socket, std::string_view payload) {
  auto opened = attempt.open_socket(Protocol::udp);
  if (!opened) return Attempt::not_asked(opened.error());
  error_code error;
  socket.assign(udp::v4(), opened->get(), error);
  if (error) return Attempt::failed("watching a socket: " + words(error));
  std::ignore = opened->release();
  attempt.at_deadline([&socket] {
    error_code ignored;
    socket.close(ignored);
  });
  const asio::ip::address_v4 address(attempt.asked().host());
  socket.connect(udp::endpoint(address, attempt.question().port), error);
  if (error) return attempt.failed(error);
  attempt.doing(kSending);
  // Asio's send would wait, and block the thread, if it did not know that this socket must not.
  socket.non_blocking(true, error);
  if (!error) socket.send(asio::buffer(payload.data(), payload.size()), 0, error);
  if (error) return broken(attempt, error);
  attempt.doing(kWaiting);
  return std::nullopt;
}

}  // namespace

asio::awaitable<Answer> ask_kind(Attempt& attempt, const UdpQuestion& question) {
  udp::socket socket(attempt.executor());
  std::optional<Answer> failure = send(attempt, socket, question.payload);
  if (failure) co_return *std::move(failure);
  std::string datagram(std::max(question.expected.size(), kShownBytes), '\0');
  error_code error;
  const std::size_t bytes = co_await socket.async_receive(
      asio::buffer(datagram), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return broken(attempt, error);
  datagram.resize(bytes);
  if (datagram.starts_with(question.expected)) co_return Attempt::passed("answered");
  co_return Attempt::failed("answer begins otherwise: " + quoted(datagram));
}

asio::awaitable<Answer> ask_kind(Attempt& attempt, const DnsQuestion& question) {
  const Result<std::string> query = dns_query(question);
  if (!query) co_return Attempt::failed(query.error().text());
  udp::socket socket(attempt.executor());
  std::optional<Answer> failure = send(attempt, socket, *query);
  if (failure) co_return *std::move(failure);
  std::string datagram(kMaxDnsBytes, '\0');
  std::optional<std::uint16_t> rcode;
  for (int others = 0; !rcode; ++others) {
    if (others == kMaxOthers) co_return Attempt::failed("only answers to other questions come");
    error_code error;
    const std::size_t bytes = co_await socket.async_receive(
        asio::buffer(datagram), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return broken(attempt, error);
    rcode = dns_rcode(std::string_view(datagram).substr(0, bytes), *query);
  }
  const std::string text = "rcode " + rcode_name(*rcode);
  if (*rcode == question.rcode) co_return Attempt::passed(text);
  co_return Attempt::failed(text + ", not " + rcode_name(question.rcode));
}

}  // namespace guideway::probe
