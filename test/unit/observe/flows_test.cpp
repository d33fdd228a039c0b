#include "observe/flows.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// What is wrong with a query.
std::string problem(const std::string& query) {
  const auto wanted = flows_wanted(query);
  INFO(query);
  REQUIRE_FALSE(wanted);
  return wanted.error();
}

FlowStatus example_flow() {
  return {.protocol = "tcp",
          .client = "203.0.113.7:40000",
          .destination = "198.51.100.1:80",
          .service = "shop",
          .backend = "10.0.0.1",
          .pool = "blue",
          .state = "established",
          .idle_seconds = 12,
          .interface = "eth1",
          .queue = 3};
}

TEST_CASE("a query without anything asks for a first page of all flows") {
  const auto wanted = flows_wanted("");
  REQUIRE(wanted);
  CHECK(wanted->service.empty());
  CHECK_FALSE(wanted->backend);
  CHECK_FALSE(wanted->client);
  CHECK_FALSE(wanted->after);
  CHECK(wanted->limit == kMaxFlowsOfPage);
}

TEST_CASE("a query may ask for service, backend, client, size and place, percent-encoded") {
  const auto wanted = flows_wanted(
      "after=3.70000.eth1.100%2F2&service=198.51.100.1%20tcp%2F80&backend=10.0.0.1"
      "&client=203.0.113.0%2F24&limit=7");
  REQUIRE(wanted);
  CHECK(wanted->service == "198.51.100.1 tcp/80");
  CHECK(wanted->backend.value().text() == "10.0.0.1");
  CHECK(wanted->client.value().address.text() == "203.0.113.0");
  CHECK(wanted->client.value().bits == 24);
  CHECK(wanted->limit == 7);
  CHECK(wanted->after.value() ==
        FlowsPlace{.interface = "eth1.100/2", .queue = 3, .bucket = 70000});
}

TEST_CASE("what is no parameter is refused, and those that there are are named") {
  for (const std::string query :
       {"pool=blue", "service", "=", "&", "limit=7&&service=a", "Limit=7", "limit7"})
    CHECK_THAT(problem(query), StartsWith("the query may have service=NAME, backend=ADDRESS, "
                                          "client=PREFIX, limit=N and after=NEXT"));
  CHECK_THAT(problem("limit=7&pool=blue"), Contains("not \"pool=blue\""));
}

TEST_CASE("a parameter that is there twice is refused, as one of them would be overlooked") {
  CHECK(problem("backend=10.0.0.1&backend=10.0.0.2") == "backend: is there twice; give it once");
}

TEST_CASE("a value that is wrong is refused, and the error says what would be right") {
  CHECK(problem("service=") == "service: must be the name of a service, not \"\"");
  for (const std::string backend : {"", "be1", "10.0.0", "10.0.0.1:80", "10.0.0.1%2F32"})
    CHECK_THAT(problem("backend=" + backend),
               StartsWith("backend: must be an IPv4 address such as 10.0.0.1, not \""));
  for (const std::string client : {"", "client", "203.0.113.0/33", "203.0.113/24"})
    CHECK_THAT(problem("client=" + client),
               StartsWith("client: must be an IPv4 address, or a prefix such as 203.0.113.0/24"));
  for (const std::string limit : {"", "0", "1001", "-1", "7.5", "all", "99999999999999999999"})
    CHECK_THAT(problem("limit=" + limit), StartsWith("limit: must be a number from 1 to 1000"));
  for (const std::string query : {"service=%", "service=%4", "client=%zz"})
    CHECK_THAT(problem(query), Contains(": must be percent-encoded, not \"%"));
}

TEST_CASE("a place is text that comes back as the same place") {
  for (const FlowsPlace& place :
       {FlowsPlace{.interface = "eth1", .queue = 0, .bucket = 0},
        FlowsPlace{.interface = "bond0.100", .queue = 255, .bucket = 44'739'242},
        FlowsPlace{.interface = "0.0.0", .queue = 4'294'967'295U, .bucket = ~std::uint64_t{0}}}) {
    INFO(place.text());
    CHECK(FlowsPlace::parse(place.text()) == place);
  }
}

TEST_CASE("a place that no page has named is refused") {
  for (const std::string after :
       {"", "eth1", "0", "0.1", "0.1.", "0..eth1", ".1.eth1", "x.1.eth1", "0.-1.eth1",
        "4294967296.0.eth1", "0.18446744073709551616.eth1", " 0.1.eth1", "0x0.1.eth1"}) {
    CHECK(problem("after=" + after) ==
          "after: must be \"next\" of the answer before, unchanged, not \"" + after + "\"");
  }
}

TEST_CASE("places are in the order of the interfaces' names, then queues, then buckets") {
  const FlowsPlace place{.interface = "eth1", .queue = 1, .bucket = 1};
  CHECK(FlowsPlace() < place);
  CHECK(FlowsPlace{.interface = "eth0", .queue = 9, .bucket = 9} < place);
  CHECK(FlowsPlace{.interface = "eth1", .queue = 0, .bucket = 9} < place);
  CHECK(FlowsPlace{.interface = "eth1", .queue = 1, .bucket = 0} < place);
  CHECK(place < FlowsPlace{.interface = "eth2", .queue = 0, .bucket = 0});
}

TEST_CASE("a page is a document with all that is known of each flow, and where to go on") {
  FlowsPage page{.flows = {example_flow()}};
  page.next = FlowsPlace{.interface = "eth1", .queue = 3, .bucket = 4096};
  CHECK(json::parse(to_json(page)) ==
        json::value{{"flows", json::array{{{"protocol", "tcp"},
                                           {"client", "203.0.113.7:40000"},
                                           {"destination", "198.51.100.1:80"},
                                           {"service", "shop"},
                                           {"backend", "10.0.0.1"},
                                           {"pool", "blue"},
                                           {"class", "established"},
                                           {"idle_seconds", 12},
                                           {"interface", "eth1"},
                                           {"queue", 3}}}},
                    {"next", "3.4096.eth1"}});
}

TEST_CASE("the last page has nothing to go on with") {
  CHECK(json::parse(to_json({})) == json::value{{"flows", json::array{}}, {"next", ""}});
}

TEST_CASE("a service or a backend that there is not is refused with those that there are") {
  FlowsPage page{.kind = FlowsPage::Kind::no_such_service, .known = {"dns", "shop"}};
  CHECK(refusal(page, {.service = "shp"}) == "no service is named shp; there are: dns, shop");
  page.known.clear();
  CHECK(refusal(page, {.service = "shp"}) == "no service is named shp; there is none");
  page.kind = FlowsPage::Kind::no_such_backend;
  page.known = {"10.0.0.1"};
  CHECK(refusal(page, {.backend = Ipv4Address::parse("10.0.0.9")}) ==
        "no pool has the backend 10.0.0.9; there are: 10.0.0.1");
}

TEST_CASE("of very many that there are only some are named") {
  FlowsPage page{.kind = FlowsPage::Kind::no_such_service, .known = {}};
  for (char letter = 'a'; letter < 'a' + 12; ++letter) page.known.emplace_back(1, letter);
  CHECK(refusal(page, {.service = "z"}) ==
        "no service is named z; there are: a, b, c, d, e, f, g, h, i, j and 2 more");
}

}  // namespace
}  // namespace guideway::observe
