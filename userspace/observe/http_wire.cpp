#include "observe/http_wire.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <string_view>
#include <utility>

namespace guideway::observe {
namespace {

namespace http = boost::beast::http;

constexpr unsigned kHttp11 = 11;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

WireAnswer make(HttpAnswer answer) {
  WireAnswer made;
  made.body = answer.shared_body ? std::move(answer.shared_body)
                                 : std::make_shared<const std::string>(std::move(answer.body));
  auto& message = made.message;
  message.result(static_cast<http::status>(answer.status));
  message.version(kHttp11);
  message.set(http::field::content_type, answer.content_type);
  message.set(http::field::cache_control, "no-store");
  if (!answer.allow.empty()) message.set(http::field::allow, answer.allow);
  message.body() = {made.body->data(), made.body->size()};
  message.prepare_payload();
  return made;
}

}  // namespace

HttpRequest from_wire(const WireRequest& request) {
  std::string target = text(request.target());
  // The absolute form (RFC 9112, section 3.2.2): who the authority is makes no difference here.
  if (const std::size_t scheme = target.find("://");
      scheme != std::string::npos && !target.starts_with('/')) {
    const std::size_t path = target.find('/', scheme + 3);
    target = path == std::string::npos ? "/" : target.substr(path);
  }
  const std::size_t mark = target.find('?');
  return {.method = text(request.method_string()),
          .path = target.substr(0, mark),
          .query = mark == std::string::npos ? "" : target.substr(mark + 1),
          .body = request.body()};
}

WireAnswer to_wire(HttpAnswer answer, const WireRequest& request) {
  WireAnswer made = make(std::move(answer));
  made.message.version(request.version());
  made.message.keep_alive(request.keep_alive());
  // Content-Length stays that of the GET (RFC 9110, section 9.3.2).
  if (request.method() == http::verb::head) made.message.body() = {};
  return made;
}

std::optional<WireAnswer> refuse(boost::system::error_code error) {
  static const auto& http_category = http::make_error_code(http::error::bad_method).category();
  if (error.category() != http_category) return std::nullopt;
  if (error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  const auto code = error == http::error::header_limit
                        ? http::status::request_header_fields_too_large
                    : error == http::error::body_limit ? http::status::payload_too_large
                                                       : http::status::bad_request;
  WireAnswer answer = make(http_error(static_cast<unsigned>(code), error.message()));
  answer.message.keep_alive(false);
  return answer;
}

}  // namespace guideway::observe
