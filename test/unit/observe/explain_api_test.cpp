// GET /v1/explain over HTTP: what the daemon is asked, and which status an answer has.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>

#include "http_fixture.h"
#include "observe/api.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/example_answer.h"
#include "support/example_bgp.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;
using Catch::Matchers::Contains;

// A daemon that explains everything the same way. Only asked while a client waits for the answer.
struct ExplainingApi {
  std::vector<PacketQuestion> asked{};
  Result<PacketAnswer> says = example_answer();
  Status shown{};
  Operations operations() {
    Operations all{};
    all.status = [this] { return shown; };
    all.explain = [this](PacketQuestion question) -> boost::asio::awaitable<Result<PacketAnswer>> {
      asked.push_back(std::move(question));
      co_return says;
    };
    return all;
  }
  RunningServer server{Kind::unix_socket, api(operations()), kApiLimits};

  std::string error(unsigned status, const std::string& query) {
    const Answer answer = observe::ask(server, "GET /v1/explain?" + query);
    CHECK(answer.status() == status);
    return std::string(json::parse(answer.body).at("error").as_string());
  }
};

TEST_CASE("a packet is explained as the daemon says") {
  ExplainingApi daemon;
  const Answer answer =
      observe::ask(daemon.server,
                   "GET /v1/explain?flow=tcp%20203.0.113.7:40000%20198.51.100.1:80&interface=eth1");
  CHECK(answer.status() == 200);
  CHECK(answer.body == to_json(example_answer()));
  REQUIRE(daemon.asked.size() == 1);
  CHECK(daemon.asked[0].interface == "eth1");
  CHECK(daemon.asked[0].frame.size() == 54);
}

TEST_CASE("of a packet to a service it is told how routers know of the VIP, where they are told") {
  ExplainingApi daemon;
  daemon.shown.bgp = example_bgp();
  const auto explained = [&] {
    return json::parse(observe::ask(daemon.server, "GET /v1/explain?packet=02").body).as_object();
  };
  json::object expected = to_json_object(example_bgp().routes[0]);
  expected["role"] = "active";
  expected["contact"] = "reached";
  expected["sessions"] = 2;
  expected["established"] = 1;
  CHECK(explained().at("route") == json::parse(json::serialize(expected)));
  daemon.says->service->name = "other";
  CHECK_FALSE(explained().contains("route"));
  daemon.says->service.reset();
  CHECK_FALSE(explained().contains("route"));
}

TEST_CASE("the largest packet that can be given as text fits a request, one byte more is 400") {
  ExplainingApi daemon;
  const std::string query = "interface=eth1&packet=";
  CHECK(observe::ask(daemon.server, "GET /v1/explain?" + query + std::string(8192, '0')).status() ==
        200);
  CHECK(daemon.asked.at(0).frame == test::Bytes(4096));
  CHECK_THAT(daemon.error(400, query + std::string(8194, '0')), Contains("4096 at most"));
}

TEST_CASE("a question that is wrong is 400 and asks nobody") {
  ExplainingApi daemon;
  CHECK_THAT(daemon.error(400, ""), Contains("flow=FLOW"));
  CHECK_THAT(daemon.error(400, "flow=icmp+1.1.1.1:1+2.2.2.2:2"), Contains("tcp or udp"));
  CHECK(daemon.asked.empty());
}

TEST_CASE("an interface that there is not is 404, and nobody who could answer is 503") {
  ExplainingApi daemon;
  daemon.says =
      std::unexpected(Error{"no interface in service is called x", "there are: y", ENODEV});
  CHECK(daemon.error(404, "packet=02") == "no interface in service is called x (there are: y)");
  daemon.says = fail("no worker answers");
  CHECK(daemon.error(503, "packet=02") == "no worker answers");
}

}  // namespace
}  // namespace guideway::observe
