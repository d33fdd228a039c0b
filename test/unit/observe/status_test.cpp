#include "observe/status.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string_view>

#include "example_status.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;

constexpr std::string_view kCounterNames[] = {
#define GUIDEWAY_TEST_NAME(name) #name,
    GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_TEST_NAME)
#undef GUIDEWAY_TEST_NAME
};

std::uint64_t number(const json::value& value) { return value.to_number<std::uint64_t>(); }

TEST_CASE("the document says which daemon speaks") {
  const json::value document = json::parse(to_json(example_status()));
  CHECK(document.at("node") == json::value{{"name", "lb1"},
                                           {"version", "0.1.0"},
                                           {"pid", 4711},
                                           {"uptime_seconds", 3723},
                                           {"uptime_microseconds", 3'723'456'789},
                                           {"config_file", "/etc/guideway/guideway.yaml"},
                                           {"config_digest", "abcdef012345"},
                                           {"log_level", "info"},
                                           {"ready", true},
                                           {"user", "guideway"},
                                           {"capabilities", {"cap_net_admin", "cap_bpf"}}});
  CHECK(document.at("generation") == 7);
  CHECK(number(document.at("suppressed_log_lines")) == 10);
}

TEST_CASE("the document says how reloads went, and when the last was") {
  const json::value document = json::parse(to_json(example_status()));
  CHECK(document.at("reloads") == json::value{{"succeeded", 8},
                                              {"failed", 9},
                                              {"last_succeeded", false},
                                              {"last_unix_seconds", 1'763'000'000}});
}

TEST_CASE("every counter and every drop reason of a worker is in the document, also when 0") {
  Status status = example_status();
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

TEST_CASE("totals are the sum over the queues of all interfaces and the retired workers") {
  Status status = example_status();
  status.interfaces.push_back(status.interfaces[0]);
  const json::value document = json::parse(to_json(status));
  WorkerTotals sum = distinct(1000);
  sum += distinct(5000);
  sum += sum;
  sum += distinct(9000);
  const json::object& totals = document.at("totals").as_object();
  CHECK(number(totals.at("received")) == sum.received);
  CHECK(number(totals.at("flow_table_capacity")) == sum.flow_table_capacity);
  CHECK(number(totals.at("drops").at("tx_ring_full")) ==
        sum.drops[static_cast<std::size_t>(DropReason::tx_ring_full)]);
  CHECK(number(totals.at("dropped")) == sum.dropped());
  CHECK(totals.size() == std::size(kCounterNames) + 3);
}

TEST_CASE("what those were sent that are configured no longer is a part of its own") {
  Status status = example_status();
  status.removed = {.service_packets = 1,
                    .service_bytes = 2,
                    .backend_packets = 3,
                    .backend_bytes = 4,
                    .backend_flows = 5};
  const json::value removed = json::parse(to_json(status)).at("removed");
  CHECK(number(removed.at("services").at("forwarded_packets")) == 1);
  CHECK(number(removed.at("services").at("forwarded_bytes")) == 2);
  CHECK(number(removed.at("backends").at("forwarded_packets")) == 3);
  CHECK(number(removed.at("backends").at("forwarded_bytes")) == 4);
  CHECK(number(removed.at("backends").at("flows")) == 5);
}

TEST_CASE("the counters of retired workers are shown as those of workers are") {
  const json::value document = json::parse(to_json(example_status()));
  const json::object& retired = document.at("retired").as_object();
  CHECK(number(retired.at("received")) == 9000);
  CHECK(number(retired.at("dropped")) == distinct(9000).dropped());
  CHECK(retired.size() == std::size(kCounterNames) + 3);
}

TEST_CASE("received is transmitted plus dropped plus in flight") {
  WorkerTotals worker;
  worker.received = 100;
  worker.transmitted = 70;
  worker.drops[static_cast<std::size_t>(DropReason::no_next_hop)] = 20;
  worker.drops[static_cast<std::size_t>(DropReason::too_big)] = 3;
  Status status = example_status();
  status.retired = {};
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
  const json::value document = json::parse(to_json(example_status()));
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
                                 {"stalled_seconds", 0},
                                 {"socket",
                                  {{"rx_dropped", 700},
                                   {"rx_invalid_descs", 701},
                                   {"tx_invalid_descs", 702},
                                   {"rx_ring_full", 703},
                                   {"rx_fill_ring_empty_descs", 704},
                                   {"tx_ring_empty_descs", 705}}},
                                 {"rings",
                                  {{"fill", {{"entries", 4032}, {"size", 4096}}},
                                   {"receive", {{"entries", 64}, {"size", 2048}}}}}});
  CHECK(queues[1].at("mode") == "zero-copy");
  CHECK(queues[1].at("stalled_seconds") == 9);
}

TEST_CASE("a service shows what it was sent and whether its pool is healthy") {
  const json::value document = json::parse(to_json(example_status()));
  CHECK(document.at("services") == json::array{json::object{{"name", "web"},
                                                            {"vip", "198.51.100.1"},
                                                            {"protocol", "tcp"},
                                                            {"port", 80},
                                                            {"pool", "blue"},
                                                            {"healthy", true},
                                                            {"forwarded_packets", 21},
                                                            {"forwarded_bytes", 22}}});
}

TEST_CASE("a pool shows how it is and the digest of its table") {
  const json::value document = json::parse(to_json(example_status()));
  json::object pool = document.at("pools").at(0).as_object();
  pool.erase("backends");
  CHECK(pool == json::object{{"name", "blue"},
                             {"table_size", 65537},
                             {"table_digest", "00000000beef"},
                             {"on_empty", "drop"},
                             {"empty", false},
                             {"healthy_backends", 1},
                             {"min_healthy", 2},
                             {"healthy", false}});
}

TEST_CASE("a backend shows its health, its checks and what it was sent") {
  const json::value document = json::parse(to_json(example_status()));
  const json::object check{{"type", "http"},
                           {"what", "http port 80 path /healthz"},
                           {"state", "up"},
                           {"last", "status 200"},
                           {"last_microseconds", 1234},
                           {"passed", 41},
                           {"failed", 42}};
  CHECK(document.at("pools").at(0).at("backends") ==
        json::array{json::object{{"address", "10.0.0.1"},
                                 {"weight", 3},
                                 {"weight_percent", 40},
                                 {"health", "up"},
                                 {"health_for_seconds", 61},
                                 {"drain", "operator"},
                                 {"usable", true},
                                 {"went_up", 5},
                                 {"went_down", 4},
                                 {"checks", json::array{check}},
                                 {"table_entries", 65536},
                                 {"next_hop", "resolved"},
                                 {"device", "eth1"},
                                 {"via", "10.0.0.254"},
                                 {"mac", "02:00:00:00:00:01"},
                                 {"flows", 31},
                                 {"forwarded_packets", 32},
                                 {"forwarded_bytes", 33}}});
}

TEST_CASE("services and pools are documents of their own that say what the whole one says") {
  const json::value whole = json::parse(to_json(example_status()));
  CHECK(json::parse(services_to_json(example_status())) ==
        json::value{{"services", whole.at("services")}});
  CHECK(json::parse(pools_to_json(example_status())) == json::value{{"pools", whole.at("pools")}});
}

TEST_CASE("a daemon that has nothing yet has empty lists, and names with quotes stay whole") {
  Status status;
  status.node = "a \"quoted\"\nname";
  const json::value document = json::parse(to_json(status));
  CHECK(document.at("node").at("name") == "a \"quoted\"\nname");
  for (const char* list : {"interfaces", "services", "pools"})
    CHECK(document.at(list) == json::array());
  CHECK(document.at("bgp").is_null());
  CHECK(document.as_object().size() == 11);
}

}  // namespace
}  // namespace guideway::observe
