#include "observe/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "core/unique_fd.h"
#include "observe/http_wire.h"
#include "observe/socket_file.h"

namespace guideway::observe {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
// Unix or TCP: once a socket listens, they do not differ.
using AnyStream = asio::generic::stream_protocol;
using Stream = beast::basic_stream<AnyStream>;

// How long accepting rests after an error. Errors such as EMFILE stay until a descriptor is free:
// asking again at once would burn a CPU.
constexpr std::chrono::milliseconds kAcceptPause{100};
// Of a request that was refused, read and thrown away so that the client gets to the answer.
constexpr std::size_t kLingerBytes = std::size_t{1} << 20;

struct Client {
  explicit Client(Stream::socket_type socket) : stream(std::move(socket)) {}
  Stream stream;
  bool at_work = false;  // the handler makes its answer
};

// A socket that listens, or is about to, and what belongs to it.
struct Listening {
  UniqueFd socket;
  int family = AF_UNSPEC;
  std::string where;  // for messages
  std::optional<SocketFile> file{};
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(asio::io_context& io, HttpHandler handler, HttpLimits limits)
      : handler_(std::make_shared<const HttpHandler>(std::move(handler))),
        limits_(limits),
        acceptor_(io),
        accept_pause_(io) {}

  static Result<std::unique_ptr<HttpServer>> start(asio::io_context& io, Listening at,
                                                   HttpHandler handler, HttpLimits limits);
  [[nodiscard]] std::uint16_t port() const;
  void stop();

 private:
  // Coroutines that keep `self` alive until they end.
  static asio::awaitable<void> accept(std::shared_ptr<Impl> self);
  static asio::awaitable<void> serve(std::shared_ptr<Impl> self, std::shared_ptr<Client> client);

  asio::awaitable<bool> exchange(Client& client, beast::flat_buffer& buffer) const;
  asio::awaitable<WireAnswer> answer(Client& client, const WireRequest& request) const;
  asio::awaitable<void> linger(Stream& client) const;
  bool make_room();
  void put_last(const std::shared_ptr<Client>& client);

  std::string where_;
  std::optional<SocketFile> file_;
  // Shared with the calls that are at work: a coroutine lambda lives no longer than its closure.
  std::shared_ptr<const HttpHandler> handler_;  // null: stopped
  HttpLimits limits_;
  asio::basic_socket_acceptor<AnyStream> acceptor_;
  asio::steady_timer accept_pause_;
  // The one that has been without an answer the longest is in front.
  std::vector<std::shared_ptr<Client>> clients_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Impl::start(asio::io_context& io, Listening at,
                                                            HttpHandler handler,
                                                            HttpLimits limits) {
  const std::string doing = "listening at " + at.where;
  if (::listen(at.socket.get(), SOMAXCONN) != 0) return fail_errno(doing, errno);
  auto impl = std::make_shared<Impl>(io, std::move(handler), limits);
  impl->where_ = std::move(at.where);
  if (at.file) impl->file_.emplace(std::move(*at.file));
  error_code error;
  impl->acceptor_.assign(AnyStream(at.family, 0), at.socket.get(), error);
  if (error) return fail(doing + ": " + error.message());
  std::ignore = at.socket.release();
  asio::co_spawn(io, accept(impl), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

asio::awaitable<void> HttpServer::Impl::accept(std::shared_ptr<Impl> self) {
  bool failing = false;
  while (self->acceptor_.is_open()) {
    error_code error;
    Stream::socket_type socket =
        co_await self->acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!self->acceptor_.is_open()) break;
    if (error) {
      if (!failing)
        spdlog::warn("http: accepting a connection at {}: {}", self->where_, error.message());
      failing = true;
      self->accept_pause_.expires_after(kAcceptPause);
      co_await self->accept_pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    failing = false;
    if (!self->make_room()) continue;  // closes the socket
    auto client = std::make_shared<Client>(std::move(socket));
    self->clients_.push_back(client);
    asio::co_spawn(self->acceptor_.get_executor(), serve(self, std::move(client)), asio::detached);
  }
}

asio::awaitable<void> HttpServer::Impl::serve(std::shared_ptr<Impl> self,
                                              std::shared_ptr<Client> client) {
  beast::flat_buffer buffer(self->limits_.header_bytes + self->limits_.body_bytes);
  while (co_await self->exchange(*client, buffer)) self->put_last(client);
  client->stream.close();
  std::erase(self->clients_, client);
}

// One request and its answer. False: the connection is to be closed.
asio::awaitable<bool> HttpServer::Impl::exchange(Client& client, beast::flat_buffer& buffer) const {
  WireRequestParser request;
  request.header_limit(limits_.header_bytes);
  request.body_limit(limits_.body_bytes);
  error_code error;
  client.stream.expires_after(limits_.patience);
  co_await http::async_read(client.stream, buffer, request,
                            asio::redirect_error(asio::use_awaitable, error));
  if (!handler_) co_return false;
  std::optional<WireAnswer> sent;
  if (error)
    sent = refuse(error);
  else
    sent = co_await answer(client, request.get());
  if (!sent) co_return false;
  client.stream.expires_after(limits_.patience);
  co_await http::async_write(client.stream, sent->message,
                             asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return false;
  const bool keep_alive = sent->message.keep_alive();
  sent.reset();  // it may be large, and a client may linger
  if (!keep_alive) co_await linger(client.stream);
  co_return keep_alive;
}

asio::awaitable<WireAnswer> HttpServer::Impl::answer(Client& client,
                                                     const WireRequest& request) const {
  const std::shared_ptr<const HttpHandler> handler = handler_;
  HttpAnswer made;
  client.stream.expires_never();
  client.at_work = true;
  try {
    made = co_await (*handler)(from_wire(request));
  } catch (const std::exception& failure) {
    made = http_error(500, failure.what());
  }
  client.at_work = false;
  co_return to_wire(std::move(made), request);
}

// Closing a socket that has something unread resets the connection, and a client that is still
// sending would see that instead of the answer.
asio::awaitable<void> HttpServer::Impl::linger(Stream& client) const {
  std::array<char, 4096> scratch;
  error_code error;
  client.socket().shutdown(asio::socket_base::shutdown_send, error);
  client.expires_after(limits_.patience);
  for (std::size_t read = 0; !error && read < kLingerBytes;) {
    read += co_await client.async_read_some(asio::buffer(scratch),
                                            asio::redirect_error(asio::use_awaitable, error));
  }
}

// False: there is none, as the answers to all are being made. (A connection that was closed then
// would go on costing what its handler costs, so that there would be no limit.)
bool HttpServer::Impl::make_room() {
  if (clients_.size() < limits_.connections) return true;
  const auto idle = std::find_if(clients_.begin(), clients_.end(),
                                 [](const auto& client) { return !client->at_work; });
  if (idle == clients_.end()) return false;
  (*idle)->stream.close();
  clients_.erase(idle);
  return true;
}

void HttpServer::Impl::put_last(const std::shared_ptr<Client>& client) {
  const auto served = std::find(clients_.begin(), clients_.end(), client);
  if (served != clients_.end()) std::rotate(served, served + 1, clients_.end());
}

std::uint16_t HttpServer::Impl::port() const {
  error_code error;
  const auto endpoint = acceptor_.local_endpoint(error);
  if (error || endpoint.data()->sa_family != AF_INET) return 0;
  sockaddr_in address{};
  std::memcpy(&address, endpoint.data(), sizeof address);
  return ntohs(address.sin_port);
}

void HttpServer::Impl::stop() {
  handler_.reset();
  file_.reset();
  error_code ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  for (const auto& client : clients_) client->stream.close();
  clients_.clear();
}

namespace {

constexpr int kStreamSocket = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

std::string hint_for_tcp(int error, std::uint16_t port) {
  switch (error) {
    case EADDRINUSE:
      return "another process has this port: `ss -ltnp sport = :" + std::to_string(port) +
             "` shows which; end it or choose another port";
    case EADDRNOTAVAIL:
      return "no interface of this host has the address: choose one that `ip address` shows, or "
             "0.0.0.0 for all";
    case EACCES: return "a port below 1024 needs cap_net_bind_service; choose a higher one";
    default: return {};
  }
}

Result<UniqueFd> bind_tcp(Ipv4Address address, std::uint16_t port, const std::string& doing) {
  UniqueFd socket(::socket(AF_INET, kStreamSocket, 0));
  if (!socket.valid()) return fail_errno(doing, errno);
  // So that a daemon that is started again does not wait for the old connections' TIME-WAIT.
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return fail_errno(doing, errno);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = address.wire().wire();
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    return fail_errno(doing, errno, hint_for_tcp(errno, port));
  return socket;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen_unix(asio::io_context& io,
                                                            const std::string& path,
                                                            HttpHandler handler,
                                                            HttpLimits limits) {
  UniqueFd socket(::socket(AF_UNIX, kStreamSocket, 0));
  if (!socket.valid()) return fail_errno("opening a Unix socket", errno);
  auto file = SocketFile::bind(socket.get(), path);
  if (!file) return std::unexpected(file.error());
  return Impl::start(io, {std::move(socket), AF_UNIX, path, std::move(*file)}, std::move(handler),
                     limits);
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen_tcp(asio::io_context& io,
                                                           Ipv4Address address, std::uint16_t port,
                                                           HttpHandler handler, HttpLimits limits) {
  const std::string where = address.text() + ":" + std::to_string(port);
  auto socket = bind_tcp(address, port, "listening at " + where);
  if (!socket) return std::unexpected(socket.error());
  return Impl::start(io, {std::move(*socket), AF_INET, where}, std::move(handler), limits);
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { impl_->stop(); }

std::uint16_t HttpServer::port() const { return impl_->port(); }

}  // namespace guideway::observe
