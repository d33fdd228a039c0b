#include "observe/http_routes.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace guideway::observe {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kVariables[] = {"ADDRESS", "ROLE"};

// The one that `pattern` has; "" where it has none.
std::string_view variable_of(std::string_view pattern) {
  for (const std::string_view variable : kVariables)
    if (pattern.find(variable) != std::string_view::npos) return variable;
  return "";
}

// What stands for the variable in `path`, "" where `pattern` has none; nullopt: does not match.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
  const std::string_view name = variable_of(pattern);
  if (name.empty()) return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  const std::size_t at = pattern.find(name);
  const std::string_view before = pattern.substr(0, at);
  const std::string_view behind = pattern.substr(at + name.size());
  if (path.size() <= before.size() + behind.size()) return std::nullopt;
  if (!path.starts_with(before) || !path.ends_with(behind)) return std::nullopt;
  const auto variable = path.substr(at, path.size() - before.size() - behind.size());
  return variable.find('/') == std::string_view::npos ? std::optional(variable) : std::nullopt;
}

HttpAnswer no_such_path(std::span<const Route> routes) {
  std::vector<std::string_view> paths;
  for (const Route& route : routes)
    if (std::find(paths.begin(), paths.end(), route.path) == paths.end())
      paths.push_back(route.path);
  std::string text;
  for (const std::string_view path : paths) {
    if (!text.empty()) text += path == paths.back() ? " and " : ", ";
    text += path;
  }
  return http_error(404, "no such path; there are " + text);
}

HttpAnswer no_such_method(const std::vector<const Route*>& found) {
  std::string allowed;
  for (const Route* route : found) {
    if (!allowed.empty()) allowed += ", ";
    allowed += route->method;
    if (route->method == "GET") allowed += ", HEAD";
  }
  HttpAnswer answer = http_error(405, "no such method for this path; there are: " + allowed);
  answer.allow = allowed;
  return answer;
}

asio::awaitable<HttpAnswer> dispatch(std::span<const Route> routes,
                                     std::shared_ptr<const Operations> operations,
                                     HttpRequest request) {
  const std::string_view method =
      request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::vector<const Route*> found;
  std::string_view variable;
  for (const Route& route : routes) {
    const auto matched = match(route.path, request.path);
    if (!matched) continue;
    variable = *matched;
    found.push_back(&route);
  }
  if (found.empty()) co_return no_such_path(routes);
  const auto route = std::find_if(found.begin(), found.end(),
                                  [&](const Route* one) { return one->method == method; });
  if (route == found.end()) co_return no_such_method(found);
  auto decoded = percent_decoded(variable);
  if (!decoded)
    co_return http_error(400, "the path has a % that is not followed by two hexadecimal digits");
  const RouteCall call{*operations, request, std::move(*decoded)};
  co_return co_await (*route)->answer(call);
}

HttpAnswer plain(unsigned status, std::string body) {
  return {.status = status, .body = std::move(body), .content_type = "text/plain; charset=utf-8"};
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

HttpHandler serve_routes(std::span<const Route> routes, Operations operations) {
  return [routes, shared = std::make_shared<const Operations>(std::move(operations))](
             HttpRequest request) { return dispatch(routes, shared, std::move(request)); };
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

asio::awaitable<HttpAnswer> answer_healthz(const RouteCall&) { co_return plain(200, "ok"); }

asio::awaitable<HttpAnswer> answer_readyz(const RouteCall& call) {
  const bool ready = call.operations.ready();
  co_return ready ? plain(200, "ready") : plain(503, "not ready");
}

}  // namespace guideway::observe
