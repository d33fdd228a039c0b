// A request and an answer of the daemon's HTTP side, as far as its routes need to know them: plain
// values. What HTTP/1.1 (RFC 9112) is around them is http_server.cpp's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace guideway::observe {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // as sent, still percent-encoded: "/v1/status"
  std::string query;   // what follows '?', as sent; empty: none
  std::string body;
};

struct HttpAnswer {
  unsigned status = 200;  // RFC 9110, section 15
  std::string body{};
  // Instead of `body`, where it is not empty: many clients may be sent the same megabytes.
  std::shared_ptr<const std::string> shared_body{};
  std::string content_type = "application/json";
  std::string allow{};  // the Allow field of a 405; empty: none
};

// {"error": "what"}
[[nodiscard]] HttpAnswer http_error(unsigned status, std::string_view what);

// Makes the answer to a request, and may take its time: other clients are served meanwhile. A HEAD
// is answered as the GET; the server leaves the body out. What it throws becomes a 500.
using HttpHandler = std::function<boost::asio::awaitable<HttpAnswer>(HttpRequest)>;

}  // namespace guideway::observe
