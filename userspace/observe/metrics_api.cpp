#include "observe/metrics_api.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "observe/http_routes.h"
#include "observe/metrics.h"

namespace guideway::observe {
namespace {

// The text, made again when the last one is older than kDutyCycle times what it took to make it:
// everybody who can reach the port may ask, and with thousands of backends a text is megabytes and
// a tenth of a second of the control thread. So scrapes take a tenth of the thread at most, and
// what a small configuration says is milliseconds old.
class MetricsText {
 public:
  explicit MetricsText(std::function<Status()> status) : status_(std::move(status)) {}

  std::shared_ptr<const std::string> get() {
    const auto begin = std::chrono::steady_clock::now();
    if (text_ && begin < fresh_until_) return text_;
    text_ = std::make_shared<const std::string>(prometheus_text(status_()));
    const auto end = std::chrono::steady_clock::now();
    fresh_until_ = end + kDutyCycle * (end - begin);
    return text_;
  }

 private:
  static constexpr int kDutyCycle = 10;
  std::function<Status()> status_;
  std::shared_ptr<const std::string> text_;
  std::chrono::steady_clock::time_point fresh_until_{};
};

boost::asio::awaitable<HttpAnswer> get_metrics(const RouteCall& call) {
  co_return HttpAnswer{.shared_body = call.operations.metrics_text(),
                       .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

constexpr Route kRoutes[] = {
    {"GET", "/metrics", get_metrics},
    {"GET", "/healthz", answer_healthz},
    {"GET", "/readyz", answer_readyz},
};

}  // namespace

HttpHandler metrics_api(Operations operations) {
  operations.metrics_text = [text = std::make_shared<MetricsText>(operations.status)] {
    return text->get();
  };
  return serve_routes(kRoutes, std::move(operations));
}

}  // namespace guideway::observe
