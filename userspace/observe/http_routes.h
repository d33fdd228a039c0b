// A table of routes: which function answers which method and path. Two of them are made of it, the
// local API (api.h) and that of the metrics port (metrics_api.h).
//
// What no route has is answered here: an unknown path is 404 and the answer names those that there
// are; another method is 405 with Allow (RFC 9110, section 15.5.6). HEAD is wherever GET is.
//
// Threads: none of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "observe/http_message.h"
#include "observe/operations.h"

namespace guideway::observe {

struct RouteCall {
  const Operations& operations;
  const HttpRequest& request;
  std::string variable;  // what stands for ADDRESS or ROLE in the path, decoded; empty: no such
};

struct Route {
  std::string_view method;
  std::string_view path;  // "/v1/backends/ADDRESS/drain": ADDRESS, or ROLE, is any one segment
  // REQUIRES: the call lives until it has answered.
  boost::asio::awaitable<HttpAnswer> (*answer)(const RouteCall& call);
};

// REQUIRES: `routes` outlives the handler and its calls.
[[nodiscard]] HttpHandler serve_routes(std::span<const Route> routes, Operations operations);

// Decodes %41 and the like (RFC 3986, section 2.1); nullopt: a '%' without two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// What both tables have: "ok" from a process that answers at all, and whether it is ready.
[[nodiscard]] boost::asio::awaitable<HttpAnswer> answer_healthz(const RouteCall& call);
[[nodiscard]] boost::asio::awaitable<HttpAnswer> answer_readyz(const RouteCall& call);

}  // namespace guideway::observe
