// `guideway watch` where there is no terminal: a line, or a JSON object, for each document.
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "cli/bgp_view.h"
#include "cli/columns.h"
#include "cli/text_table.h"
#include "cli/watch_view.h"

namespace guideway::cli {
namespace {

constexpr std::array<std::size_t, 8> kWidths = {20, 5, 11, 13, 9, 11, 10, 11};
using Cells = std::array<std::string, kWidths.size()>;

std::string line(const Cells& cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i)
    out += (i == 0 ? "" : " ") + padded_left(cells[i], kWidths[i]);
  return out + "\n";
}

std::string whole(double value) { return std::to_string(std::llround(value)); }

std::size_t backends_up(const Traffic& traffic) {
  return static_cast<std::size_t>(std::ranges::count_if(traffic.backends, takes_flows));
}

// To a thousandth, as more is noise.
json::value rate(double value) {
  const double rounded = std::round(value * 1000) / 1000;
  // A double is written with an exponent, which a person reads as little as need be.
  constexpr double kExact = 9e15;
  if (rounded == std::floor(rounded) && rounded < kExact) return static_cast<std::int64_t>(rounded);
  return rounded;
}

json::value rate(const std::optional<Rate>& of, double Rate::*which) {
  return of ? rate((*of).*which) : json::value();
}

json::object heading_of(const Scene& scene) {
  return {{"time", time_text(scene.unix_seconds)},
          {"unix_seconds", scene.unix_seconds},
          {"reachable", !scene.silence.has_value()}};
}

void add_totals(json::object& out, const std::optional<TotalRates>& totals) {
  const auto value = [&](double TotalRates::*which) {
    return totals ? rate((*totals).*which) : json::value();
  };
  out["seconds"] = value(&TotalRates::seconds);
  out["received_per_second"] = value(&TotalRates::received);
  out["transmitted_per_second"] = value(&TotalRates::transmitted);
  out["bits_per_second"] = value(&TotalRates::bits);
  out["new_flows_per_second"] = value(&TotalRates::flows);
  out["dropped_per_second"] = value(&TotalRates::dropped);
  if (!totals) {
    out["drops_per_second"] = nullptr;
    return;
  }
  json::object drops;
  for (const auto& [name, of] : totals->drops) drops[name] = rate(of);
  out["drops_per_second"] = std::move(drops);
}

json::array services(const Traffic& traffic) {
  json::array out;
  for (const ServiceTraffic& one : traffic.services) {
    out.push_back(json::object{{"name", one.name},
                               {"address", one.address},
                               {"pool", one.pool},
                               {"healthy", one.health == "healthy"},
                               {"packets_per_second", rate(one.rate, &Rate::packets)},
                               {"bits_per_second", rate(one.rate, &Rate::bits)}});
  }
  return out;
}

json::array backends(const Traffic& traffic) {
  json::array out;
  for (const BackendTraffic& one : traffic.backends) {
    out.push_back(json::object{{"pool", one.pool},
                               {"address", one.address},
                               {"health", one.health},
                               {"drain", one.drain == "-" ? "" : one.drain},
                               {"weight_percent", one.weight_percent},
                               {"why", one.why},
                               {"packets_per_second", rate(one.rate, &Rate::packets)},
                               {"bits_per_second", rate(one.rate, &Rate::bits)},
                               {"new_flows_per_second", rate(one.rate, &Rate::flows)}});
  }
  return out;
}

json::value bgp(const json::object& of) {
  if (of.empty()) return nullptr;
  const BgpCounts counts = bgp_counts(of);
  return json::object{{"role", text(of, "role")},    {"in_step", flag(of, "in_step")},
                      {"sessions", counts.sessions}, {"sessions_established", counts.established},
                      {"routes", counts.routes},     {"routes_announced", counts.announced}};
}

}  // namespace

std::string watch_heading() {
  return line(
      {"time", "ready", "packets/s", "bit/s", "drops/s", "new_flows/s", "flows", "backends_up"});
}

std::string watch_line(const Scene& scene) {
  const std::string time = time_text(scene.unix_seconds);
  if (scene.silence) return line({time, "gone", "-", "-", "-", "-", "-", "-"});
  const Traffic traffic = traffic_of(scene);
  const auto value = [&](double TotalRates::*which) {
    return traffic.totals ? whole((*traffic.totals).*which) : "-";
  };
  const json::object& document = scene.now->document;
  return line(
      {time, flag(object(document, "node"), "ready") ? "yes" : "no", value(&TotalRates::received),
       value(&TotalRates::bits), value(&TotalRates::dropped), value(&TotalRates::flows),
       std::to_string(flows_remembered(document)),
       std::to_string(backends_up(traffic)) + "/" + std::to_string(traffic.backends.size())});
}

std::string watch_json(const Scene& scene) {
  json::object out = heading_of(scene);
  if (scene.silence) {
    out["unreachable_seconds"] = scene.silence->since.count();
    out["cause"] = scene.silence->cause;
    return json::serialize(out) + "\n";
  }
  const json::object &document = scene.now->document, &node = object(document, "node");
  const Traffic traffic = traffic_of(scene);
  out["ready"] = flag(node, "ready");
  out["generation"] = number(document, "generation");
  out["uptime_seconds"] = number(node, "uptime_seconds");
  add_totals(out, traffic.totals);
  out["flows"] = flows_remembered(document);
  out["flow_table_capacity"] = number(object(document, "totals"), "flow_table_capacity");
  out["backends_up"] = backends_up(traffic);
  out["bgp"] = bgp(object(document, "bgp"));
  out["services"] = services(traffic);
  out["backends"] = backends(traffic);
  return json::serialize(out) + "\n";
}

}  // namespace guideway::cli
