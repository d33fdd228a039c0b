#include "observe/api.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "example_status.h"
#include "http_fixture.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// A daemon that remembers what it was asked for. Only asked while a client waits for the answer, so
// that the server's thread and the test's take turns.
struct FakeDaemon {
  Status shown = example_status();
  bool ready = true;
  ReloadOutcome reload_outcome{};
  DrainOutcome drain_outcome{};
  std::vector<std::string> asked{};

  Operations operations() {
    return {.status = [this] { return shown; },
            .reload = [this]() -> boost::asio::awaitable<ReloadOutcome> {
              asked.push_back("reload");
              co_return reload_outcome;
            },
            .set_drain =
                [this](const std::string& backend, const std::string& pool, bool drain) {
                  asked.push_back((drain ? "drain " : "undrain ") + backend + " in " +
                                  (pool.empty() ? "all" : pool));
                  return drain_outcome;
                },
            .set_role = {},
            .set_log_level =
                [this](const std::string& level) {
                  asked.push_back("log " + level);
                  return level == "debug";
                },
            .log_level = [this] { return shown.log_level; },
            .flows = {},
            .explain = {},
            .ready = [this] { return ready; },
            .metrics_text = {}};
  }
};

class RunningApi : public FakeDaemon {
 public:
  Answer ask(const std::string& method_and_target, const std::string& body = "") {
    return observe::ask(server_, method_and_target, body);
  }
  json::value document(const std::string& method_and_target, const std::string& body = "") {
    return json::parse(ask(method_and_target, body).body);
  }
  // The text of an error of this status.
  std::string error(unsigned status, const std::string& method_and_target,
                    const std::string& body = "") {
    const Answer answer = ask(method_and_target, body);
    CHECK(answer.status() == status);
    const json::value parsed = json::parse(answer.body);
    CHECK(parsed.as_object().size() == 1);
    return std::string(parsed.at("error").as_string());
  }

 private:
  RunningServer server_{Kind::unix_socket, api(operations())};
};

using Lines = std::vector<std::string>;

TEST_CASE("the status is the whole document, whatever the query") {
  RunningApi daemon;
  CHECK(daemon.ask("GET /v1/status").body == to_json(daemon.shown));
  CHECK(daemon.ask("GET /v1/status?pretty").body == to_json(daemon.shown));
  const Answer head = daemon.ask("HEAD /v1/status");
  CHECK(head.status() == 200);
  CHECK(head.body.empty());
}

TEST_CASE("services and backends are parts of the document") {
  RunningApi daemon;
  CHECK(daemon.ask("GET /v1/services").body == services_to_json(daemon.shown));
  CHECK(daemon.ask("GET /v1/backends").body == pools_to_json(daemon.shown));
}

TEST_CASE("a reload that succeeds is 200 and says what has changed") {
  RunningApi daemon;
  daemon.reload_outcome = {.succeeded = true,
                           .generation = 12,
                           .changes = {"pool blue: backend 10.0.0.3 added"},
                           .warnings = {"admin.socket keeps its value until a restart"}};
  const Answer answer = daemon.ask("POST /v1/reload");
  CHECK(answer.status() == 200);
  CHECK(json::parse(answer.body) ==
        json::value{{"succeeded", true},
                    {"generation", 12},
                    {"changes", json::array{"pool blue: backend 10.0.0.3 added"}},
                    {"warnings", json::array{"admin.socket keeps its value until a restart"}},
                    {"problems", json::array{}}});
  CHECK(daemon.asked == Lines{"reload"});
}

TEST_CASE("a reload of a file that is wrong is 422 and says all that is wrong with it") {
  RunningApi daemon;
  daemon.reload_outcome = {.generation = 11, .problems = {"f:1:1: no", "f:2:1: neither"}};
  const Answer answer = daemon.ask("POST /v1/reload");
  CHECK(answer.status() == 422);
  CHECK(json::parse(answer.body) ==
        json::value{{"succeeded", false},
                    {"generation", 11},
                    {"changes", json::array{}},
                    {"warnings", json::array{}},
                    {"problems", json::array{"f:1:1: no", "f:2:1: neither"}}});
}

TEST_CASE("a backend is drained in all pools that have it, and the answer names them") {
  RunningApi daemon;
  daemon.drain_outcome = {.pools = {"blue", "green"}, .changed = true};
  const Answer answer = daemon.ask("POST /v1/backends/10.0.0.1/drain");
  CHECK(answer.status() == 200);
  CHECK(json::parse(answer.body) == json::value{{"backend", "10.0.0.1"},
                                                {"pools", json::array{"blue", "green"}},
                                                {"drained", true},
                                                {"changed", true}});
  CHECK(daemon.asked == Lines{"drain 10.0.0.1 in all"});
}

TEST_CASE("a backend is taken back in one pool, whose name may be percent-encoded") {
  RunningApi daemon;
  daemon.drain_outcome = {.pools = {"blue & green"}};
  const json::value answer =
      daemon.document("POST /v1/backends/10%2e0.0.1/undrain?pool=blue%20%26%20green");
  CHECK(answer.at("drained") == false);
  CHECK(answer.at("changed") == false);
  CHECK(daemon.asked == Lines{"undrain 10.0.0.1 in blue & green"});
}

TEST_CASE("a backend or a pool that there is not is 404 and named") {
  RunningApi daemon;
  daemon.drain_outcome = {.kind = DrainOutcome::Kind::no_such_backend};
  CHECK(daemon.error(404, "POST /v1/backends/10.0.0.9/drain") ==
        "no pool has the backend 10.0.0.9; guideway backends and GET /v1/backends list them");
  CHECK(daemon.error(404, "POST /v1/backends/10.0.0.9/undrain?pool=blue") ==
        "the pool blue has no backend 10.0.0.9; guideway backends and GET /v1/backends list them");
  daemon.drain_outcome = {.kind = DrainOutcome::Kind::no_such_pool};
  CHECK(daemon.error(404, "POST /v1/backends/10.0.0.1/drain?pool=red") ==
        "no pool is named red; guideway backends and GET /v1/backends list them");
}

TEST_CASE("a query that does not name a pool is 400, so that a slip does not drain everywhere") {
  RunningApi daemon;
  const std::string drain = "POST /v1/backends/10.0.0.1/drain";
  CHECK_THAT(daemon.error(400, drain + "?pol=blue"),
             StartsWith("the query may only be ?pool=NAME"));
  CHECK_THAT(daemon.error(400, drain + "?pool=blue&pool=green"),
             Contains("may only be ?pool=NAME"));
  for (const std::string pool : {"", "%", "%4", "%zz"})
    CHECK_THAT(daemon.error(400, drain + "?pool=" + pool), StartsWith("?pool= must have the"));
  CHECK_THAT(daemon.error(400, "POST /v1/backends/10.0.0.1%/drain"), Contains("hexadecimal"));
  CHECK(daemon.asked.empty());
}

TEST_CASE("the log level is shown and set") {
  RunningApi daemon;
  CHECK(daemon.document("GET /v1/log") == json::value{{"level", "info"}});
  const Answer answer = daemon.ask("PUT /v1/log", R"({"level": "debug"})");
  CHECK(answer.status() == 200);
  CHECK(json::parse(answer.body) == json::value{{"level", "debug"}});
  CHECK(daemon.asked == Lines{"log debug"});
}

TEST_CASE("a log level that is none is 400 and says which there are") {
  RunningApi daemon;
  CHECK(daemon.error(400, "PUT /v1/log", R"({"level": "lo\"ud"})") ==
        R"(level: must be trace, debug, info, warning or error, not "lo\"ud")");
  for (const std::string body : {"", "debug", "{\"level\":", "[]", "{}", R"({"level": 3})",
                                 R"({"level": "debug", "for": 3})", R"({"level":"debug"}x)"}) {
    INFO(body);
    CHECK_THAT(daemon.error(400, "PUT /v1/log", body),
               StartsWith(R"(the body must be a JSON object such as {"level": "debug"})"));
  }
  CHECK(daemon.asked == Lines{"log lo\"ud"});
}

TEST_CASE("a process that answers is healthy, and whether it is ready the daemon says") {
  RunningApi daemon;
  CHECK(daemon.ask("GET /healthz").body == "ok");
  CHECK(daemon.ask("GET /readyz").body == "ready");
  daemon.ready = false;
  CHECK(daemon.ask("GET /healthz").body == "ok");
  const Answer answer = daemon.ask("GET /readyz");
  CHECK(answer.status() == 503);
  CHECK(answer.body == "not ready");
  CHECK_THAT(answer.head, Contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
  CHECK(daemon.ask("HEAD /readyz").status() == 503);
}

TEST_CASE("another path is 404 and the answer names those that there are") {
  RunningApi daemon;
  for (const std::string path :
       {"/", "/v1", "/v1/status/", "/v1/statuses", "*", "/metrics", "/v1/backends/drain",
        "/v1/backends//drain", "/v1/backends/a/b/drain", "/v1/backends/10.0.0.1"}) {
    INFO(path);
    CHECK(daemon.error(404, "GET " + path) ==
          "no such path; there are /v1/status, /v1/services, /v1/backends, /v1/interfaces, "
          "/v1/bgp, /v1/flows, /v1/explain, "
          "/v1/backends/ADDRESS/drain, /v1/backends/ADDRESS/undrain, /v1/role/ROLE, /v1/reload, "
          "/v1/log, /healthz "
          "and /readyz");
  }
}

TEST_CASE("another method is 405 and says which there are") {
  RunningApi daemon;
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"POST /v1/status", "GET, HEAD"},     {"CONJURE /v1/status", "GET, HEAD"},
      {"DELETE /v1/backends", "GET, HEAD"}, {"GET /v1/reload", "POST"},
      {"HEAD /v1/reload", "POST"},          {"GET /v1/backends/10.0.0.1/drain", "POST"},
      {"POST /v1/log", "GET, HEAD, PUT"},   {"PUT /readyz", "GET, HEAD"}};
  for (const auto& [request, allowed] : wrong) {
    INFO(request);
    const Answer answer = daemon.ask(request);
    CHECK(answer.status() == 405);
    CHECK_THAT(answer.head, Contains("\r\nAllow: " + allowed + "\r\n"));
    if (!request.starts_with("HEAD"))
      CHECK_THAT(answer.body, Contains("\"error\"") && Contains(allowed));
  }
  CHECK(daemon.asked.empty());
}

TEST_CASE("an operation that throws is 500 and says why") {
  FakeDaemon daemon;
  Operations operations = daemon.operations();
  operations.status = []() -> Status { throw std::runtime_error("no numbers"); };
  const RunningServer server(Kind::unix_socket, api(operations));
  const Answer answer = ask(server, "GET /v1/status");
  CHECK(answer.status() == 500);
  CHECK(answer.body == R"({"error":"no numbers"})");
}

}  // namespace
}  // namespace guideway::observe
