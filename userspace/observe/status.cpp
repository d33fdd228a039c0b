#include "observe/status.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>

namespace guideway::observe {
namespace {

namespace json = boost::json;

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

json::object queue(const QueueStatus& status) {
  return {{"queue", status.queue},
          {"mode", status.mode},
          {"cpu", status.cpu},
          {"generation", status.generation},
          {"socket", values(status.socket)},
          {"worker", counters(status.worker)}};
}

json::object interface(const InterfaceStatus& status) {
  json::array queues;
  queues.reserve(status.queues.size());
  for (const QueueStatus& one : status.queues) queues.push_back(queue(one));
  return {{"name", status.name},
          {"driver", status.driver},
          {"mtu", status.mtu},
          {"attachment", status.attachment},
          {"dispatcher", status.dispatcher},
          {"steering", values(status.steering)},
          {"queues", std::move(queues)}};
}

json::object service(const ServiceStatus& status) {
  return {{"name", status.name},
          {"vip", status.vip},
          {"protocol", status.protocol},
          {"port", status.port},
          {"pool", status.pool},
          {"forwarded_packets", status.packets},
          {"forwarded_bytes", status.bytes}};
}

json::object backend(const BackendStatus& status) {
  return {{"address", status.address},
          {"weight", status.weight},
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
  json::array backends;
  backends.reserve(status.backends.size());
  for (const BackendStatus& one : status.backends) backends.push_back(backend(one));
  return {
      {"name", status.name}, {"table_size", status.table_size}, {"backends", std::move(backends)}};
}

WorkerTotals totals(const Status& status) {
  WorkerTotals sum;
  for (const InterfaceStatus& one : status.interfaces)
    for (const QueueStatus& each : one.queues) sum += each.worker;
  return sum;
}

}  // namespace

std::string to_json(const Status& status) {
  json::array interfaces, services, pools;
  for (const InterfaceStatus& one : status.interfaces) interfaces.push_back(interface(one));
  for (const ServiceStatus& one : status.services) services.push_back(service(one));
  for (const PoolStatus& one : status.pools) pools.push_back(pool(one));
  const json::object node{{"name", status.node},
                          {"version", status.version},
                          {"pid", status.pid},
                          {"uptime_seconds", status.uptime.count()},
                          {"config_file", status.config_file}};
  return json::serialize(json::object{{"node", node},
                                      {"generation", status.generation},
                                      {"totals", counters(totals(status))},
                                      {"interfaces", std::move(interfaces)},
                                      {"services", std::move(services)},
                                      {"pools", std::move(pools)}});
}

}  // namespace guideway::observe
