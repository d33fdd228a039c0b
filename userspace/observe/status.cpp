#include "observe/status.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <optional>

namespace guideway::observe {
namespace {

namespace json = boost::json;

// 48 bits, as a person compares them.
std::string digest_text(std::uint64_t digest) {
  std::string text(12, '0');
  for (std::size_t i = text.size(); i-- > 0; digest >>= 4)
    text[i] = "0123456789abcdef"[digest & 15];
  return text;
}

template <class T>
json::array all(const std::vector<T>& statuses, json::object (*shown)(const T&)) {
  json::array out;
  out.reserve(statuses.size());
  for (const T& one : statuses) out.push_back(shown(one));
  return out;
}

json::object values(const NamedValues& named) {
  json::object out;
  out.reserve(named.size());
  for (const auto& [name, value] : named) out[name] = value;
  return out;
}

json::object counters(const WorkerTotals& totals) {
  json::object out;
#define GUIDEWAY_WORKER_COUNTER_JSON(name) out[#name] = totals.name;
  GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_WORKER_COUNTER_JSON)
#undef GUIDEWAY_WORKER_COUNTER_JSON
  json::object drops;
  constexpr auto kFirst = static_cast<std::size_t>(DropReason::none) + 1;
  for (std::size_t i = kFirst; i < kDropReasons; ++i) drops[kDropReasonNames[i]] = totals.drops[i];
  out["drops"] = std::move(drops);
  out["dropped"] = totals.dropped();
  out["in_flight"] = totals.in_flight();
  return out;
}

json::object rings(const std::vector<RingStatus>& all) {
  json::object out;
  for (const RingStatus& one : all)
    out[one.name] = json::object{{"entries", one.entries}, {"size", one.size}};
  return out;
}

json::object queue(const QueueStatus& status) {
  return {{"queue", status.queue},
          {"mode", status.mode},
          {"cpu", status.cpu},
          {"generation", status.generation},
          {"stalled_seconds", status.stalled.count()},
          {"socket", values(status.socket)},
          {"rings", rings(status.rings)},
          {"worker", counters(status.worker)}};
}

json::object interface(const InterfaceStatus& status) {
  return {{"name", status.name},
          {"driver", status.driver},
          {"mtu", status.mtu},
          {"attachment", status.attachment},
          {"dispatcher", status.dispatcher},
          {"steering", values(status.steering)},
          {"queues", all(status.queues, queue)}};
}

json::object service(const ServiceStatus& status) {
  return {{"name", status.name},
          {"vip", status.vip},
          {"protocol", status.protocol},
          {"port", status.port},
          {"pool", status.pool},
          {"healthy", status.healthy},
          {"forwarded_packets", status.packets},
          {"forwarded_bytes", status.bytes}};
}

json::object check(const CheckStatus& status) {
  return {{"type", status.type},
          {"what", status.what},
          {"state", status.state},
          {"last", status.last},
          {"last_microseconds", status.last_microseconds},
          {"passed", status.passed},
          {"failed", status.failed}};
}

json::object backend(const BackendStatus& status) {
  return {{"address", status.address},
          {"weight", status.weight},
          {"weight_percent", status.weight_percent},
          {"health", status.health},
          {"health_for_seconds", status.health_for.count()},
          {"drain", status.drain},
          {"usable", status.usable},
          {"went_up", status.went_up},
          {"went_down", status.went_down},
          {"checks", all(status.checks, check)},
          {"table_entries", status.table_entries},
          {"next_hop", status.next_hop},
          {"device", status.device},
          {"via", status.via},
          {"mac", status.mac},
          {"flows", status.flows},
          {"forwarded_packets", status.packets},
          {"forwarded_bytes", status.bytes}};
}

json::object pool(const PoolStatus& status) {
  return {{"name", status.name},
          {"table_size", status.table_size},
          {"table_digest", digest_text(status.table_digest)},
          {"on_empty", status.on_empty},
          {"empty", status.empty},
          {"healthy_backends", status.healthy_backends},
          {"min_healthy", status.min_healthy},
          {"healthy", status.healthy},
          {"backends", all(status.backends, backend)}};
}

json::object node(const Status& status) {
  return {{"name", status.node},
          {"version", status.version},
          {"pid", status.pid},
          {"uptime_seconds", std::chrono::floor<std::chrono::seconds>(status.uptime).count()},
          {"uptime_microseconds", status.uptime.count()},
          {"config_file", status.config_file},
          {"config_digest", digest_text(status.config_digest)},
          {"log_level", status.log_level},
          {"ready", status.ready},
          {"user", status.user},
          {"capabilities", json::array(status.capabilities.begin(), status.capabilities.end())}};
}

json::object reloads(const ReloadStatus& status) {
  return {{"succeeded", status.succeeded},
          {"failed", status.failed},
          {"last_succeeded", status.last_succeeded},
          {"last_unix_seconds", status.last_unix_seconds}};
}

json::object removed(const RemovedStatus& status) {
  return {{"services", json::object{{"forwarded_packets", status.service_packets},
                                    {"forwarded_bytes", status.service_bytes}}},
          {"backends", json::object{{"forwarded_packets", status.backend_packets},
                                    {"forwarded_bytes", status.backend_bytes},
                                    {"flows", status.backend_flows}}}};
}

json::value bgp(const std::optional<BgpStatus>& status) {
  return status ? json::value(to_json_object(*status)) : json::value(nullptr);
}

WorkerTotals totals(const Status& status) {
  WorkerTotals sum = status.retired;
  for (const InterfaceStatus& one : status.interfaces)
    for (const QueueStatus& each : one.queues) sum += each.worker;
  return sum;
}

}  // namespace

std::string to_json(const Status& status) {
  return json::serialize(json::object{{"node", node(status)},
                                      {"generation", status.generation},
                                      {"reloads", reloads(status.reloads)},
                                      {"suppressed_log_lines", status.suppressed_log_lines},
                                      {"totals", counters(totals(status))},
                                      {"retired", counters(status.retired)},
                                      {"removed", removed(status.removed)},
                                      {"interfaces", all(status.interfaces, interface)},
                                      {"services", all(status.services, service)},
                                      {"pools", all(status.pools, pool)},
                                      {"bgp", bgp(status.bgp)}});
}

std::string interfaces_to_json(const Status& status) {
  return json::serialize(json::object{{"interfaces", all(status.interfaces, interface)}});
}

std::string services_to_json(const Status& status) {
  return json::serialize(json::object{{"services", all(status.services, service)}});
}

std::string pools_to_json(const Status& status) {
  return json::serialize(json::object{{"pools", all(status.pools, pool)}});
}

boost::json::object backend_to_json(const BackendStatus& status) { return backend(status); }

}  // namespace guideway::observe
