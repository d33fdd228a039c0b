#include "observe/status.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string_view>

#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;

constexpr std::string_view kCounterNames[] = {
#define GUIDEWAY_TEST_NAME(name) #name,
    GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_TEST_NAME)
#undef GUIDEWAY_TEST_NAME
};

// A worker whose every number is different: the counters from `first` on, the drops behind them.
WorkerTotals distinct(std::uint64_t first) {
  WorkerTotals totals;
#define GUIDEWAY_TEST_SET(name) totals.name = first++;
  GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_TEST_SET)
#undef GUIDEWAY_TEST_SET
  for (std::size_t i = 1; i < kDropReasons; ++i) totals.drops[i] = first++;
  return totals;
}

Status example() {
  Status status;
  status.node = "lb1";
  status.version = "0.1.0";
  status.config_file = "/etc/guideway/guideway.yaml";
  status.pid = 4711;
  status.uptime = std::chrono::seconds(3723);
  status.generation = 7;
  status.interfaces = {{.name = "eth1",
                        .driver = "virtio_net",
                        .mtu = 1500,
                        .attachment = "native",
                        .dispatcher = true,
                        .steering = {{"redirected", 11}, {"pass_not_vip", 0}},
                        .queues = {{0, "copy", 2, 7, {{"rx_dropped", 5}}, distinct(1000)},
                                   {1, "zero-copy", 3, 6, {}, distinct(5000)}}}};
  status.services = {{"web", "198.51.100.1", "tcp", 80, "blue", 21, 22}};
  status.pools = {{"blue",
                   65537,
                   {{"10.0.0.1", 3, 65537, "resolved", "eth1", "10.0.0.254", "02:00:00:00:00:01",
                     31, 32, 33}}}};
  return status;
}

std::uint64_t number(const json::value& value) { return value.to_number<std::uint64_t>(); }

TEST_CASE("the document says which daemon speaks") {
  const json::value document = json::parse(to_json(example()));
  CHECK(document.at("node") == json::value{{"name", "lb1"},
                                           {"version", "0.1.0"},
                                           {"pid", 4711},
                                           {"uptime_seconds", 3723},
                                           {"config_file", "/etc/guideway/guideway.yaml"}});
  CHECK(document.at("generation") == 7);
}

TEST_CASE("every counter and every drop reason of a worker is in the document, also when 0") {
  Status status = example();
  status.interfaces[0].queues[0].worker = distinct(1000);
  status.interfaces[0].queues[1].worker = {};
  const json::value document = json::parse(to_json(status));
  const json::array& queues = document.at("interfaces").at(0).at("queues").as_array();
  for (const bool zero : {false, true}) {
    const json::object& worker = queues.at(zero ? 1 : 0).at("worker").as_object();
    std::uint64_t expected = 1000;
    for (const std::string_view name : kCounterNames) {
      INFO(name);
      CHECK(number(worker.at(name)) == (zero ? 0 : expected++));
    }
    const json::object& drops = worker.at("drops").as_object();
    for (std::size_t i = 1; i < kDropReasons; ++i) {
      INFO(kDropReasonNames[i]);
      CHECK(number(drops.at(kDropReasonNames[i])) == (zero ? 0 : expected++));
    }
    CHECK(drops.size() == kDropReasons - 1);
    CHECK(worker.size() == std::size(kCounterNames) + 3);
  }
}

TEST_CASE("totals are the sum over the queues of all interfaces") {
  Status status = example();
  status.interfaces.push_back(status.interfaces[0]);
  const json::value document = json::parse(to_json(status));
  WorkerTotals sum = distinct(1000);
  (sum += distinct(5000)) += sum;
  const json::object& totals = document.at("totals").as_object();
  CHECK(number(totals.at("received")) == sum.received);
  CHECK(number(totals.at("flow_table_capacity")) == sum.flow_table_capacity);
  CHECK(number(totals.at("drops").at("tx_ring_full")) ==
        sum.drops[static_cast<std::size_t>(DropReason::tx_ring_full)]);
  CHECK(number(totals.at("dropped")) == sum.dropped());
  CHECK(totals.size() == std::size(kCounterNames) + 3);
}

TEST_CASE("received is transmitted plus dropped plus in flight") {
  WorkerTotals worker;
  worker.received = 100;
  worker.transmitted = 70;
  worker.drops[static_cast<std::size_t>(DropReason::no_next_hop)] = 20;
  worker.drops[static_cast<std::size_t>(DropReason::too_big)] = 3;
  Status status = example();
  status.interfaces[0].queues.resize(1);
  status.interfaces[0].queues[0].worker = worker;
  const json::value document = json::parse(to_json(status));
  CHECK(number(document.at("totals").at("dropped")) == 23);
  CHECK(number(document.at("totals").at("in_flight")) == 7);
  // Numbers of one reading are not of one moment: what was sent may be read after it was counted.
  status.interfaces[0].queues[0].worker.received = 92;
  CHECK(json::parse(to_json(status)).at("totals").at("in_flight") == -1);
}

TEST_CASE("an interface shows what was obtained, its verdicts and its queues") {
  const json::value document = json::parse(to_json(example()));
  json::object interface = document.at("interfaces").at(0).as_object();
  json::array queues = interface.at("queues").as_array();
  interface.erase("queues");
  CHECK(interface == json::object{{"name", "eth1"},
                                  {"driver", "virtio_net"},
                                  {"mtu", 1500},
                                  {"attachment", "native"},
                                  {"dispatcher", true},
                                  {"steering", {{"redirected", 11}, {"pass_not_vip", 0}}}});
  REQUIRE(queues.size() == 2);
  queues[0].as_object().erase("worker");
  CHECK(queues[0] == json::value{{"queue", 0},
                                 {"mode", "copy"},
                                 {"cpu", 2},
                                 {"generation", 7},
                                 {"socket", {{"rx_dropped", 5}}}});
  CHECK(queues[1].at("socket") == json::object());
}

TEST_CASE("services and pools show what they were sent") {
  const json::value document = json::parse(to_json(example()));
  CHECK(document.at("services") == json::array{json::object{{"name", "web"},
                                                            {"vip", "198.51.100.1"},
                                                            {"protocol", "tcp"},
                                                            {"port", 80},
                                                            {"pool", "blue"},
                                                            {"forwarded_packets", 21},
                                                            {"forwarded_bytes", 22}}});
  CHECK(document.at("pools").at(0).at("name") == "blue");
  CHECK(document.at("pools").at(0).at("table_size") == 65537);
  CHECK(document.at("pools").at(0).at("backends") ==
        json::array{json::object{{"address", "10.0.0.1"},
                                 {"weight", 3},
                                 {"table_entries", 65537},
                                 {"next_hop", "resolved"},
                                 {"device", "eth1"},
                                 {"via", "10.0.0.254"},
                                 {"mac", "02:00:00:00:00:01"},
                                 {"flows", 31},
                                 {"forwarded_packets", 32},
                                 {"forwarded_bytes", 33}}});
}

TEST_CASE("a daemon that has nothing yet has empty lists, and names with quotes stay whole") {
  Status status;
  status.node = "a \"quoted\"\nname";
  const json::value document = json::parse(to_json(status));
  CHECK(document.at("node").at("name") == "a \"quoted\"\nname");
  for (const char* list : {"interfaces", "services", "pools"})
    CHECK(document.at(list) == json::array());
  CHECK(document.as_object().size() == 6);
}

}  // namespace
}  // namespace guideway::observe
