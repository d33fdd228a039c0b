#include "observe/api.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <expected>
#include <utility>

#include "observe/http_routes.h"

namespace guideway::observe {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

HttpAnswer answer_json(unsigned status, const json::object& body) {
  return {.status = status, .body = json::serialize(body)};
}

json::array lines(const std::vector<std::string>& all) {
  json::array out;
  out.reserve(all.size());
  for (const std::string& one : all) out.emplace_back(one);
  return out;
}

asio::awaitable<HttpAnswer> get_status(const RouteCall& call) {
  co_return HttpAnswer{.body = to_json(call.operations.status())};
}

asio::awaitable<HttpAnswer> get_services(const RouteCall& call) {
  co_return HttpAnswer{.body = services_to_json(call.operations.status())};
}

asio::awaitable<HttpAnswer> get_backends(const RouteCall& call) {
  co_return HttpAnswer{.body = pools_to_json(call.operations.status())};
}

asio::awaitable<HttpAnswer> get_interfaces(const RouteCall& call) {
  co_return HttpAnswer{.body = interfaces_to_json(call.operations.status())};
}

constexpr const char* kNoBgp = "nothing is announced: the configuration has no bgp: section";

HttpAnswer bgp(const RouteCall& call) {
  const Status status = call.operations.status();
  return status.bgp ? answer_json(200, to_json_object(*status.bgp)) : http_error(404, kNoBgp);
}

asio::awaitable<HttpAnswer> get_bgp(const RouteCall& call) { co_return bgp(call); }

HttpAnswer set_role(const RouteCall& call) {
  const RoleOutcome outcome = call.operations.set_role(call.variable);
  switch (outcome.kind) {
    case RoleOutcome::Kind::no_such_role:
      return http_error(404, "role: must be active, passive or drain, not " +
                                 json::serialize(json::value(call.variable)));
    case RoleOutcome::Kind::no_bgp: return http_error(409, kNoBgp);
    case RoleOutcome::Kind::done: break;
  }
  return answer_json(200, {{"role", call.variable}, {"changed", outcome.changed}});
}

asio::awaitable<HttpAnswer> post_role(const RouteCall& call) { co_return set_role(call); }

asio::awaitable<HttpAnswer> get_flows(const RouteCall& call) {
  const auto wanted = flows_wanted(call.request.query);
  if (!wanted) co_return http_error(400, wanted.error());
  const auto page = co_await call.operations.flows(*wanted);
  if (!page) co_return http_error(503, page.error().text());
  if (page->kind != FlowsPage::Kind::done) co_return http_error(404, refusal(*page, *wanted));
  co_return HttpAnswer{.body = to_json(*page)};
}

void add_route(const RouteCall& call, PacketAnswer& answer) {
  if (!answer.service) return;
  const Status status = call.operations.status();
  if (status.bgp) answer.route = route_of(*status.bgp, answer.service->name);
}

HttpAnswer explained(const RouteCall& call, Result<PacketAnswer> answer) {
  if (!answer)
    return http_error(answer.error().number == ENODEV ? 404 : 503, answer.error().text());
  add_route(call, *answer);
  return {.body = to_json(*answer)};
}

asio::awaitable<HttpAnswer> get_explain(const RouteCall& call) {
  auto question = packet_question(call.request.query);
  if (!question) co_return http_error(400, question.error().text());
  co_return explained(call, co_await call.operations.explain(std::move(*question)));
}

asio::awaitable<HttpAnswer> post_reload(const RouteCall& call) {
  const ReloadOutcome outcome = co_await call.operations.reload();
  co_return answer_json(outcome.succeeded ? 200 : 422, {{"succeeded", outcome.succeeded},
                                                        {"generation", outcome.generation},
                                                        {"changes", lines(outcome.changes)},
                                                        {"warnings", lines(outcome.warnings)},
                                                        {"problems", lines(outcome.problems)}});
}

// The pool that the query names, "" without a query. A parameter that is not known is an error: a
// misspelt "pool" would drain the backend everywhere.
std::expected<std::string, std::string> pool_of(std::string_view query) {
  constexpr std::string_view kKey = "pool=";
  if (query.empty()) return "";
  if (!query.starts_with(kKey) || query.find('&') != std::string_view::npos)
    return std::unexpected("the query may only be ?pool=NAME, it is ?" + std::string(query));
  auto pool = percent_decoded(query.substr(kKey.size()));
  if (!pool || pool->empty()) {
    return std::unexpected("?pool= must have the percent-encoded name of a pool behind it, not " +
                           std::string(query.substr(kKey.size())) +
                           "; without ?pool= it is all pools that have the backend");
  }
  return *pool;
}

HttpAnswer no_such_backend(const std::string& backend, const std::string& pool) {
  const std::string what = pool.empty() ? "no pool has the backend " + backend
                                        : "the pool " + pool + " has no backend " + backend;
  return http_error(404, what + "; guideway backends and GET /v1/backends list them");
}

HttpAnswer set_drain(const RouteCall& call, bool drain) {
  const auto pool = pool_of(call.request.query);
  if (!pool) return http_error(400, pool.error());
  const std::string& backend = call.variable;
  const DrainOutcome outcome = call.operations.set_drain(backend, *pool, drain);
  switch (outcome.kind) {
    case DrainOutcome::Kind::no_such_pool:
      return http_error(
          404, "no pool is named " + *pool + "; guideway backends and GET /v1/backends list them");
    case DrainOutcome::Kind::no_such_backend: return no_such_backend(backend, *pool);
    case DrainOutcome::Kind::done: break;
  }
  return answer_json(200, {{"backend", backend},
                           {"pools", lines(outcome.pools)},
                           {"drained", drain},
                           {"changed", outcome.changed}});
}

asio::awaitable<HttpAnswer> post_drain(const RouteCall& call) { co_return set_drain(call, true); }

asio::awaitable<HttpAnswer> post_undrain(const RouteCall& call) {
  co_return set_drain(call, false);
}

asio::awaitable<HttpAnswer> get_log(const RouteCall& call) {
  co_return answer_json(200, {{"level", call.operations.log_level()}});
}

std::expected<std::string, std::string> level_of(const std::string& body) {
  constexpr const char* kRight = R"(the body must be a JSON object such as {"level": "debug"})";
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  if (error) return std::unexpected(std::string(kRight) + ": " + error.message());
  const json::object* object = document.if_object();
  const json::value* level = object == nullptr ? nullptr : object->if_contains("level");
  if (level == nullptr || !level->is_string() || object->size() != 1)
    return std::unexpected(std::string(kRight) + ", not " + json::serialize(document));
  return std::string(level->as_string());
}

asio::awaitable<HttpAnswer> put_log(const RouteCall& call) {
  const auto level = level_of(call.request.body);
  if (!level) co_return http_error(400, level.error());
  if (!call.operations.set_log_level(*level)) {
    co_return http_error(400, "level: must be trace, debug, info, warning or error, not " +
                                  json::serialize(json::value(*level)));
  }
  co_return answer_json(200, {{"level", *level}});
}

constexpr Route kRoutes[] = {
    {"GET", "/v1/status", get_status},
    {"GET", "/v1/services", get_services},
    {"GET", "/v1/backends", get_backends},
    {"GET", "/v1/interfaces", get_interfaces},
    {"GET", "/v1/bgp", get_bgp},
    {"GET", "/v1/flows", get_flows},
    {"GET", "/v1/explain", get_explain},
    {"POST", "/v1/backends/ADDRESS/drain", post_drain},
    {"POST", "/v1/backends/ADDRESS/undrain", post_undrain},
    {"POST", "/v1/role/ROLE", post_role},
    {"POST", "/v1/reload", post_reload},
    {"GET", "/v1/log", get_log},
    {"PUT", "/v1/log", put_log},
    {"GET", "/healthz", answer_healthz},
    {"GET", "/readyz", answer_readyz},
};

}  // namespace

HttpHandler api(Operations operations) { return serve_routes(kRoutes, std::move(operations)); }

}  // namespace guideway::observe
