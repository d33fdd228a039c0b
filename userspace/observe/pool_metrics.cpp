#include "observe/pool_metrics.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace guideway::observe {
namespace {

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;

constexpr MetricRow<PoolStatus> kPoolRows[] = {
    {kGauge, "guideway_pool_healthy", "1 if the pool has as many healthy backends as it needs.",
     [](const PoolStatus& pool) { return sample(pool.healthy); }},
    {kGauge, "guideway_pool_healthy_backends", "Backends of the pool that are healthy.",
     [](const PoolStatus& pool) { return sample(pool.healthy_backends); }},
    {kGauge, "guideway_pool_min_healthy", "Healthy backends that make the pool healthy.",
     [](const PoolStatus& pool) { return sample(pool.min_healthy); }},
    {kGauge, "guideway_pool_backends", "Backends that the pool has.",
     [](const PoolStatus& pool) { return sample(pool.backends.size()); }},
    {kGauge, "guideway_pool_empty", "1 if no backend of the pool is up.",
     [](const PoolStatus& pool) { return sample(pool.empty); }},
    {kGauge, "guideway_pool_table_size", "Entries of the Maglev table of the pool.",
     [](const PoolStatus& pool) { return sample(pool.table_size); }},
    {kGauge, "guideway_pool_table_digest",
     "Digest, as a number, of the Maglev table: equal on load balancers that choose alike.",
     [](const PoolStatus& pool) { return sample(pool.table_digest); }},
};

constexpr const char* kTransitionsHelp = "Times that the backend's health changed, by to what.";
constexpr MetricRow<BackendStatus> kBackendRows[] = {
    {kGauge, "guideway_backend_up",
     "1 if the backend passes its checks or has none, 0 if it is down or not yet known.",
     [](const BackendStatus& one) {
       return sample(one.health == "up" || one.health == "unchecked");
     }},
    {kGauge, "guideway_backend_health_seconds",
     "For how long the backend has been in the state of guideway_backend_health.",
     [](const BackendStatus& one) { return sample(one.health_for.count()); }},
    {kGauge, "guideway_backend_usable", "1 if the backend may keep the flows that it has.",
     [](const BackendStatus& one) { return sample(one.usable); }},
    {kGauge, "guideway_backend_drained",
     "1 if the backend takes no new flows because the file or an operator says so.",
     [](const BackendStatus& one) { return sample(!one.drain.empty()); }},
    {kGauge, "guideway_backend_weight", "Weight of the backend in the configuration file.",
     [](const BackendStatus& one) { return sample(one.weight); }},
    {kGauge, "guideway_backend_weight_ratio",
     "Part of the weight that counts now; below 1 in a slow start.",
     [](const BackendStatus& one) { return sample(one.weight_percent) / 100; }},
    {kGauge, "guideway_backend_table_entries",
     "Entries of the pool's Maglev table that name the backend.",
     [](const BackendStatus& one) { return sample(one.table_entries); }},
    {kGauge, "guideway_backend_next_hop_resolved",
     "1 if packets can be sent to the backend, 0 if its route or neighbour is not known.",
     [](const BackendStatus& one) { return sample(one.next_hop == "resolved"); }},
    {kCounter, "guideway_backend_transitions_total", kTransitionsHelp,
     [](const BackendStatus& one) { return sample(one.went_up); }, "to", "up"},
    {kCounter, "guideway_backend_transitions_total", kTransitionsHelp,
     [](const BackendStatus& one) { return sample(one.went_down); }, "to", "down"},
    {kCounter, "guideway_backend_flows_total", "Flows given to the backend.",
     [](const BackendStatus& one) { return sample(one.flows); }},
    {kCounter, "guideway_backend_packets_total", "Packets forwarded to the backend.",
     [](const BackendStatus& one) { return sample(one.packets); }},
    {kCounter, "guideway_backend_bytes_total",
     "Bytes forwarded to the backend: of the clients' IP packets, without encapsulation.",
     [](const BackendStatus& one) { return sample(one.bytes); }},
};

constexpr const char* kProbesHelp = "Probes that have ended, by how.";
constexpr MetricRow<CheckStatus> kCheckRows[] = {
    {kGauge, "guideway_check_up", "1 if the backend passes the check, 0 if not or not yet known.",
     [](const CheckStatus& check) { return sample(check.state == "up"); }},
    {kCounter, "guideway_probes_total", kProbesHelp,
     [](const CheckStatus& check) { return sample(check.passed); }, "result", "passed"},
    {kCounter, "guideway_probes_total", kProbesHelp,
     [](const CheckStatus& check) { return sample(check.failed); }, "result", "failed"},
};

constexpr MetricRow<CheckStatus> kEndedCheckRows[] = {
    {kGauge, "guideway_probe_duration_seconds", "What the last probe took.",
     [](const CheckStatus& check) { return sample(check.last_microseconds) / 1e6; }},
};

// Checks that differ only in what they expect say the same of themselves, and two samples with the
// same labels would make Prometheus refuse the whole text.
std::string unlike(std::string name, const std::vector<std::string>& others) {
  const auto taken = [&](const std::string& one) {
    return std::find(others.begin(), others.end(), one) != others.end();
  };
  if (!taken(name)) return name;
  for (std::size_t number = 2;; ++number)
    if (std::string other = name + " #" + std::to_string(number); !taken(other)) return other;
}

void add_checks(MetricFamilies& families,
                const std::vector<MetricSubject<BackendStatus>>& backends) {
  std::vector<MetricSubject<CheckStatus>> checks, ended;
  for (const auto& [backend, labels] : backends) {
    std::vector<std::string> names;
    for (const CheckStatus& check : backend->checks) {
      names.push_back(unlike(check.what, names));
      MetricLabels own = labels;
      own.push_back({"check", names.back()});
      if (check.passed + check.failed != 0) ended.push_back({&check, own});
      checks.push_back({&check, std::move(own)});
    }
  }
  families.add(kCheckRows, checks);
  families.add(kEndedCheckRows, ended);
}

}  // namespace

void add_pools(MetricFamilies& families, const Status& status) {
  std::vector<MetricSubject<PoolStatus>> pools;
  std::vector<MetricSubject<BackendStatus>> backends;
  for (const PoolStatus& pool : status.pools) {
    pools.push_back({&pool, {{"pool", pool.name}}});
    for (const BackendStatus& backend : pool.backends)
      backends.push_back({&backend, {{"pool", pool.name}, {"backend", backend.address}}});
  }
  families.add(kPoolRows, pools);
  families.add(kBackendRows, backends);
  // The state that it is in alone: the others would be as many samples again, all of them 0.
  for (const auto& [backend, labels] : backends) {
    MetricLabels own = labels;
    own.push_back({"state", backend->health});
    families.add(kGauge, "guideway_backend_health", "1; which state the backend's health is in.",
                 std::move(own), 1);
  }
  add_checks(families, backends);
}

}  // namespace guideway::observe
