#include "observe/metrics.h"

#include "example_status.h"
#include "prometheus_text.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

using Families = std::map<std::string, PrometheusFamily>;
using Labels = PrometheusLabels;

Families read_metrics(const Status& status) {
  return PrometheusReader::read(prometheus_text(status));
}

// As it is written; "" where there is no such sample.
std::string value(const Families& families, const std::string& name, const Labels& labels = {}) {
  const auto family = families.find(name);
  if (family == families.end()) return "";
  const auto sample = family->second.samples.find(labels);
  return sample == family->second.samples.end() ? "" : sample->second;
}

std::size_t samples(const Families& families, const std::string& name) {
  const auto family = families.find(name);
  return family == families.end() ? 0 : family->second.samples.size();
}

const Labels kQueue0{{"interface", "eth1"}, {"queue", "0"}};
const Labels kRetired{{"interface", "retired"}, {"queue", ""}};
const Labels kBackend{{"pool", "blue"}, {"backend", "10.0.0.1"}};

Labels with(Labels labels, const std::string& name, const std::string& value) {
  labels[name] = value;
  return labels;
}

TEST_CASE("the reader of the tests refuses what Prometheus would, and bad manners") {
  const std::string head = "# HELP a_total A.\n# TYPE a_total counter\n";
  CHECK_NOTHROW(PrometheusReader::read(head + "a_total{x=\"\\\"\\\\\\n\"} 1\na_total 2\n"));
  for (const std::string& wrong :
       {head + "a_total 1\na_total 1\n", head + "b_total 1\n", head + head, std::string("a 1\n"),
        std::string("# HELP a_total A.\na_total 1\n"), head + "a_total{x=\"\\t\"} 1\n",
        head + "a_total{x=\"1\",x=\"2\"} 1\n", head + "a_total one\n", head + "a_total 1",
        std::string("# HELP a A.\n# TYPE a counter\n"),
        std::string("# HELP a_total A.\n# TYPE a_total gauge\n"),
        head + "# HELP b B.\n# TYPE b gauge\nb 1\na_total 1\n"}) {
    INFO(wrong);
    CHECK_THROWS_AS(PrometheusReader::read(wrong), std::runtime_error);
  }
}

TEST_CASE("all metrics are of this daemon, have a help and a type, and no sample is there twice") {
  for (const auto& [name, family] : read_metrics(example_status())) {
    INFO(name);
    CHECK(name.starts_with("guideway_"));
    CHECK(family.help.ends_with("."));
    CHECK_FALSE(family.samples.empty());
  }
}

TEST_CASE("the daemon tells who it is, how it is, and how reloads went") {
  const Families families = read_metrics(example_status());
  CHECK(value(families, "guideway_build_info", {{"version", "0.1.0"}}) == "1");
  CHECK(value(families, "guideway_node_info",
              {{"node", "lb1"},
               {"config_file", "/etc/guideway/guideway.yaml"},
               {"log_level", "info"}}) == "1");
  CHECK(value(families, "guideway_uptime_seconds") == "3723");
  CHECK(value(families, "guideway_ready") == "1");
  CHECK(value(families, "guideway_generation") == "7");
  CHECK(value(families, "guideway_reloads_total", {{"result", "succeeded"}}) == "8");
  CHECK(value(families, "guideway_reloads_total", {{"result", "failed"}}) == "9");
  CHECK(value(families, "guideway_last_reload_succeeded") == "0");
  CHECK(value(families, "guideway_last_reload_timestamp_seconds") == "1763000000");
  CHECK(value(families, "guideway_suppressed_log_lines_total") == "10");
}

TEST_CASE("an interface tells how it is served and what XDP made of its packets") {
  Status status = example_status();
  Families families = read_metrics(status);
  CHECK(value(families, "guideway_interface_info",
              {{"interface", "eth1"},
               {"driver", "virtio_net"},
               {"attachment", "native"},
               {"dispatcher", "yes"}}) == "1");
  CHECK(value(families, "guideway_interface_mtu_bytes", {{"interface", "eth1"}}) == "1500");
  CHECK(value(families, "guideway_interface_attached", {{"interface", "eth1"}}) == "1");
  CHECK(value(families, "guideway_steering_packets_total",
              {{"interface", "eth1"}, {"verdict", "redirected"}}) == "11");
  CHECK(value(families, "guideway_steering_packets_total",
              {{"interface", "eth1"}, {"verdict", "pass_not_vip"}}) == "0");
  status.interfaces[0].attachment = "lost";
  families = read_metrics(status);
  CHECK(value(families, "guideway_interface_attached", {{"interface", "eth1"}}) == "0");
}

TEST_CASE("every counter and every drop reason of a worker is a metric, also when 0") {
  Status status = example_status();
  status.interfaces[0].queues[1].worker = {};
  const Families families = read_metrics(status);
  const auto all = [&](const Labels& worker) {
    std::vector<std::string> values;
#define GUIDEWAY_TEST_VALUE(name) \
  values.push_back(value(families, "guideway_worker_" #name "_total", worker));
    GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_TEST_VALUE)
#undef GUIDEWAY_TEST_VALUE
    // The last five are gauges of the flow table.
    values.resize(values.size() - 5);
    for (const std::string flows : {"opening", "established", "closing", "udp"})
      values.push_back(value(families, "guideway_flows", with(worker, "class", flows)));
    values.push_back(value(families, "guideway_flow_table_capacity", worker));
    for (std::size_t i = 1; i < kDropReasons; ++i)
      values.push_back(value(families, "guideway_worker_drops_total",
                             with(worker, "reason", std::string(kDropReasonNames[i]))));
    return values;
  };
  const std::vector<std::string> first = all(kQueue0);
  for (std::size_t i = 0; i < first.size(); ++i) CHECK(first[i] == std::to_string(1000 + i));
  const std::vector<std::string> second = all({{"interface", "eth1"}, {"queue", "1"}});
  for (const std::string& one : second) CHECK(one == "0");
}

TEST_CASE("what retired workers have counted is kept, apart from the flow table that they had") {
  const Families families = read_metrics(example_status());
  CHECK(value(families, "guideway_worker_received_total", kRetired) == "9000");
  CHECK(samples(families, "guideway_worker_received_total") == 3);
  CHECK_FALSE(
      value(families, "guideway_worker_drops_total", with(kRetired, "reason", "too_big")).empty());
  CHECK(samples(families, "guideway_flow_table_capacity") == 2);
  CHECK(samples(families, "guideway_flows") == 8);
}

TEST_CASE("an interface that is called retired is told from the retired workers") {
  Status status = example_status();
  status.interfaces[0].name = "retired";
  const Families families = read_metrics(status);
  CHECK(value(families, "guideway_worker_received_total", kRetired) == "9000");
  CHECK(value(families, "guideway_worker_received_total",
              {{"interface", "retired"}, {"queue", "0"}}) == "1000");
}

TEST_CASE("a queue tells its mode, its generation and what the kernel counts of its socket") {
  const Families families = read_metrics(example_status());
  CHECK(value(families, "guideway_worker_info", with(with(kQueue0, "mode", "copy"), "cpu", "2")) ==
        "1");
  CHECK(value(families, "guideway_worker_generation", kQueue0) == "7");
  CHECK(value(families, "guideway_worker_stalled_seconds", kQueue0) == "0");
  CHECK(value(families, "guideway_worker_stalled_seconds",
              {{"interface", "eth1"}, {"queue", "1"}}) == "9");
  CHECK(value(families, "guideway_worker_generation", {{"interface", "eth1"}, {"queue", "1"}}) ==
        "6");
  for (const auto& [name, number] : example_socket(700))
    CHECK(value(families, "guideway_xsk_" + name + "_total", kQueue0) == std::to_string(number));
}

TEST_CASE("a service tells what it was sent and whether its pool is healthy") {
  const Families families = read_metrics(example_status());
  const Labels web{{"service", "web"},
                   {"vip", "198.51.100.1"},
                   {"protocol", "tcp"},
                   {"port", "80"},
                   {"pool", "blue"}};
  CHECK(value(families, "guideway_service_packets_total", web) == "21");
  CHECK(value(families, "guideway_service_bytes_total", web) == "22");
  CHECK(value(families, "guideway_service_healthy", web) == "1");
}

TEST_CASE("a pool tells how it is, and the digest of its table as an exact number") {
  Status status = example_status();
  status.pools[0].table_digest = 0xffff'ffff'ffff;
  status.config_digest = 0xffff'ffff'fffe;
  const Families families = read_metrics(status);
  const Labels blue{{"pool", "blue"}};
  CHECK(value(families, "guideway_pool_healthy", blue) == "0");
  CHECK(value(families, "guideway_pool_healthy_backends", blue) == "1");
  CHECK(value(families, "guideway_pool_min_healthy", blue) == "2");
  CHECK(value(families, "guideway_pool_backends", blue) == "1");
  CHECK(value(families, "guideway_pool_empty", blue) == "0");
  CHECK(value(families, "guideway_pool_table_size", blue) == "65537");
  CHECK(value(families, "guideway_pool_table_digest", blue) == "281474976710655");
  CHECK(value(families, "guideway_config_digest") == "281474976710654");
}

TEST_CASE("a backend tells its weight, its part of the table and what it was sent") {
  Status status = example_status();
  Families families = read_metrics(status);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"usable", "1"},         {"drained", "1"},           {"weight", "3"},
      {"weight_ratio", "0.4"}, {"table_entries", "65536"}, {"next_hop_resolved", "1"},
      {"flows_total", "31"},   {"packets_total", "32"},    {"bytes_total", "33"},
      {"health_seconds", "61"}};
  for (const auto& [name, number] : expected) {
    INFO(name);
    CHECK(value(families, "guideway_backend_" + name, kBackend) == number);
  }
  CHECK(value(families, "guideway_backend_transitions_total", with(kBackend, "to", "up")) == "5");
  CHECK(value(families, "guideway_backend_transitions_total", with(kBackend, "to", "down")) == "4");
  status.pools[0].backends[0].drain = "";
  status.pools[0].backends[0].usable = false;
  status.pools[0].backends[0].next_hop = "no route";
  families = read_metrics(status);
  for (const char* name : {"drained", "usable", "next_hop_resolved"})
    CHECK(value(families, std::string("guideway_backend_") + name, kBackend) == "0");
}

TEST_CASE("a backend is up if it passes its checks or has none, and which it is, is a label") {
  Status status = example_status();
  for (const std::string health : {"up", "unchecked", "down", "unknown"}) {
    INFO(health);
    status.pools[0].backends[0].health = health;
    const Families families = read_metrics(status);
    CHECK(value(families, "guideway_backend_up", kBackend) ==
          (health == "up" || health == "unchecked" ? "1" : "0"));
    CHECK(value(families, "guideway_backend_health", with(kBackend, "state", health)) == "1");
    CHECK(samples(families, "guideway_backend_health") == 1);
  }
}

TEST_CASE("a check tells its state, how its probes went and what the last took") {
  const Families families = read_metrics(example_status());
  const Labels check = with(kBackend, "check", "http port 80 path /healthz");
  CHECK(value(families, "guideway_check_up", check) == "1");
  CHECK(value(families, "guideway_probes_total", with(check, "result", "passed")) == "41");
  CHECK(value(families, "guideway_probes_total", with(check, "result", "failed")) == "42");
  CHECK(value(families, "guideway_probe_duration_seconds", check) == "0.001234");
}

TEST_CASE("a check none of whose probes has ended has no duration") {
  Status status = example_status();
  status.pools[0].backends[0].checks[0].passed = 0;
  status.pools[0].backends[0].checks[0].failed = 0;
  const Families families = read_metrics(status);
  CHECK(samples(families, "guideway_probe_duration_seconds") == 0);
  CHECK(samples(families, "guideway_probes_total") == 2);
}

TEST_CASE("checks that say the same of themselves are numbered") {
  Status status = example_status();
  auto& checks = status.pools[0].backends[0].checks;
  checks.push_back(checks[0]);
  checks.push_back(checks[0]);
  checks[1].passed = 51;
  checks[2].passed = 61;
  const Families families = read_metrics(status);
  const std::string what = checks[0].what;
  const auto passed = [&](const std::string& name) {
    return value(families, "guideway_probes_total",
                 with(with(kBackend, "check", name), "result", "passed"));
  };
  CHECK(passed(what) == "41");
  CHECK(passed(what + " #2") == "51");
  CHECK(passed(what + " #3") == "61");
}

TEST_CASE("large counters are written to the last digit") {
  Status status = example_status();
  for (const std::uint64_t large : {(1ULL << 32) + 1, (1ULL << 48) + 1, (1ULL << 53) - 1}) {
    status.pools[0].backends[0].bytes = large;
    CHECK(value(read_metrics(status), "guideway_backend_bytes_total", kBackend) ==
          std::to_string(large));
  }
}

TEST_CASE("names with quotes, backslashes and line ends stay whole") {
  Status status = example_status();
  status.node = "a \"quoted\"\n\\name";
  const Families families = read_metrics(status);
  REQUIRE(samples(families, "guideway_node_info") == 1);
  CHECK(families.at("guideway_node_info").samples.begin()->first.at("node") == status.node);
}

TEST_CASE("a daemon that has nothing yet has the metrics of the daemon alone") {
  const Families families = read_metrics({});
  CHECK(value(families, "guideway_ready") == "0");
  CHECK(value(families, "guideway_worker_received_total", kRetired) == "0");
  CHECK_FALSE(families.contains("guideway_backend_up"));
}

TEST_CASE("10,000 backends are all there") {
  Status status = example_status();
  auto& backends = status.pools[0].backends;
  backends.assign(10'000, example_backend());
  for (std::size_t i = 0; i < backends.size(); ++i)
    backends[i].address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
  const Families families = read_metrics(status);
  CHECK(samples(families, "guideway_backend_up") == 10'000);
  CHECK(samples(families, "guideway_probes_total") == 20'000);
}

}  // namespace
}  // namespace guideway::observe
