#include "observe/metrics_api.h"

#include <utility>

#include "observe/http_routes.h"
#include "observe/metrics.h"

namespace guideway::observe {
namespace {

boost::asio::awaitable<HttpAnswer> get_metrics(const RouteCall& call) {
  co_return HttpAnswer{.body = prometheus_text(call.operations.status()),
                       .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

constexpr Route kRoutes[] = {
    {"GET", "/metrics", get_metrics},
    {"GET", "/healthz", answer_healthz},
    {"GET", "/readyz", answer_readyz},
};

}  // namespace

HttpHandler metrics_api(Operations operations) {
  return serve_routes(kRoutes, std::move(operations));
}

}  // namespace guideway::observe
