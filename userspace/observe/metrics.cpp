#include "observe/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "observe/bgp_metrics.h"
#include "observe/metric_families.h"
#include "observe/pool_metrics.h"

namespace guideway::observe {
namespace {

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;

// --- the daemon ---

constexpr MetricRow<Status> kNodeRows[] = {
    {kGauge, "guideway_uptime_seconds", "Since the start of the daemon.",
     [](const Status& node) {
       return sample(std::chrono::floor<std::chrono::seconds>(node.uptime).count());
     }},
    {kGauge, "guideway_ready", "1 if the daemon forwards and wants to go on, as /readyz.",
     [](const Status& node) { return sample(node.ready); }},
    {kGauge, "guideway_generation", "Of the snapshot that is published to the workers.",
     [](const Status& node) { return sample(node.generation); }},
    {kGauge, "guideway_config_digest",
     "Digest, as a number, of what the load balancers of a fleet must agree on.",
     [](const Status& node) { return sample(node.config_digest); }},
    {kCounter, "guideway_reloads_total", "Reloads of the configuration file, by how they ended.",
     [](const Status& node) { return sample(node.reloads.succeeded); }, "result", "succeeded"},
    {kCounter, "guideway_reloads_total", "Reloads of the configuration file, by how they ended.",
     [](const Status& node) { return sample(node.reloads.failed); }, "result", "failed"},
    {kGauge, "guideway_last_reload_succeeded",
     "0 if the last reload failed, so that the file is not what is in force.",
     [](const Status& node) { return sample(node.reloads.last_succeeded); }},
    {kGauge, "guideway_last_reload_timestamp_seconds",
     "Unix time of the last reload; 0: there was none.",
     [](const Status& node) { return sample(node.reloads.last_unix_seconds); }},
    {kCounter, "guideway_suppressed_log_lines_total",
     "Log lines that were left out, as there were too many of their kind.",
     [](const Status& node) { return sample(node.suppressed_log_lines); }},
};

void add_node(MetricFamilies& families, const Status& status) {
  families.add(kGauge, "guideway_build_info", "1; which guidewayd this is.",
               {{"version", status.version}}, 1);
  families.add(
      kGauge, "guideway_node_info", "1; which load balancer this is.",
      {{"node", status.node}, {"config_file", status.config_file}, {"log_level", status.log_level}},
      1);
  families.add(kNodeRows, std::vector<MetricSubject<Status>>{{&status, {}}});
}

// --- interfaces ---

constexpr MetricRow<InterfaceStatus> kInterfaceRows[] = {
    {kGauge, "guideway_interface_attached",
     "1 if the XDP program is attached to the interface, 0 if it was lost.",
     [](const InterfaceStatus& one) { return sample(one.attachment != "lost"); }},
    {kGauge, "guideway_interface_mtu_bytes", "MTU of the interface.",
     [](const InterfaceStatus& one) { return sample(one.mtu); }},
};

void add_interfaces(MetricFamilies& families, const Status& status) {
  std::vector<MetricSubject<InterfaceStatus>> subjects;
  for (const InterfaceStatus& one : status.interfaces)
    subjects.push_back({&one, {{"interface", one.name}}});
  families.add(kInterfaceRows, subjects);
  for (const InterfaceStatus& one : status.interfaces) {
    families.add(kGauge, "guideway_interface_info", "1; how the interface is served.",
                 {{"interface", one.name},
                  {"driver", one.driver},
                  {"attachment", one.attachment},
                  {"dispatcher", one.dispatcher ? "yes" : "no"}},
                 1);
  }
  for (const InterfaceStatus& one : status.interfaces)
    for (const auto& [verdict, packets] : one.steering)
      families.add(kCounter, "guideway_steering_packets_total",
                   "Packets that the XDP program saw, by what it made of them.",
                   {{"interface", one.name}, {"verdict", verdict}}, sample(packets));
}

// --- workers ---

// As state/counters.h names them.
#define GUIDEWAY_WORKER_ROW(name, help)                      \
  {                                                          \
    kCounter, "guideway_worker_" #name "_total", help,       \
        [](const WorkerTotals& w) { return sample(w.name); } \
  }

constexpr MetricRow<WorkerTotals> kWorkerRows[] = {
    GUIDEWAY_WORKER_ROW(received, "Frames taken from the RX ring."),
    GUIDEWAY_WORKER_ROW(transmitted, "Frames put into the TX ring."),
    GUIDEWAY_WORKER_ROW(completed, "Frames that came back through the COMPLETION ring."),
    GUIDEWAY_WORKER_ROW(batches, "Times that the RX ring had something."),
    GUIDEWAY_WORKER_ROW(transmit_wakeups, "System calls to make the kernel send."),
    GUIDEWAY_WORKER_ROW(transmit_busy, "System calls to send that were told to try again."),
    GUIDEWAY_WORKER_ROW(transmit_errors, "System calls to send that failed otherwise."),
    GUIDEWAY_WORKER_ROW(sleeps, "Times that the worker waited for packets."),
    GUIDEWAY_WORKER_ROW(turns, "Times that the worker went round its loop."),
    GUIDEWAY_WORKER_ROW(flow_hits, "Packets whose flow was in the flow table."),
    GUIDEWAY_WORKER_ROW(flow_inserted, "Flows put into the flow table."),
    GUIDEWAY_WORKER_ROW(flow_evicted_opening, "Flows put in place of one that was still opening."),
    GUIDEWAY_WORKER_ROW(flow_table_full, "Flows for which the flow table had no room."),
    GUIDEWAY_WORKER_ROW(flow_moved,
                        "Flows given to another backend, as theirs could not keep them."),
};
#undef GUIDEWAY_WORKER_ROW

constexpr const char* kFlowsHelp = "Entries of the flow table, by class.";
constexpr MetricRow<WorkerTotals> kFlowTableRows[] = {
    {kGauge, "guideway_flows", kFlowsHelp,
     [](const WorkerTotals& worker) { return sample(worker.flows_opening); }, "class", "opening"},
    {kGauge, "guideway_flows", kFlowsHelp,
     [](const WorkerTotals& worker) { return sample(worker.flows_established); }, "class",
     "established"},
    {kGauge, "guideway_flows", kFlowsHelp,
     [](const WorkerTotals& worker) { return sample(worker.flows_closing); }, "class", "closing"},
    {kGauge, "guideway_flows", kFlowsHelp,
     [](const WorkerTotals& worker) { return sample(worker.flows_udp); }, "class", "udp"},
    {kGauge, "guideway_flow_table_capacity", "Entries that the flow table has room for.",
     [](const WorkerTotals& worker) { return sample(worker.flow_table_capacity); }},
};

#define GUIDEWAY_ONE_COUNTER(name) +1
static_assert(std::size(kWorkerRows) + std::size(kFlowTableRows) ==
                  0 GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_ONE_COUNTER),
              "each worker counter has its metric");
#undef GUIDEWAY_ONE_COUNTER

constexpr MetricRow<QueueStatus> kQueueRows[] = {
    {kGauge, "guideway_worker_generation", "Of the snapshot that the worker decides by.",
     [](const QueueStatus& queue) { return sample(queue.generation); }},
    {kGauge, "guideway_worker_stalled_seconds",
     "For how long the worker has not gone round its loop; 0: it goes on.",
     [](const QueueStatus& queue) { return sample(queue.stalled.count()); }},
};

MetricLabels queue_labels(const InterfaceStatus& interface, const QueueStatus& queue) {
  return {{"interface", interface.name}, {"queue", std::to_string(queue.queue)}};
}

void add_drops(MetricFamilies& families, const std::vector<MetricSubject<WorkerTotals>>& workers) {
  constexpr auto kFirst = static_cast<std::size_t>(DropReason::none) + 1;
  for (const auto& [worker, labels] : workers) {
    for (std::size_t i = kFirst; i < kDropReasons; ++i) {
      MetricLabels own = labels;
      own.push_back({"reason", std::string(kDropReasonNames[i])});
      families.add(kCounter, "guideway_worker_drops_total", "Packets not forwarded, by reason.",
                   std::move(own), sample(worker->drops[i]));
    }
  }
}

void add_queues(MetricFamilies& families, const std::vector<MetricSubject<QueueStatus>>& queues) {
  families.add(kQueueRows, queues);
  for (const auto& [queue, labels] : queues) {
    MetricLabels own = labels;
    own.insert(own.end(), {{"mode", queue->mode}, {"cpu", std::to_string(queue->cpu)}});
    families.add(kGauge, "guideway_worker_info", "1; how the queue is served.", std::move(own), 1);
  }
  // A family for each statistic, in the order of the first queue that has it.
  std::vector<std::string> statistics;
  for (const auto& subject : queues)
    for (const auto& named : subject.thing->socket)
      if (std::find(statistics.begin(), statistics.end(), named.first) == statistics.end())
        statistics.push_back(named.first);
  for (const std::string& statistic : statistics)
    for (const auto& [queue, labels] : queues)
      for (const auto& [name, value] : queue->socket)
        if (name == statistic)
          families.add(kCounter, "guideway_xsk_" + name + "_total",
                       name + " of XDP_STATISTICS of the AF_XDP socket.", labels, sample(value));
}

void add_workers(MetricFamilies& families, const Status& status) {
  std::vector<MetricSubject<QueueStatus>> queues;
  std::vector<MetricSubject<WorkerTotals>> workers;
  for (const InterfaceStatus& interface : status.interfaces) {
    for (const QueueStatus& queue : interface.queues) {
      queues.push_back({&queue, queue_labels(interface, queue)});
      workers.push_back({&queue.worker, queue_labels(interface, queue)});
    }
  }
  families.add(kFlowTableRows, workers);
  add_queues(families, queues);
  // No queue, so that an interface that is called so does not have the same labels.
  workers.push_back({&status.retired, {{"interface", "retired"}, {"queue", ""}}});
  families.add(kWorkerRows, workers);
  add_drops(families, workers);
}

// --- services ---

constexpr MetricRow<ServiceStatus> kServiceRows[] = {
    {kCounter, "guideway_service_packets_total", "Packets forwarded for the service.",
     [](const ServiceStatus& service) { return sample(service.packets); }},
    {kCounter, "guideway_service_bytes_total",
     "Bytes forwarded for the service: of the clients' IP packets, without encapsulation.",
     [](const ServiceStatus& service) { return sample(service.bytes); }},
    {kGauge, "guideway_service_healthy", "1 if the pool of the service is healthy.",
     [](const ServiceStatus& service) { return sample(service.healthy); }},
};

void add_services(MetricFamilies& families, const Status& status) {
  std::vector<MetricSubject<ServiceStatus>> subjects;
  for (const ServiceStatus& one : status.services) {
    subjects.push_back({&one,
                        {{"service", one.name},
                         {"vip", one.vip},
                         {"protocol", one.protocol},
                         {"port", std::to_string(one.port)},
                         {"pool", one.pool}}});
  }
  families.add(kServiceRows, subjects);
}

}  // namespace

std::string prometheus_text(const Status& status) {
  MetricFamilies families;
  add_node(families, status);
  add_interfaces(families, status);
  add_workers(families, status);
  add_services(families, status);
  add_pools(families, status);
  add_bgp(families, status);
  return prometheus::TextSerializer().Serialize(families.all());
}

}  // namespace guideway::observe
