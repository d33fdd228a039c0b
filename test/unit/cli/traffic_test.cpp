#include "cli/traffic.h"

#include <algorithm>

#include "support/catch.h"
#include "watch_scene.h"

namespace guideway::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

double drops(const TotalRates& totals, const std::string& reason) {
  const auto found =
      std::ranges::find(totals.drops, reason, &std::pair<std::string, double>::first);
  return found == totals.drops.end() ? -1 : found->second;
}

Traffic between(const observe::Status& before, const observe::Status& now,
                const std::vector<std::string>& pools = {}) {
  const Reading first = reading(before), second = reading(now, milliseconds(9000));
  return traffic_between(&first, second, pools);
}

// Two seconds later, with packets of every kind.
observe::Status busier() {
  observe::Status status = later(example_status(), seconds(2));
  WorkerTotals& worker = status.interfaces[0].queues[0].worker;
  worker.received += 2000;
  worker.transmitted += 1980;
  worker.flow_inserted += 10;
  worker.drops[static_cast<std::size_t>(DropReason::no_backend)] += 20;
  status.interfaces[0].steering.emplace_back("no_socket", 4);
  status.interfaces[0].steering[1].second += 1000;
  status.interfaces[0].queues[1].socket[0].second += 6;
  status.services[0].packets += 1980;
  status.services[0].bytes += 1'000'000;
  status.pools[0].backends[1].packets += 1500;
  status.pools[0].backends[1].bytes += 750'000;
  status.pools[0].backends[1].flows += 8;
  status.pools[0].backends[0].packets += 480;
  return status;
}

TEST_CASE("rates are what has been counted since, by the daemon's own clock") {
  const Traffic traffic = between(example_status(), busier());
  REQUIRE(traffic.totals);
  CHECK(traffic.totals->seconds == 2);
  CHECK(traffic.totals->received == 1000);
  CHECK(traffic.totals->transmitted == 990);
  CHECK(traffic.totals->bits == 4'000'000);
  CHECK(traffic.totals->flows == 5);
}

TEST_CASE("drops are those of workers, of the eBPF program and of sockets, the largest first") {
  const TotalRates totals = between(example_status(), busier()).totals.value();
  CHECK(totals.drops.front() == std::pair<std::string, double>("no_backend", 10));
  CHECK(drops(totals, "rx_dropped") == 3);
  CHECK(drops(totals, "no_socket") == 2);
  CHECK(drops(totals, "too_big") == 0);
  CHECK(drops(totals, "pass_not_vip") == -1);
  CHECK(drops(totals, "redirected") == -1);
  CHECK(totals.dropped == 15);
}

TEST_CASE("services and backends have their own rates, the busiest first") {
  const Traffic traffic = between(example_status(), busier());
  REQUIRE(traffic.services.size() == 2);
  CHECK(traffic.services[0].name == "web");
  CHECK(traffic.services[0].address == "tcp 198.51.100.1:80");
  CHECK(traffic.services[0].rate.value().packets == 990);
  CHECK(traffic.services[0].rate.value().bits == 4'000'000);
  REQUIRE(traffic.backends.size() == 3);
  CHECK(traffic.backends[0].address == "10.9.0.2");
  CHECK(traffic.backends[0].rate.value().packets == 750);
  CHECK(traffic.backends[0].rate.value().bits == 3'000'000);
  CHECK(traffic.backends[0].rate.value().flows == 4);
  CHECK(traffic.backends[0].pool_packets == 990);
  CHECK(traffic.backends[1].address == "10.0.0.1");
  CHECK(traffic.backends[2].rate.value().packets == 0);
}

TEST_CASE("a backend that is down says why, and so does one without a next hop") {
  const Traffic traffic = between(example_status(), busier());
  CHECK(traffic.backends[0].why == "status 503 (http port 80 path /healthz)");
  CHECK(traffic.backends[1].why.empty());
  CHECK(traffic.backends[2].why == "next hop: no route");
  CHECK_FALSE(takes_flows(traffic.backends[0]));
  CHECK(takes_flows(traffic.backends[1]));
  CHECK_FALSE(takes_flows(traffic.backends[2]));
}

TEST_CASE("a first document has no rates") {
  const Reading first = reading(example_status());
  const Traffic traffic = traffic_between(nullptr, first, {});
  CHECK_FALSE(traffic.totals);
  REQUIRE(traffic.backends.size() == 3);
  CHECK(
      std::ranges::none_of(traffic.backends, [](const auto& one) { return one.rate.has_value(); }));
  CHECK(
      std::ranges::none_of(traffic.services, [](const auto& one) { return one.rate.has_value(); }));
}

TEST_CASE("behind a restart there are no rates, by the process or by its uptime") {
  observe::Status other = busier();
  other.pid = 4712;
  CHECK_FALSE(between(example_status(), other).totals);
  observe::Status younger = busier();
  younger.uptime = seconds(1);
  const Traffic traffic = between(example_status(), younger);
  CHECK_FALSE(traffic.totals);
  CHECK_FALSE(traffic.backends[0].rate);
}

TEST_CASE("a counter that has gone back is no rate below 0") {
  observe::Status before = busier(), now = later(example_status(), seconds(5));
  const Traffic traffic = between(before, now);
  REQUIRE(traffic.totals);
  CHECK(traffic.totals->received == 0);
  CHECK(traffic.totals->bits == 0);
  CHECK(traffic.totals->dropped == 0);
  CHECK(traffic.services[0].rate.value().packets == 0);
}

TEST_CASE("a service that was taken out does not take its bits out of the sum") {
  observe::Status now = busier();
  now.removed.service_bytes = now.services[0].bytes;
  now.services.erase(now.services.begin());
  CHECK(between(example_status(), now).totals.value().bits == 4'000'000);
}

TEST_CASE("a backend that was not there before has no rate yet") {
  observe::Status now = busier();
  now.pools[0].backends.push_back(example_backend("10.0.0.99", "up", "resolved"));
  now.pools[0].backends.back().packets = 1'000'000;
  const Traffic traffic = between(example_status(), now);
  CHECK(traffic.backends.back().address == "10.0.0.99");
  CHECK_FALSE(traffic.backends.back().rate);
  CHECK(traffic.backends.back().pool_packets == 990);
}

TEST_CASE("only the pools that are asked for are told, and the totals are of all") {
  observe::Status before = many(3, 1), now = later(many(3, 11), seconds(1));
  const Traffic traffic = between(before, now, {"pool-1"});
  REQUIRE(traffic.services.size() == 1);
  REQUIRE(traffic.backends.size() == 1);
  CHECK(traffic.backends[0].rate.value().packets == 10);
  CHECK(traffic.totals.value().bits == 8 * 100 * (10 + 20));
}

TEST_CASE("an earlier daemon's rates are by the client's clock") {
  Reading before = reading(example_status()), now = reading(busier(), milliseconds(4000));
  for (Reading* one : {&before, &now})
    one->document["node"].as_object().erase("uptime_microseconds");
  CHECK(traffic_between(&before, now, {}).totals.value().seconds == 4);
  now.at = before.at;
  CHECK_FALSE(traffic_between(&before, now, {}).totals);
}

TEST_CASE("what is no status is refused") {
  CHECK(read_status("{\"pools\": []}", {}).error().what ==
        "reading the status of guidewayd: the answer has no \"node\"");
}

TEST_CASE("nothing of a document is taken for granted") {
  const Reading before = read_status(R"({"node": {"uptime_microseconds": 1}})", {}).value();
  const Reading now = read_status(R"({"node": {"uptime_microseconds": 1000001},
      "totals": {"received": "x", "drops": {"a": "x", "b": -1, "c": 1.5, "d": 7}},
      "services": [{}], "pools": [{"backends": [{}, 5]}], "interfaces": 7})",
                                  {})
                          .value();
  const Traffic traffic = traffic_between(&before, now, {});
  REQUIRE(traffic.totals);
  CHECK(traffic.totals->received == 0);
  CHECK(traffic.totals->dropped == 7);
  REQUIRE(traffic.services.size() == 1);
  CHECK(traffic.services[0].health == "-");
  REQUIRE(traffic.backends.size() == 1);
  CHECK(traffic.backends[0].address == "-");
  CHECK(traffic.backends[0].weight_percent == 100);
}

}  // namespace
}  // namespace guideway::cli
