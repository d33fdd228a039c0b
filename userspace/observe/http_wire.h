// Between Boost.Beast's messages and ours. No sockets. (Pulls Boost.Beast in: for http_server.cpp
// alone.)
//
// Threads: none of its own.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>

#include "observe/http_message.h"

namespace guideway::observe {

using WireRequest = boost::beast::http::request<boost::beast::http::string_body>;
using WireRequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// A message whose body is a view of `body`.
struct WireAnswer {
  boost::beast::http::response<boost::beast::http::span_body<const char>> message;
  std::shared_ptr<const std::string> body;
};

[[nodiscard]] HttpRequest from_wire(const WireRequest& request);

// The answer as it is sent to who asked `request`: its version and keep-alive, no body for a HEAD.
[[nodiscard]] WireAnswer to_wire(HttpAnswer answer, const WireRequest& request);

// The answer to what could not be read as a request, after which the connection is to be closed;
// nullopt where there is nothing to answer: the client has gone, is silent, or was closed.
[[nodiscard]] std::optional<WireAnswer> refuse(boost::system::error_code error);

}  // namespace guideway::observe
