#include "cli/flows_view.h"

#include "cli/text_table.h"
#include "observe/flows.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

observe::FlowStatus longest_flow() {
  return {.protocol = "tcp",
          .client = "203.113.113.113:40000",
          .destination = "198.151.100.100:65535",
          .service = "shop",
          .backend = "192.168.100.101",
          .pool = "blue",
          .state = "established",
          .idle_seconds = 999,
          .interface = "eth1",
          .queue = 3};
}

json::object read_one(const observe::FlowStatus& flow) {
  observe::FlowsPage page;
  page.flows = {flow};
  const auto read = read_flows(observe::to_json(page));
  REQUIRE(read);
  REQUIRE(read->flows.size() == 1);
  return read->flows.front();
}

TEST_CASE("a request names only what is asked for, encoded") {
  CHECK(flows_target({}, 1000, "") == "/v1/flows?limit=1000");
  CHECK(flows_target(
            {.service = "198.51.100.1 tcp/80", .backend = "10.0.0.1", .client = "203.0.113.0/24"},
            7, "3.9.eth1/&") ==
        "/v1/flows?limit=7&service=198.51.100.1%20tcp%2F80&backend=10.0.0.1"
        "&client=203.0.113.0%2F24&after=3.9.eth1%2F%26");
}

TEST_CASE("a request is one that the daemon understands") {
  const std::string target = flows_target(
      {.service = "a b", .backend = "10.0.0.1", .client = "203.0.113.7"}, 7, "3.9.eth1");
  const auto wanted = observe::flows_wanted(target.substr(target.find('?') + 1));
  REQUIRE(wanted);
  CHECK(wanted->service == "a b");
  CHECK(wanted->client.value().bits == 32);
  CHECK(wanted->after == observe::FlowsPlace{.interface = "eth1", .queue = 3, .bucket = 9});
  CHECK(kMaxFlowsOfPage == observe::kMaxFlowsOfPage);
}

TEST_CASE("the longest flow that there can be fills a line of 80 columns, under its headings") {
  CHECK(flow_line(read_one(longest_flow())) ==
        "203.113.113.113:40000 tcp 198.151.100.100:65535 192.168.100.101 established 999s\n");
  CHECK(flow_line(read_one(longest_flow())).size() == kTerminalColumns + 1);
  CHECK(flows_heading() ==
        "client                destination               backend         class       idle\n");
}

TEST_CASE("a short flow stands in the same columns") {
  observe::FlowStatus flow = longest_flow();
  flow.protocol = flow.state = "udp";
  flow.client = "10.1.1.1:53";
  flow.destination = "10.2.2.2:53";
  flow.backend = "10.0.0.1";
  flow.idle_seconds = 0;
  CHECK(flow_line(read_one(flow)) ==
        "10.1.1.1:53           udp 10.2.2.2:53           10.0.0.1        udp           0s\n");
}

TEST_CASE("what a daemon does not know or say is a dash, and control characters do no harm") {
  observe::FlowStatus flow = longest_flow();
  flow.backend.clear();
  flow.state = "\33[2J";
  CHECK_THAT(flow_line(read_one(flow)), Contains(" -               ?[2J "));
  CHECK_THAT(flow_line({}), Contains("- - ") && EndsWith("  0s\n"));
}

TEST_CASE("the idle time takes four characters") {
  CHECK(idle_text(0) == "0s");
  CHECK(idle_text(999) == "999s");
  CHECK(idle_text(1000) == "16m");
  CHECK(idle_text(3599) == "59m");
  CHECK(idle_text(3600) == "1h");
  CHECK(idle_text(32'400) == "9h");
}

TEST_CASE("a page says where to go on, and the last one does not") {
  observe::FlowsPage page;
  page.next = observe::FlowsPlace{.interface = "eth1", .queue = 0, .bucket = 8};
  const auto amid = read_flows(observe::to_json(page));
  REQUIRE(amid);
  CHECK(amid->flows.empty());
  CHECK(amid->next == "0.8.eth1");
  const auto last = read_flows(observe::to_json(observe::FlowsPage{}));
  REQUIRE(last);
  CHECK(last->next.empty());
}

TEST_CASE("what is no page of flows is refused") {
  for (const char* document : {"", "[]", "{}", R"({"flows": {}})", R"({"services": []})"}) {
    INFO(document);
    const auto read = read_flows(document);
    REQUIRE_FALSE(read);
    CHECK_THAT(read.error().what, Contains("reading the flows of guidewayd: the answer "));
  }
}

TEST_CASE("the note tells how many there were, and whether there are more") {
  CHECK(flows_note(0, false) == "0 flows");
  CHECK(flows_note(1, false) == "1 flow");
  CHECK(flows_note(1000, true) ==
        "1000 flows, and there are more: --limit N shows N, --limit 0 all");
}

}  // namespace
}  // namespace guideway::cli
