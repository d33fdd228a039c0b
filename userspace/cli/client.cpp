#include "cli/client.h"

#include <sys/un.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "cli/socket_trouble.h"

namespace guideway::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace errc = boost::system::errc;
using boost::system::error_code;
using Local = asio::local::stream_protocol;
using Stream = beast::basic_stream<Local>;

constexpr unsigned kHttp11 = 11;
// Far above the document of a daemon with all the services, backends and checks that are sensible:
// 65,536 backends with three checks each are 50 MB.
constexpr std::uint64_t kMaxDocumentBytes = 512 << 20;

std::unexpected<Error> cannot_ask(const std::string& path, error_code error,
                                  std::chrono::milliseconds patience) {
  const std::string doing = "asking guidewayd at " + path + ": ";
  if (error == beast::error::timeout) {
    return std::unexpected(
        Error{doing + "no answer within " + std::to_string(patience.count()) + " ms",
              "its log says what it is doing: journalctl -u guideway", ETIMEDOUT});
  }
  // Asio takes the EAGAIN of a Unix socket whose queue of clients is full for a connection.
  if (error == errc::not_connected)
    return fail(doing + "too many clients wait for it",
                "its log says what it is doing: journalctl -u guideway");
  return fail(doing + error.message(), "is it guidewayd that listens there?");
}

http::request<http::string_body> message(const Request& request) {
  http::request<http::string_body> out;
  out.version(kHttp11);
  out.method_string(request.method);
  out.target(request.target);
  out.set(http::field::host, "guidewayd");
  if (!request.body.empty()) out.set(http::field::content_type, "application/json");
  out.body() = request.body;
  out.keep_alive(false);
  out.prepare_payload();
  return out;
}

asio::awaitable<Result<Answer>> exchange(const std::string& path, const Request& request,
                                         std::chrono::milliseconds patience) {
  const auto ended = [](error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
  };
  error_code error;
  Stream stream(co_await asio::this_coro::executor);
  stream.expires_after(patience);
  co_await stream.async_connect(Local::endpoint(path), ended(error));
  if (error == beast::error::timeout) co_return cannot_ask(path, error, patience);
  if (error) co_return std::unexpected(cannot_connect(path, error.value(), this_host()));

  const auto question = message(request);
  co_await http::async_write(stream, question, ended(error));
  if (error) co_return cannot_ask(path, error, patience);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> answer;
  answer.body_limit(kMaxDocumentBytes);
  co_await http::async_read(stream, buffer, answer, ended(error));
  if (error) co_return cannot_ask(path, error, patience);
  co_return Answer{answer.get().result_int(), std::move(answer.get().body())};
}

}  // namespace

Result<Answer> ask(const std::string& socket_path, const Request& request,
                   std::chrono::milliseconds patience) {
  // What does not fit is nowhere a socket: Asio would throw.
  if (socket_path.empty() || socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return std::unexpected(cannot_connect(socket_path, ENAMETOOLONG, this_host()));
  asio::io_context io;
  auto answer = asio::co_spawn(io, exchange(socket_path, request, patience), asio::use_future);
  io.run();
  return answer.get();
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kUnreservedMarks = "-._~";
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool alphanumeric = byte < 128 && std::isalnum(byte) != 0;
    if (alphanumeric || kUnreservedMarks.find(letter) != std::string_view::npos)
      out += letter;
    else
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

}  // namespace guideway::cli
