#include "observe/admin_api.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <string_view>
#include <utility>

namespace guideway::observe {
namespace {

namespace http = boost::beast::http;

constexpr unsigned kHttp11 = 11;
constexpr std::string_view kStatusPath = "/v1/status";

AdminAnswer make(http::status code, std::string body) {
  AdminAnswer answer(code, kHttp11);
  answer.set(http::field::content_type, "application/json");
  answer.set(http::field::cache_control, "no-store");
  answer.body() = std::move(body);
  answer.prepare_payload();
  return answer;
}

AdminAnswer make_error(http::status code, std::string_view what) {
  return make(code, boost::json::serialize(boost::json::object{{"error", what}}));
}

AdminAnswer route(const AdminRequest& request, const std::function<std::string()>& status) {
  const std::string_view target(request.target().data(), request.target().size());
  if (target.substr(0, target.find('?')) != kStatusPath)
    return make_error(http::status::not_found, "no such path; there is /v1/status");
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    AdminAnswer answer = make_error(http::status::method_not_allowed, "only GET and HEAD");
    answer.set(http::field::allow, "GET, HEAD");
    return answer;
  }
  try {
    return make(http::status::ok, status());
  } catch (const std::exception& failure) {
    return make_error(http::status::internal_server_error, failure.what());
  }
}

}  // namespace

AdminAnswer respond(const AdminRequest& request, const std::function<std::string()>& status) {
  AdminAnswer answer = route(request, status);
  answer.version(request.version());
  answer.keep_alive(request.keep_alive());
  // Content-Length stays that of the GET (RFC 9110, section 9.3.2).
  if (request.method() == http::verb::head) answer.body().clear();
  return answer;
}

std::optional<AdminAnswer> refuse(boost::system::error_code error) {
  static const auto& http_category = http::make_error_code(http::error::bad_method).category();
  if (error.category() != http_category) return std::nullopt;
  if (error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  const auto code = error == http::error::header_limit
                        ? http::status::request_header_fields_too_large
                    : error == http::error::body_limit ? http::status::payload_too_large
                                                       : http::status::bad_request;
  AdminAnswer answer = make_error(code, error.message());
  answer.keep_alive(false);
  return answer;
}

}  // namespace guideway::observe
