#include "cli/doctor_running.h"

#include <utility>

#include "cli/json_view.h"

namespace guideway::cli {
namespace {

doctor::NamedCounts counts(const json::object& in) {
  doctor::NamedCounts out;
  for (const auto& [key, value] : in)
    if (value.is_number()) out.emplace_back(std::string(key), number(in, key));
  return out;
}

doctor::RunningQueue queue_of(const json::object& in) {
  const json::object& worker = object(in, "worker");
  return {.queue = static_cast<std::uint32_t>(number(in, "queue")),
          .mode = text(in, "mode"),
          .cpu = static_cast<std::uint32_t>(number(in, "cpu")),
          .generation = number(in, "generation"),
          .stalled_seconds = number(in, "stalled_seconds"),
          .received = number(worker, "received"),
          .transmitted = number(worker, "transmitted"),
          .completed = number(worker, "completed"),
          .socket = counts(object(in, "socket"))};
}

doctor::RunningInterface interface_of(const json::object& in) {
  doctor::RunningInterface out{.name = text(in, "name"),
                               .attachment = text(in, "attachment"),
                               .steering = counts(object(in, "steering")),
                               .queues = {}};
  for (const json::object* queue : objects(in, "queues")) out.queues.push_back(queue_of(*queue));
  return out;
}

// "tcp port 80: connection refused" of each check that is not up.
std::string complaints(const json::object& backend) {
  std::string out;
  for (const json::object* check : objects(backend, "checks"))
    if (text(*check, "state") != "up")
      out += (out.empty() ? "" : "; ") + text(*check, "what") + ": " + text(*check, "last");
  return out;
}

void add_pool(const json::object& in, doctor::Running& out) {
  const std::string pool = text(in, "name");
  out.pools.push_back({.name = pool,
                       .empty = flag(in, "empty"),
                       .healthy = flag(in, "healthy"),
                       .on_empty = text(in, "on_empty"),
                       .healthy_backends = number(in, "healthy_backends"),
                       .min_healthy = number(in, "min_healthy")});
  for (const json::object* backend : objects(in, "backends"))
    out.backends.push_back({.pool = pool,
                            .address = text(*backend, "address"),
                            .health = text(*backend, "health"),
                            .why = complaints(*backend),
                            .next_hop = text(*backend, "next_hop")});
}

// "" where a text would be shown as "-".
std::string plain(const json::object& in, std::string_view key) {
  std::string out = text(in, key);
  return out == "-" ? std::string() : out;
}

doctor::RunningBgp bgp_of(const json::object& in) {
  doctor::RunningBgp out{.api = text(in, "api"),
                         .role = text(in, "role"),
                         .role_by_operator = flag(in, "role_by_operator"),
                         .contact = text(in, "contact"),
                         .error = plain(in, "error"),
                         .sessions = {},
                         .routes = {}};
  for (const json::object* one : objects(in, "sessions"))
    out.sessions.push_back({.peer = text(*one, "peer"),
                            .asn = number(*one, "asn"),
                            .state = text(*one, "state"),
                            .state_for_seconds = number(*one, "state_for_seconds"),
                            .graceful_restart = flag(*one, "graceful_restart")});
  for (const json::object* one : objects(in, "routes"))
    out.routes.push_back({.prefix = text(*one, "prefix"),
                          .state = text(*one, "state"),
                          .why = plain(*one, "why"),
                          .held = flag(*one, "held")});
  return out;
}

}  // namespace

Result<doctor::Running> read_running(std::string_view document) {
  const auto all =
      read_document(document, "node", json::kind::object, "reading the status of guidewayd");
  if (!all) return std::unexpected(all.error());
  const json::object& node = object(*all, "node");
  const json::object& reloads = object(*all, "reloads");
  const json::object& totals = object(*all, "totals");
  doctor::Running out{
      .version = text(node, "version"),
      .config_file = text(node, "config_file"),
      .pid = number(node, "pid"),
      .ready = flag(node, "ready"),
      .uptime = std::chrono::seconds(static_cast<std::int64_t>(number(node, "uptime_seconds"))),
      .generation = number(*all, "generation"),
      .config_digest = text(node, "config_digest"),
      .reloads_failed = number(reloads, "failed"),
      .last_reload_succeeded = number(reloads, "failed") == 0 || flag(reloads, "last_succeeded"),
      .counters = counts(totals),
      .drops = counts(object(totals, "drops")),
      .interfaces = {},
      .pools = {},
      .backends = {}};
  for (const json::object* interface : objects(*all, "interfaces"))
    out.interfaces.push_back(interface_of(*interface));
  for (const json::object* pool : objects(*all, "pools")) add_pool(*pool, out);
  if (const json::object& bgp = object(*all, "bgp"); !bgp.empty()) out.bgp = bgp_of(bgp);
  return out;
}

}  // namespace guideway::cli
