#include <arpa/inet.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <tuple>

#include "probe/attempt.h"

namespace guideway::probe {

using asio::ip::tcp;

asio::awaitable<std::optional<Answer>> connect(Attempt& attempt, tcp::socket& socket) {
  auto opened = attempt.open_socket(Protocol::tcp);
  if (!opened) co_return Attempt::not_asked(opened.error());
  error_code error;
  socket.assign(tcp::v4(), opened->get(), error);
  if (error) co_return Attempt::failed("watching a socket: " + words(error));
  std::ignore = opened->release();
  attempt.at_deadline([&socket] {
    error_code ignored;
    socket.close(ignored);
  });
  const tcp::endpoint endpoint(asio::ip::address_v4(attempt.asked().host()),
                               attempt.question().port);
  co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  // All of this host's ports are in use towards the backend.
  if (error == boost::system::errc::address_not_available)
    co_return Attempt::not_asked({.what = words(error)});
  if (error) co_return attempt.failed(error);
  co_return std::nullopt;
}

asio::awaitable<Answer> ask_kind(Attempt& attempt, const TcpQuestion&) {
  tcp::socket socket(attempt.executor());
  std::optional<Answer> failure = co_await connect(attempt, socket);
  if (failure) co_return *std::move(failure);
  co_return Attempt::passed("connected");
}

}  // namespace guideway::probe
