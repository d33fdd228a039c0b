#include "observe/metrics_api.h"

#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>

#include "example_status.h"
#include "http_fixture.h"
#include "observe/metrics.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

using Catch::Matchers::Contains;

// Only what the metrics port may ask.
Operations operations(bool ready = true) {
  Operations some;
  some.status = example_status;
  some.ready = [ready] { return ready; };
  return some;
}

TEST_CASE("the metrics are those of the status, in the format that Prometheus asks for") {
  const RunningServer server(Kind::tcp, metrics_api(operations()), kMetricsLimits);
  const Answer answer = ask(server, "GET /metrics");
  CHECK(answer.status() == 200);
  CHECK_THAT(answer.head,
             Contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  CHECK(answer.body == prometheus_text(example_status()));
}

TEST_CASE(
    "a text that takes long to make is shared by those who ask soon after, and made anew later") {
  using namespace std::chrono_literals;
  using Clock = std::chrono::steady_clock;
  std::atomic<int> made = 0;
  Operations slow = operations();
  slow.status = [&made] {
    for (const auto end = Clock::now() + 50ms; Clock::now() < end;) {
    }
    Status status = example_status();
    status.generation = static_cast<std::uint64_t>(++made);
    return status;
  };
  const RunningServer server(Kind::tcp, metrics_api(slow), kMetricsLimits);
  const auto deadline = Clock::now() + 20s;
  bool shared = false, anew = false;
  std::string last;
  while (!(shared && anew) && Clock::now() < deadline) {
    const std::string text = ask(server, "GET /metrics").body;
    if (!last.empty()) (text == last ? shared : anew) = true;
    last = text;
  }
  CHECK(shared);
  CHECK(anew);
  CHECK(made > 1);
}

TEST_CASE("the metrics port says whether the daemon is there and ready") {
  for (const bool ready : {true, false}) {
    const RunningServer server(Kind::tcp, metrics_api(operations(ready)), kMetricsLimits);
    CHECK(ask(server, "GET /healthz").body == "ok");
    CHECK(ask(server, "GET /readyz").status() == (ready ? 200 : 503));
    CHECK(ask(server, "GET /readyz").body == (ready ? "ready" : "not ready"));
  }
}

TEST_CASE("nothing else can be asked at the metrics port") {
  const RunningServer server(Kind::tcp, metrics_api(operations()), kMetricsLimits);
  for (const std::string request :
       {"GET /", "GET /v1/status", "GET /v1/backends", "POST /v1/reload", "PUT /v1/log",
        "POST /v1/backends/10.0.0.1/drain", "GET /v1/log"}) {
    INFO(request);
    const Answer answer = ask(server, request);
    CHECK(answer.status() == 404);
    CHECK(boost::json::parse(answer.body).at("error") ==
          "no such path; there are /metrics, /healthz and /readyz");
  }
  const Answer answer = ask(server, "POST /metrics");
  CHECK(answer.status() == 405);
  CHECK_THAT(answer.head, Contains("\r\nAllow: GET, HEAD\r\n"));
}

}  // namespace
}  // namespace guideway::observe
