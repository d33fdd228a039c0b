#include "cli/pool_view.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <utility>
#include <vector>

#include "cli/text_table.h"

namespace guideway::cli {
namespace {

using Align = TextTable::Align;

constexpr const char* kReadingServices = "reading the services of guidewayd";
constexpr const char* kReadingBackends = "reading the backends of guidewayd";

// "pool blue: healthy, 2 of 3 backends healthy, 1 needed", its table, and a line about what happens
// if none is usable. An earlier daemon knows no health.
std::string heading(const json::object& pool, const Palette& palette) {
  std::string out = palette.heading("pool " + text(pool, "name"));
  if (pool.contains("healthy")) {
    out += ": " + (flag(pool, "healthy") ? palette.good("healthy") : palette.bad("unhealthy")) +
           ", " + text(pool, "healthy_backends") + " of " +
           std::to_string(objects(pool, "backends").size()) + " backends healthy, " +
           text(pool, "min_healthy") + " needed";
  }
  out += "\n  table of " + text(pool, "table_size") + " entries";
  if (pool.contains("table_digest")) out += ", digest " + text(pool, "table_digest");
  out += "\n";
  if (!flag(pool, "empty")) return out;
  const std::string on_empty = text(pool, "on_empty");
  return out + "  " +
         palette.bad(on_empty == "all"
                         ? "no backend is usable: each counts as if it were (on_empty: all)"
                         : "no backend is usable: new flows are dropped (on_empty: " + on_empty +
                               ")") +
         "\n";
}

// "3"; "3 (40 %)" in a slow start.
std::string weight_text(const json::object& backend, const Palette& palette) {
  constexpr std::uint64_t kWhole = 100;
  const std::string out = text(backend, "weight");
  if (!backend.contains("weight_percent") || number(backend, "weight_percent") >= kWhole)
    return out;
  return palette.caution(out + " (" + text(backend, "weight_percent") + " %)");
}

// Of a backend or of a check.
std::string state_text(const std::string& state, const Palette& palette) {
  if (state == "up") return palette.good(state);
  if (state == "down") return palette.bad(state);
  return state == "unknown" ? palette.caution(state) : state;
}

// "up"; "up, drained by operator".
std::string health_text(const json::object& backend, const Palette& palette) {
  const std::string drain = text(backend, "drain"), health = text(backend, "health");
  if (drain == "-") return state_text(health, palette);
  const std::string both = health + ", drained by " + drain;
  return health == "down" ? palette.bad(both) : palette.caution(both);
}

// "resolved, eth1 via 10.0.0.254"; the gateway only where there is one.
std::string next_hop_text(const json::object& backend, const Palette& palette) {
  const std::string device = text(backend, "device"), via = text(backend, "via");
  std::string out = text(backend, "next_hop");
  if (device != "-") out += ", " + device;
  if (via != "-" && via != text(backend, "address")) out += " via " + via;
  return out == "-" || out.starts_with("resolved") ? out : palette.caution(out);
}

std::string last_answer(const json::object& check) {
  const std::string last = text(check, "last");
  return last == "-" ? "no answer yet" : last;
}

std::string failing_checks(const json::object& pool, const Palette& palette) {
  std::string out;
  for (const json::object* backend : objects(pool, "backends")) {
    for (const json::object* check : objects(*backend, "checks")) {
      if (text(*check, "state") != "down") continue;
      out += "  " +
             palette.bad(text(*backend, "address") + ": " + text(*check, "what") + ": " +
                         last_answer(*check)) +
             "\n";
    }
  }
  return out;
}

std::string checks_table(const json::object& pool, const Palette& palette) {
  TextTable table({{"backend", Align::left},
                   {"check", Align::left},
                   {"state", Align::left},
                   {"passed"},
                   {"failed"},
                   {"took"},
                   {"last answer", Align::left}});
  bool any = false;
  for (const json::object* backend : objects(pool, "backends")) {
    for (const json::object* check : objects(*backend, "checks")) {
      const bool answered = text(*check, "last") != "-";
      table.add({text(*backend, "address"), text(*check, "what"),
                 state_text(text(*check, "state"), palette), text(*check, "passed"),
                 text(*check, "failed"),
                 answered ? latency_text(number(*check, "last_microseconds")) : "-",
                 last_answer(*check)});
      any = true;
    }
  }
  return any ? "\n" + table.text(palette) : "  no checks\n";
}

std::string names(const std::vector<const json::object*>& pools) {
  std::string out;
  for (const json::object* pool : pools) out += (out.empty() ? "" : ", ") + text(*pool, "name");
  return out;
}

std::string healthy_text(const json::object& service, const Palette& palette) {
  const std::string out = choice(service, "healthy", "healthy", "unhealthy");
  return out == "unhealthy" ? palette.bad(out) : palette.good(out);
}

}  // namespace

std::string services_table(const json::object& document, const Palette& palette) {
  TextTable table({{"service", Align::left},
                   {"address", Align::left},
                   {"pool", Align::left},
                   {"health", Align::left},
                   {"packets"},
                   {"bytes"}});
  const auto services = objects(document, "services");
  for (const json::object* service : services) {
    table.add(
        {text(*service, "name"),
         text(*service, "protocol") + " " + text(*service, "vip") + ":" + text(*service, "port"),
         text(*service, "pool"), healthy_text(*service, palette),
         text(*service, "forwarded_packets"), bytes_text(number(*service, "forwarded_bytes"))});
  }
  return services.empty() ? "services: none\n"
                          : palette.heading("services") + "\n" + table.text(palette);
}

std::string pool_traffic(const json::object& pool, const Palette& palette) {
  const auto backends = objects(pool, "backends");
  std::uint64_t flows = 0;
  for (const json::object* backend : backends) flows += number(*backend, "flows");
  TextTable table({{"backend", Align::left},
                   {"weight"},
                   {"health", Align::left},
                   {"table"},
                   {"flows"},
                   {"share"},
                   {"packets"},
                   {"bytes"},
                   {"next hop", Align::left}});
  for (const json::object* backend : backends) {
    table.add({text(*backend, "address"), weight_text(*backend, palette),
               health_text(*backend, palette),
               share_text(number(*backend, "table_entries"), number(pool, "table_size")),
               text(*backend, "flows"), share_text(number(*backend, "flows"), flows),
               text(*backend, "forwarded_packets"), bytes_text(number(*backend, "forwarded_bytes")),
               next_hop_text(*backend, palette)});
  }
  return heading(pool, palette) + table.text(palette) + failing_checks(pool, palette);
}

std::string pool_health(const json::object& pool, const Palette& palette) {
  TextTable table({{"backend", Align::left},
                   {"weight"},
                   {"health", Align::left},
                   {"for"},
                   {"usable", Align::left},
                   {"table"},
                   {"went up"},
                   {"went down"},
                   {"next hop", Align::left}});
  for (const json::object* backend : objects(pool, "backends")) {
    table.add(
        {text(*backend, "address"), weight_text(*backend, palette), health_text(*backend, palette),
         duration_text(number(*backend, "health_for_seconds")),
         choice(*backend, "usable", "yes", "no"),
         share_text(number(*backend, "table_entries"), number(pool, "table_size")),
         text(*backend, "went_up"), text(*backend, "went_down"), next_hop_text(*backend, palette)});
  }
  return heading(pool, palette) + table.text(palette) + checks_table(pool, palette);
}

Result<std::string> services_text(std::string_view document, const Palette& palette) {
  const auto all = read_document(document, "services", json::kind::array, kReadingServices);
  if (!all) return std::unexpected(all.error());
  return services_table(*all, palette);
}

Result<std::string> only_pool(std::string_view document, const std::string& pool) {
  auto all = read_document(document, "pools", json::kind::array, kReadingBackends);
  if (!all) return std::unexpected(all.error());
  const auto pools = objects(*all, "pools");
  for (const json::object* one : pools) {
    const json::value* name = one->if_contains("name");
    if (name == nullptr || !name->is_string() || name->get_string() != pool) continue;
    json::array only;
    only.emplace_back(*one);
    return json::serialize(json::object{{"pools", std::move(only)}});
  }
  return fail("no pool is called \"" + printable(pool) + "\"",
              pools.empty() ? "there is none" : "there are: " + names(pools));
}

Result<std::string> backends_text(std::string_view document, const Palette& palette) {
  const auto all = read_document(document, "pools", json::kind::array, kReadingBackends);
  if (!all) return std::unexpected(all.error());
  std::string out;
  for (const json::object* pool : objects(*all, "pools"))
    out += (out.empty() ? "" : "\n") + pool_health(*pool, palette);
  return out.empty() ? "pools: none\n" : out;
}

}  // namespace guideway::cli
