#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/none.hpp>

#include "probe/attempt.h"
#include "probe/tls.h"

namespace guideway::probe {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Parser = http::response_parser<http::buffer_body>;

constexpr std::uint32_t kMaxHeaderBytes = 8 << 10;
constexpr std::size_t kPieceBytes = 4096;  // of a body, read at once
constexpr int kMaxInterim = 8;             // answers that only announce one

std::string host_field(const Attempt& attempt, const HttpQuestion& question) {
  if (!question.host.empty()) return question.host;
  const std::uint16_t usual = question.tls ? 443 : 80;
  const std::uint16_t port = attempt.question().port;
  return attempt.asked().text() + (port == usual ? "" : ":" + std::to_string(port));
}

std::string request_text(const Attempt& attempt, const HttpQuestion& question) {
  return question.method + " " + question.path +
         " HTTP/1.1\r\nHost: " + host_field(attempt, question) +
         "\r\nUser-Agent: guideway-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

bool is_expected(const HttpQuestion& question, unsigned status) {
  return std::ranges::any_of(question.expected, [&](const StatusRange& range) {
    return status >= range.first && status <= range.last;
  });
}

std::string expected_text(const HttpQuestion& question) {
  std::string text;
  for (const StatusRange& range : question.expected) {
    if (!text.empty()) text += ", ";
    text += std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
  }
  return text;
}

// 100 and 103 announce the answer (RFC 9110, section 15.2); 101 is one.
bool is_interim(unsigned status) { return status / 100 == 1 && status != 101; }

Answer broken(const Attempt& attempt, const error_code& error) {
  if (attempt.expired()) return attempt.failed(error);
  if (error == http::error::end_of_stream)
    return Attempt::failed("connection closed without an answer");
  if (error == http::error::partial_message)
    return Attempt::failed("connection closed in the middle of the answer");
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return Attempt::failed("the answer's header is over 8 KiB");
  if (error.category() == make_error_code(http::error::bad_version).category())
    return Attempt::failed("the answer is not HTTP: " + words(error));
  return attempt.failed(error);
}

Answer body_lacks(const HttpQuestion& question, bool all_of_it) {
  return Attempt::failed("body has no " + quoted(question.body) +
                         (all_of_it ? "" : " in its first 64 KiB"));
}

// One more piece of the body into `body`.
template <class Stream>
asio::awaitable<error_code> read_piece(Stream& stream, beast::flat_buffer& buffer, Parser& parser,
                                       std::string& body) {
  std::array<char, kPieceBytes> piece;
  http::buffer_body::value_type& target = parser.get().body();
  target.data = piece.data();
  target.size = std::min(piece.size(), kMaxBodyBytes - body.size());
  const std::size_t room = target.size;
  error_code error;
  co_await http::async_read_some(stream, buffer, parser,
                                 asio::redirect_error(asio::use_awaitable, error));
  body.append(piece.data(), room - target.size);
  if (error == http::error::need_buffer) error = {};
  // TLS that ends without a goodbye; whether the body may end here is the parser's to say.
  if (error == asio::ssl::error::stream_truncated) {
    error = {};
    parser.put_eof(error);
  }
  co_return error;
}

template <class Stream>
asio::awaitable<Answer> judge_body(Attempt& attempt, const HttpQuestion& question, Stream& stream,
                                   beast::flat_buffer& buffer, Parser& parser) {
  attempt.doing(kReadingBody);
  std::string body;
  while (!parser.is_done() && body.size() < kMaxBodyBytes) {
    const std::size_t before = body.size();
    const error_code error = co_await read_piece(stream, buffer, parser, body);
    const std::size_t from = before - std::min(before, question.body.size() - 1);
    if (body.find(question.body, from) != std::string::npos) {
      co_return Attempt::passed("status " + std::to_string(parser.get().result_int()) +
                                ", body has " + quoted(question.body));
    }
    if (error) co_return broken(attempt, error);
  }
  co_return body_lacks(question, parser.is_done());
}

// The first header that is no interim answer, into `parser`; after kMaxInterim of these, the last.
template <class Stream>
asio::awaitable<error_code> read_header(const HttpQuestion& question, Stream& stream,
                                        beast::flat_buffer& buffer, std::optional<Parser>& parser) {
  error_code error;
  int interim = 0;
  do {
    parser.emplace();
    parser->header_limit(kMaxHeaderBytes);
    parser->body_limit(boost::none);
    parser->skip(question.method == "HEAD");
    co_await http::async_read_header(stream, buffer, *parser,
                                     asio::redirect_error(asio::use_awaitable, error));
  } while (!error && is_interim(parser->get().result_int()) && ++interim < kMaxInterim);
  co_return error;
}

template <class Stream>
asio::awaitable<Answer> converse(Attempt& attempt, const HttpQuestion& question, Stream& stream) {
  const std::string request = request_text(attempt, question);
  error_code error;
  attempt.doing(kSending);
  co_await asio::async_write(stream, asio::buffer(request),
                             asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return attempt.failed(error);
  attempt.doing(kWaiting);
  beast::flat_buffer buffer(kMaxHeaderBytes);
  std::optional<Parser> parser;
  error = co_await read_header(question, stream, buffer, parser);
  if (error) co_return broken(attempt, error);
  const unsigned status = parser->get().result_int();
  const std::string text = "status " + std::to_string(status);
  if (is_interim(status)) co_return Attempt::failed("too many interim answers, " + text);
  if (!is_expected(question, status))
    co_return Attempt::failed(text + ", not " + expected_text(question));
  if (question.body.empty()) co_return Attempt::passed(text);
  co_return co_await judge_body(attempt, question, stream, buffer, *parser);
}

asio::awaitable<Answer> ask_tls(Attempt& attempt, const HttpQuestion& question,
                                tcp::socket& socket) {
  auto context = tls_context(question);
  if (!context) co_return Attempt::not_asked(context.error());
  asio::ssl::stream<tcp::socket&> stream(socket, **context);
  const Result<> prepared = prepare_tls(stream.native_handle(), question, attempt.asked());
  if (!prepared) co_return Attempt::failed(prepared.error().text());
  std::optional<Answer> failure = co_await connect(attempt, socket);
  if (failure) co_return *std::move(failure);
  attempt.doing(kShakingHands);
  error_code error;
  // The request follows the client's last word of the handshake, and must not wait until the
  // backend acknowledges that (40 ms on Linux).
  socket.set_option(tcp::no_delay(true), error);
  co_await stream.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error && !attempt.expired()) {
    std::string problem = certificate_problem(stream.native_handle(), question);
    if (!problem.empty()) co_return Attempt::failed(std::move(problem));
  }
  if (error) co_return attempt.failed(error);
  co_return co_await converse(attempt, question, stream);
}

}  // namespace

asio::awaitable<Answer> ask_kind(Attempt& attempt, const HttpQuestion& question) {
  tcp::socket socket(attempt.executor());
  if (question.tls) co_return co_await ask_tls(attempt, question, socket);
  std::optional<Answer> failure = co_await connect(attempt, socket);
  if (failure) co_return *std::move(failure);
  co_return co_await converse(attempt, question, socket);
}

}  // namespace guideway::probe
