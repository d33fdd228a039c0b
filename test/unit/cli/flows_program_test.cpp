// guideway flows: what it asks for, page by page, and what it prints.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "observe/flows.h"
#include "program.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

namespace json = boost::json;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Script = ScriptedDaemon::Script;

// A page of flows from these ports; `bucket`: where the next begins, 0: this was the last.
std::string page(const std::vector<int>& ports, std::uint64_t bucket) {
  observe::FlowsPage page;
  for (const int port : ports)
    page.flows.push_back({.protocol = "tcp",
                          .client = "203.0.113.7:" + std::to_string(port),
                          .destination = "198.51.100.1:80",
                          .service = "shop",
                          .backend = "10.0.0.1",
                          .pool = "blue",
                          .state = "established",
                          .idle_seconds = 5,
                          .interface = "eth1",
                          .queue = 0});
  if (bucket != 0)
    page.next = observe::FlowsPlace{.interface = "eth1", .queue = 0, .bucket = bucket};
  return http_answer(200, observe::to_json(page));
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

// The three pages of a daemon with four flows: the second one is empty.
Script three_pages() {
  return {{"GET /v1/flows?limit=1000", page({1, 2}, 7)},
          {"GET /v1/flows?limit=1000&after=0.7.eth1", page({}, 8)},
          {"GET /v1/flows?limit=1000&after=0.8.eth1", page({3, 4}, 0)}};
}

TEST_CASE("guideway flows prints all pages under one heading and says how many flows there were") {
  const Ended ended = run_against(three_pages(), {"flows", "--limit", "0"});
  CHECK(ended.code == 0);
  const auto printed = lines(ended.out);
  REQUIRE(printed.size() == 5);
  CHECK_THAT(printed[0], StartsWith("client  "));
  for (std::size_t i = 1; i < 5; ++i)
    CHECK_THAT(printed[i], StartsWith("203.0.113.7:" + std::to_string(i) + " ") &&
                               Contains(" tcp 198.51.100.1:80 ") && Contains(" 10.0.0.1 "));
  CHECK(ended.err == "4 flows\n");
}

TEST_CASE("guideway flows --json prints a flow a line as the daemon gives it, and no note") {
  const Ended ended = run_against(three_pages(), {"flows", "--limit", "0", "--json"});
  CHECK(ended.code == 0);
  const auto printed = lines(ended.out);
  REQUIRE(printed.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const json::value flow = json::parse(printed[i]);
    CHECK(flow.at("client").as_string() == "203.0.113.7:" + std::to_string(i + 1));
    CHECK(flow.as_object().size() == 10);
  }
  CHECK(ended.err.empty());
}

TEST_CASE("guideway flows stops at its limit, having looked whether there is one more") {
  const Script script{{"GET /v1/flows?limit=4", page({1, 2}, 7)},
                      {"GET /v1/flows?limit=2&after=0.7.eth1", page({3, 4}, 8)}};
  std::vector<ScriptedDaemon::Heard> heard;
  const Ended ended = run_against(script, {"flows", "--limit", "3"}, &heard);
  CHECK(ended.code == 0);
  CHECK(lines(ended.out).size() == 4);
  CHECK(ended.err == "3 flows, and there are more: --limit N shows N, --limit 0 all\n");
  CHECK(heard.size() == 2);
  const Ended json = run_against(script, {"flows", "--limit", "3", "--json"});
  CHECK(lines(json.out).size() == 3);
  CHECK_THAT(json.err, StartsWith("3 flows, and there are more"));
}

TEST_CASE("guideway flows of just as many flows as its limit does not speak of more") {
  const Script script{{"GET /v1/flows?limit=3", page({1, 2}, 7)},
                      {"GET /v1/flows?limit=1&after=0.7.eth1", page({}, 0)}};
  const Ended ended = run_against(script, {"flows", "--limit", "2"});
  CHECK(ended.code == 0);
  CHECK(ended.err == "2 flows\n");
}

TEST_CASE("guideway flows asks for the flows that are wanted, and none is no error") {
  const Script script{
      {"GET /v1/flows?limit=1000&service=shop&backend=10.0.0.1"
       "&client=203.0.113.0%2F24",
       page({}, 0)}};
  const Ended ended = run_against(script, {"flows", "--service", "shop", "--backend", "10.0.0.1",
                                           "--client", "203.0.113.0/24"});
  CHECK(ended.code == 0);
  CHECK(ended.out.empty());
  CHECK(ended.err == "0 flows\n");
}

TEST_CASE("guideway flows is refused with the daemon's words and exit code 1") {
  const Script script{{"GET /v1/flows?limit=1000&service=shp",
                       http_answer(404, R"({"error":"no service is named shp"})")}};
  const Ended ended = run_against(script, {"flows", "--service", "shp"});
  CHECK(ended.code == 1);
  CHECK(ended.out.empty());
  CHECK(ended.err == "guideway: asking for the flows: no service is named shp\n");
}

TEST_CASE("guideway flows that fails half-way has printed what it had and exits with 1") {
  Script script = three_pages();
  script["GET /v1/flows?limit=1000&after=0.7.eth1"] =
      http_answer(503, R"({"error":"the worker of eth1 queue 0 does not answer"})");
  const Ended ended = run_against(script, {"flows", "--limit", "0"});
  CHECK(ended.code == 1);
  CHECK(lines(ended.out).size() == 3);
  CHECK(ended.err ==
        "guideway: asking for the flows: the worker of eth1 queue 0 does not answer\n");
}

TEST_CASE("guideway flows does not go round in circles") {
  Script script = three_pages();
  script["GET /v1/flows?limit=1000&after=0.7.eth1"] = page({1}, 7);
  const Ended ended = run_against(script, {"flows", "--limit", "0"});
  CHECK(ended.code == 1);
  CHECK_THAT(ended.err, Contains("the page behind 0.7.eth1 is that same page again"));
}

TEST_CASE("guideway flows with a wrong word is exit code 2 and nothing is asked") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"flows", "--backend", "be1"},
        {"flows", "--client", "203.0.113.0/33"},
        {"flows", "--client", ""},
        {"flows", "--service", ""},
        {"flows", "--limit", "-1"},
        {"flows", "--limit", "1.5"},
        {"flows", "--limit", "99999999999999999999"},
        {"flows", "--limit", "all"}}) {
    INFO(words[1] << " " << words[2]);
    std::vector<ScriptedDaemon::Heard> heard;
    const Ended ended = run_against({}, words, &heard);
    CHECK(ended.code == 2);
    CHECK(ended.out.empty());
    CHECK_FALSE(ended.err.empty());
    CHECK(heard.empty());
  }
}

}  // namespace
}  // namespace guideway::cli
