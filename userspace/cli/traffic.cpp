#include "cli/traffic.h"

#include <algorithm>
#include <map>

namespace guideway::cli {
namespace {

constexpr double kBitsPerByte = 8;
using Key = std::pair<std::string, std::string>;
using ByKey = std::map<Key, const json::object*>;

// The document before, and the time that has passed since; what cannot be compared is not there.
class Since {
 public:
  Since(const Reading* before, const Reading& now) {
    if (before == nullptr) return;
    const json::object &was = object(before->document, "node"), &is = object(now.document, "node");
    const std::uint64_t from = number(was, "uptime_microseconds"),
                        to = number(is, "uptime_microseconds");
    const bool other_process = text(was, "pid") != text(is, "pid") || to < from ||
                               number(is, "uptime_seconds") < number(was, "uptime_seconds");
    if (other_process) return;
    const std::chrono::duration<double> by_client = now.at - before->at;
    seconds_ = to > 0 ? static_cast<double>(to - from) / 1e6 : by_client.count();
    if (seconds_ > 0) document_ = &before->document;
  }

  [[nodiscard]] const json::object* document() const { return document_; }
  [[nodiscard]] double seconds() const { return seconds_; }
  [[nodiscard]] double rate(std::uint64_t before, std::uint64_t now) const {
    return now > before ? static_cast<double>(now - before) / seconds_ : 0;
  }
  [[nodiscard]] double rate(const json::object& before, const json::object& now,
                            std::string_view key) const {
    return rate(number(before, key), number(now, key));
  }
  [[nodiscard]] std::optional<Rate> rate_of(const ByKey& all, const Key& key,
                                            const json::object& now) const {
    const auto found = all.find(key);
    if (found == all.end()) return std::nullopt;
    const json::object& before = *found->second;
    return Rate{.packets = rate(before, now, "forwarded_packets"),
                .bits = kBitsPerByte * rate(before, now, "forwarded_bytes"),
                .flows = rate(before, now, "flows")};
  }

 private:
  const json::object* document_ = nullptr;
  double seconds_ = 0;
};

Key service_key(const json::object& service) {
  return {text(service, "protocol") + " " + text(service, "vip") + ":" + text(service, "port"), ""};
}

ByKey services_by_key(const json::object* document) {
  ByKey out;
  if (document == nullptr) return out;
  for (const json::object* service : objects(*document, "services"))
    out.emplace(service_key(*service), service);
  return out;
}

ByKey backends_by_key(const json::object* document) {
  ByKey out;
  if (document == nullptr) return out;
  for (const json::object* pool : objects(*document, "pools"))
    for (const json::object* backend : objects(*pool, "backends"))
      out.emplace(Key{text(*pool, "name"), text(*backend, "address")}, backend);
  return out;
}

// Every way in which packets of VIPs are lost on this host, with how often it has happened.
std::map<std::string, std::uint64_t> losses(const json::object& document) {
  std::map<std::string, std::uint64_t> out;
  const auto add = [&out](const json::object& counters, const auto& is_loss) {
    for (const auto& counter : counters) {
      const std::string_view name(counter.key());
      if (is_loss(name)) out[printable(name)] += number(counters, name);
    }
  };
  add(object(object(document, "totals"), "drops"), [](auto) { return true; });
  for (const json::object* interface : objects(document, "interfaces")) {
    add(object(*interface, "steering"),
        [](auto name) { return name != "redirected" && !name.starts_with("pass_"); });
    for (const json::object* queue : objects(*interface, "queues"))
      add(object(*queue, "socket"),
          [](auto name) { return name == "rx_dropped" || name == "rx_ring_full"; });
  }
  return out;
}

std::uint64_t forwarded_bytes(const json::object& document) {
  std::uint64_t bytes = number(object(object(document, "removed"), "services"), "forwarded_bytes");
  for (const json::object* service : objects(document, "services"))
    bytes += number(*service, "forwarded_bytes");
  return bytes;
}

TotalRates total_rates(const Since& since, const json::object& now) {
  const json::object& before = *since.document();
  const json::object &was = object(before, "totals"), &is = object(now, "totals");
  TotalRates out{.seconds = since.seconds(),
                 .received = since.rate(was, is, "received"),
                 .transmitted = since.rate(was, is, "transmitted"),
                 .bits = kBitsPerByte * since.rate(forwarded_bytes(before), forwarded_bytes(now)),
                 .flows = since.rate(was, is, "flow_inserted"),
                 .drops = {}};
  const auto lost = losses(before);
  for (const auto& [name, count] : losses(now)) {
    const auto found = lost.find(name);
    out.drops.emplace_back(name, since.rate(found == lost.end() ? 0 : found->second, count));
    out.dropped += out.drops.back().second;
  }
  std::ranges::stable_sort(out.drops, std::greater(), &std::pair<std::string, double>::second);
  return out;
}

// What the backend answered comes first: it is what a narrow screen has room for.
std::string why(const json::object& backend) {
  if (text(backend, "health") == "down") {
    for (const json::object* check : objects(backend, "checks"))
      if (text(*check, "state") == "down")
        return text(*check, "last") + " (" + text(*check, "what") + ")";
    return {};
  }
  const std::string next_hop = text(backend, "next_hop");
  return next_hop == "resolved" || next_hop == "-" ? "" : "next hop: " + next_hop;
}

// What has no rate comes last, and what is equal stays in the order of the configuration.
template <class T>
void busiest_first(std::vector<T>& all) {
  std::ranges::stable_sort(all, std::greater(),
                           [](const T& one) { return one.rate ? one.rate->packets : -1.0; });
}

class Wanted {
 public:
  explicit Wanted(const std::vector<std::string>& pools) : pools_(pools) {}
  [[nodiscard]] bool operator()(const std::string& pool) const {
    return pools_.empty() || std::ranges::find(pools_, pool) != pools_.end();
  }

 private:
  const std::vector<std::string>& pools_;
};

std::vector<ServiceTraffic> service_traffic(const Since& since, const json::object& now,
                                            const Wanted& wanted) {
  std::vector<ServiceTraffic> out;
  const ByKey before = services_by_key(since.document());
  for (const json::object* service : objects(now, "services")) {
    if (!wanted(text(*service, "pool"))) continue;
    const Key key = service_key(*service);
    out.push_back({.name = text(*service, "name"),
                   .address = key.first,
                   .pool = text(*service, "pool"),
                   .health = choice(*service, "healthy", "healthy", "unhealthy"),
                   .rate = since.rate_of(before, key, *service)});
  }
  busiest_first(out);
  return out;
}

std::vector<BackendTraffic> backend_traffic(const Since& since, const json::object& pool,
                                            const ByKey& before) {
  std::vector<BackendTraffic> out;
  double packets = 0;
  for (const json::object* backend : objects(pool, "backends")) {
    const Key key{text(pool, "name"), text(*backend, "address")};
    out.push_back({.pool = key.first,
                   .address = key.second,
                   .health = text(*backend, "health"),
                   .drain = text(*backend, "drain"),
                   .next_hop = text(*backend, "next_hop"),
                   .weight_percent = backend->contains("weight_percent")
                                         ? number(*backend, "weight_percent")
                                         : 100,
                   .why = why(*backend),
                   .rate = since.rate_of(before, key, *backend)});
    if (out.back().rate) packets += out.back().rate->packets;
  }
  for (BackendTraffic& backend : out) backend.pool_packets = packets;
  return out;
}

}  // namespace

Result<Reading> read_status(std::string_view document, std::chrono::steady_clock::time_point at) {
  auto all = read_document(document, "node", json::kind::object, "reading the status of guidewayd");
  if (!all) return std::unexpected(std::move(all.error()));
  return Reading{.document = std::move(*all), .at = at};
}

bool takes_flows(const BackendTraffic& backend) {
  return (backend.health == "up" || backend.health == "unchecked") && backend.drain == "-";
}

Traffic traffic_between(const Reading* before, const Reading& now,
                        const std::vector<std::string>& pools) {
  const Since since(before, now);
  const Wanted wanted(pools);
  Traffic out;
  if (since.document() != nullptr) out.totals = total_rates(since, now.document);
  out.services = service_traffic(since, now.document, wanted);
  const ByKey known = backends_by_key(since.document());
  for (const json::object* pool : objects(now.document, "pools")) {
    if (!wanted(text(*pool, "name"))) continue;
    auto backends = backend_traffic(since, *pool, known);
    out.backends.insert(out.backends.end(), std::make_move_iterator(backends.begin()),
                        std::make_move_iterator(backends.end()));
  }
  busiest_first(out.backends);
  return out;
}

std::uint64_t flows_remembered(const json::object& document) {
  const json::object& totals = object(document, "totals");
  std::uint64_t flows = 0;
  for (const char* name : {"flows_opening", "flows_established", "flows_closing", "flows_udp"})
    flows += number(totals, name);
  return flows;
}

}  // namespace guideway::cli
