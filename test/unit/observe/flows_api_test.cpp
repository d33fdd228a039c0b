// GET /v1/flows and GET /v1/interfaces over HTTP.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "example_status.h"
#include "http_fixture.h"
#include "observe/api.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;
using Catch::Matchers::StartsWith;

// A daemon that answers with what the test has put there, and remembers the question.
class FlowsApi {
 public:
  Result<FlowsPage> page{};
  std::vector<FlowsWanted> asked{};

  Answer ask(const std::string& method_and_target) {
    return observe::ask(server_, method_and_target);
  }
  // The text of an error of this status.
  std::string error(unsigned status, const std::string& target) {
    const Answer answer = ask("GET " + target);
    CHECK(answer.status() == status);
    return std::string(json::parse(answer.body).at("error").as_string());
  }

 private:
  Operations operations() {
    Operations all;
    all.status = [] { return example_status(); };
    all.flows = [this](FlowsWanted wanted) -> boost::asio::awaitable<Result<FlowsPage>> {
      asked.push_back(std::move(wanted));
      co_return page;
    };
    return all;
  }

  RunningServer server_{Kind::unix_socket, api(operations())};
};

TEST_CASE("a page of flows is what the daemon gives, asked for as the query says") {
  FlowsApi daemon;
  daemon.page->flows = {{.protocol = "udp",
                         .client = "203.0.113.7:40000",
                         .destination = "198.51.100.1:53",
                         .service = "dns",
                         .backend = "10.0.0.1",
                         .pool = "blue",
                         .state = "udp",
                         .idle_seconds = 3,
                         .interface = "eth1",
                         .queue = 1}};
  daemon.page->next = FlowsPlace{.interface = "eth1", .queue = 1, .bucket = 9};
  const Answer answer = daemon.ask("GET /v1/flows?client=203.0.113.0/24&limit=1&after=0.5.eth1");
  CHECK(answer.status() == 200);
  CHECK(answer.body == to_json(*daemon.page));
  REQUIRE(daemon.asked.size() == 1);
  CHECK(daemon.asked[0].limit == 1);
  CHECK(daemon.asked[0].client.value().bits == 24);
  CHECK(daemon.asked[0].after == FlowsPlace{.interface = "eth1", .queue = 0, .bucket = 5});
  CHECK(daemon.ask("HEAD /v1/flows").status() == 200);
}

TEST_CASE("a query that cannot be understood is 400 and the daemon is not asked") {
  FlowsApi daemon;
  CHECK_THAT(daemon.error(400, "/v1/flows?pool=blue"), StartsWith("the query may have service="));
  CHECK_THAT(daemon.error(400, "/v1/flows?limit=0"), StartsWith("limit: must be a number from 1"));
  CHECK_THAT(daemon.error(400, "/v1/flows?after=0.0"), StartsWith("after: must be \"next\""));
  CHECK(daemon.asked.empty());
}

TEST_CASE("flows of a service or a backend that there is not are 404") {
  FlowsApi daemon;
  daemon.page = FlowsPage{.kind = FlowsPage::Kind::no_such_service, .known = {"dns"}};
  CHECK(daemon.error(404, "/v1/flows?service=d%6Es%20") ==
        "no service is named dns ; there are: dns");
  daemon.page = FlowsPage{.kind = FlowsPage::Kind::no_such_backend, .known = {"10.0.0.1"}};
  CHECK(daemon.error(404, "/v1/flows?backend=10.0.0.9") ==
        "no pool has the backend 10.0.0.9; there are: 10.0.0.1");
}

TEST_CASE("a worker that does not answer is 503 and named") {
  FlowsApi daemon;
  daemon.page = fail("listing flows: the worker of eth1 queue 0 does not answer within 1000 ms");
  CHECK(daemon.error(503, "/v1/flows") ==
        "listing flows: the worker of eth1 queue 0 does not answer within 1000 ms");
}

TEST_CASE("interfaces are a part of the document") {
  FlowsApi daemon;
  const Answer answer = daemon.ask("GET /v1/interfaces");
  CHECK(answer.status() == 200);
  CHECK(answer.body == interfaces_to_json(example_status()));
  const json::value whole = json::parse(to_json(example_status()));
  CHECK(json::parse(answer.body) == json::value{{"interfaces", whole.at("interfaces")}});
}

}  // namespace
}  // namespace guideway::observe
