#include "observe/admin_server.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/unique_fd.h"
#include "observe/admin_api.h"
#include "observe/socket_file.h"

namespace guideway::observe {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Local = asio::local::stream_protocol;
using Stream = beast::basic_stream<Local>;

// How long accepting rests after an error. Errors such as EMFILE stay until a descriptor is free:
// asking again at once would burn a CPU.
constexpr std::chrono::milliseconds kAcceptPause{100};
// Of a request that was refused, read and thrown away so that the client gets to the answer.
constexpr std::size_t kLingerBytes = std::size_t{1} << 20;

}  // namespace

class AdminServer::Impl {
 public:
  Impl(asio::io_context& io, SocketFile file, MakeStatus status, AdminLimits limits)
      : file_(std::move(file)),
        status_(std::move(status)),
        limits_(limits),
        acceptor_(io),
        accept_pause_(io) {}

  // Both are coroutines that keep `self` alive until they end.
  static asio::awaitable<void> accept(std::shared_ptr<Impl> self);
  static asio::awaitable<void> serve(std::shared_ptr<Impl> self, std::shared_ptr<Stream> client);

  // Takes over a socket that listens.
  error_code start(UniqueFd listening) {
    error_code error;
    if (!acceptor_.assign(Local(), listening.get(), error)) std::ignore = listening.release();
    return error;
  }
  void stop();

 private:
  std::optional<AdminAnswer> answer(const AdminRequestParser& request, error_code error) const;
  asio::awaitable<void> linger(Stream& client) const;
  void make_room();

  std::optional<SocketFile> file_;
  MakeStatus status_;  // empty: stopped
  AdminLimits limits_;
  asio::basic_socket_acceptor<Local> acceptor_;
  asio::steady_timer accept_pause_;
  // The one that has been without an answer the longest is in front.
  std::vector<std::shared_ptr<Stream>> clients_;
};

asio::awaitable<void> AdminServer::Impl::accept(std::shared_ptr<Impl> self) {
  bool failing = false;
  while (self->acceptor_.is_open()) {
    error_code error;
    Stream::socket_type socket =
        co_await self->acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!self->acceptor_.is_open()) break;
    if (error) {
      if (!failing) spdlog::warn("admin: accepting a connection: {}", error.message());
      failing = true;
      self->accept_pause_.expires_after(kAcceptPause);
      co_await self->accept_pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    failing = false;
    self->make_room();
    auto client = std::make_shared<Stream>(std::move(socket));
    self->clients_.push_back(client);
    asio::co_spawn(self->acceptor_.get_executor(), serve(self, std::move(client)), asio::detached);
  }
}

asio::awaitable<void> AdminServer::Impl::serve(std::shared_ptr<Impl> self,
                                               std::shared_ptr<Stream> client) {
  beast::flat_buffer buffer(self->limits_.header_bytes + self->limits_.body_bytes);
  for (;;) {
    AdminRequestParser request;
    request.header_limit(self->limits_.header_bytes);
    request.body_limit(self->limits_.body_bytes);
    error_code error;
    client->expires_after(self->limits_.patience);
    co_await http::async_read(*client, buffer, request,
                              asio::redirect_error(asio::use_awaitable, error));
    std::optional<AdminAnswer> answer = self->answer(request, error);
    if (!answer) break;
    client->expires_after(self->limits_.patience);
    co_await http::async_write(*client, *answer, asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    if (!answer->keep_alive()) {
      co_await self->linger(*client);
      break;
    }
    const auto served = std::find(self->clients_.begin(), self->clients_.end(), client);
    if (served != self->clients_.end()) std::rotate(served, served + 1, self->clients_.end());
  }
  client->close();
  std::erase(self->clients_, client);
}

// nullopt: nobody is there to take one, or deserves one.
std::optional<AdminAnswer> AdminServer::Impl::answer(const AdminRequestParser& request,
                                                     error_code error) const {
  if (!status_) return std::nullopt;
  if (error) return refuse(error);
  return respond(request.get(), status_);
}

// Closing a Unix socket that has something unread resets the connection, and a client that is
// still sending would see that instead of the answer.
asio::awaitable<void> AdminServer::Impl::linger(Stream& client) const {
  std::array<char, 4096> scratch;
  error_code error;
  client.socket().shutdown(Local::socket::shutdown_send, error);
  client.expires_after(limits_.patience);
  for (std::size_t read = 0; !error && read < kLingerBytes;) {
    read += co_await client.async_read_some(asio::buffer(scratch),
                                            asio::redirect_error(asio::use_awaitable, error));
  }
}

void AdminServer::Impl::make_room() {
  while (!clients_.empty() && clients_.size() >= limits_.connections) {
    clients_.front()->close();
    clients_.erase(clients_.begin());
  }
}

void AdminServer::Impl::stop() {
  status_ = nullptr;
  file_.reset();
  error_code ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  for (const auto& client : clients_) client->close();
  clients_.clear();
}

Result<std::unique_ptr<AdminServer>> AdminServer::listen(asio::io_context& io,
                                                         const std::string& path, MakeStatus status,
                                                         AdminLimits limits) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("opening a Unix socket", errno);
  auto file = SocketFile::bind(socket.get(), path);
  if (!file) return std::unexpected(file.error());
  if (::listen(socket.get(), SOMAXCONN) != 0) return fail_errno("listening at " + path, errno);
  auto impl = std::make_shared<Impl>(io, std::move(*file), std::move(status), limits);
  if (const error_code error = impl->start(std::move(socket)))
    return fail("listening at " + path + ": " + error.message());
  asio::co_spawn(io, Impl::accept(impl), asio::detached);
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

AdminServer::AdminServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

AdminServer::~AdminServer() { impl_->stop(); }

}  // namespace guideway::observe
