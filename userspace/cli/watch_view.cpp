#include "cli/watch_view.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include "cli/bgp_view.h"
#include "cli/columns.h"
#include "cli/text_table.h"

namespace guideway::cli {
namespace {

using Align = TextTable::Align;
using Lines = std::vector<std::string>;

constexpr std::size_t kLeastRows = 4;        // for tables to be worth showing
constexpr std::size_t kRoomyRows = 10;       // from which on there are blank lines between them
constexpr std::size_t kLeastWhy = 20;        // columns
constexpr std::size_t kMostName = 24;        // columns
constexpr std::uint64_t kWholeWeight = 100;  // percent

// As many of `items` as fit, with the number of those that do not. The first is cut, if need be.
std::string joined(const std::string& label, const std::vector<std::string>& items,
                   std::size_t columns) {
  std::string out = label;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto tail = [&](std::size_t left) {
      return left == 0 ? "" : "; and " + std::to_string(left) + " more";
    };
    const std::string start = out + (i == 0 ? "" : "; ");
    const std::size_t taken = columns_of(start) + tail(items.size() - i - 1).size();
    const std::size_t room = columns - std::min(columns, taken);
    if (i > 0 && columns_of(items[i]) > room) return out + tail(items.size() - i);
    out = start + cut(items[i], room);
  }
  return out;
}

std::string first_line(const Scene& scene, std::size_t columns, const Palette& palette) {
  const json::object& node = object(scene.now->document, "node");
  std::string out;
  if (scene.silence) {
    out = palette.bad("guidewayd cannot be reached since " +
                      std::to_string(scene.silence->since.count()) + " s") +
          " (" + text(node, "name") + "): " + scene.silence->cause;
    return out;
  }
  out = palette.heading("guidewayd " + text(node, "version") + " on " + text(node, "name")) + ": " +
        (flag(node, "ready") ? palette.good("ready") : palette.bad("not ready")) + ", up " +
        duration_text(number(node, "uptime_seconds")) + ", generation " +
        text(scene.now->document, "generation");
  const std::string clock = time_text(scene.unix_seconds);
  if (columns_of(out) + 2 + clock.size() > columns) return out;
  return out + padded_left(clock, columns - columns_of(out));
}

std::string reload_line(const json::object& document, const Palette& palette) {
  const json::object& reloads = object(document, "reloads");
  if (number(reloads, "last_unix_seconds") == 0) return "last reload: none yet";
  return "last reload: " +
         (flag(reloads, "last_succeeded") ? palette.good("succeeded") : palette.bad("failed")) +
         " at " + time_text(number(reloads, "last_unix_seconds")) + "; " +
         text(reloads, "succeeded") + " succeeded, " + text(reloads, "failed") + " failed";
}

std::string packets_line(const std::optional<TotalRates>& totals, const Palette& palette) {
  if (!totals) return "packets/s: in -, out -, dropped -";
  const std::string dropped = "dropped " + rate_text(totals->dropped);
  return "packets/s: in " + rate_text(totals->received) + ", out " +
         rate_text(totals->transmitted) + " (" + rate_text(totals->bits, "bit/s") + "), " +
         (totals->dropped > 0 ? palette.caution(dropped) : dropped);
}

std::string drops_line(const std::optional<TotalRates>& totals, std::size_t columns,
                       const Palette& palette) {
  if (!totals) return "drops/s: -";
  std::vector<std::string> items;
  for (const auto& [name, rate] : totals->drops)
    if (rate > 0) items.push_back(name + " " + rate_text(rate));
  if (items.empty()) return "drops/s: none";
  return palette.caution(joined("drops/s: ", items, columns));
}

std::string flows_line(const json::object& document, const std::optional<TotalRates>& totals) {
  const std::uint64_t flows = flows_remembered(document),
                      capacity = number(object(document, "totals"), "flow_table_capacity");
  return "flows: " + (totals ? rate_text(totals->flows) : "-") + " new/s, " +
         std::to_string(flows) + " of " + std::to_string(capacity) + " remembered (" +
         share_text(flows, capacity) + ")";
}

std::vector<std::string> troubles(const json::object& document, const Traffic& traffic) {
  std::vector<std::string> out;
  for (const json::object* interface : objects(document, "interfaces")) {
    const std::string name = text(*interface, "name");
    if (text(*interface, "attachment") == "lost")
      out.push_back("interface " + name + " has lost the XDP program");
    for (const json::object* queue : objects(*interface, "queues")) {
      if (const std::uint64_t seconds = number(*queue, "stalled_seconds"); seconds > 0)
        out.push_back("the worker of " + name + " queue " + text(*queue, "queue") +
                      " has stood still for " + duration_text(seconds));
    }
  }
  for (std::string& trouble : bgp_troubles(object(document, "bgp")))
    out.push_back(std::move(trouble));
  for (const BackendTraffic& backend : traffic.backends) {
    const bool down = backend.health == "down";
    if (!down && backend.why.empty()) continue;
    out.push_back(backend.address + " of pool " + backend.pool + (down ? " is down" : "") +
                  (backend.why.empty() ? "" : ": " + backend.why));
  }
  return out;
}

Lines header(const Scene& scene, const Traffic& traffic, std::size_t columns,
             const Palette& palette) {
  const json::object& document = scene.now->document;
  Lines out = {first_line(scene, columns, palette), reload_line(document, palette),
               packets_line(traffic.totals, palette), drops_line(traffic.totals, columns, palette),
               flows_line(document, traffic.totals)};
  if (const json::object& bgp = object(document, "bgp"); !bgp.empty())
    out.push_back(bgp_line(bgp, palette));
  if (const auto items = troubles(document, traffic); !items.empty())
    out.push_back(palette.bad(joined("trouble: ", items, columns)));
  return out;
}

std::string shown(const std::optional<Rate>& rate, double Rate::*which) {
  return rate ? rate_text((*rate).*which) : "-";
}

std::string part(const std::optional<Rate>& rate, double whole) {
  if (!rate || whole <= 0) return "-";
  return share_text(static_cast<std::uint64_t>(rate->packets * 1000),
                    static_cast<std::uint64_t>(whole * 1000));
}

template <class T>
std::optional<Rate> sum(std::span<const T> all) {
  std::optional<Rate> out;
  for (const T& one : all) {
    if (!one.rate) continue;
    if (!out) out.emplace();
    out->packets += one.rate->packets;
    out->bits += one.rate->bits;
    out->flows += one.rate->flows;
  }
  return out;
}

// How many of `all` are shown in so many rows: one is for the rest, if there is a rest.
std::size_t shown_of(std::size_t all, std::size_t rows) {
  return all <= rows ? all : std::max<std::size_t>(rows, 1) - 1;
}

std::string more(std::size_t number) { return "and " + std::to_string(number) + " more"; }

Lines service_lines(const std::vector<ServiceTraffic>& services, std::size_t rows,
                    std::size_t columns, const Palette& palette) {
  TextTable table({{"service", Align::left},
                   {"name", Align::left},
                   {"health", Align::left},
                   {"packets/s"},
                   {"bit/s"},
                   {"share"}});
  const std::span all(services);
  const auto whole = sum(all);
  const double packets = whole ? whole->packets : 0;
  const std::size_t some = shown_of(all.size(), rows);
  for (const ServiceTraffic& one : all.first(some)) {
    table.add({one.address, cut(one.name, kMostName),
               one.health == "unhealthy" ? palette.bad(one.health) : palette.good(one.health),
               shown(one.rate, &Rate::packets), shown(one.rate, &Rate::bits),
               part(one.rate, packets)});
  }
  if (some < all.size()) {
    const auto rest = sum(all.subspan(some));
    table.add({more(all.size() - some), "", "", shown(rest, &Rate::packets),
               shown(rest, &Rate::bits), part(rest, packets)});
  }
  table.fit(1, columns);
  return table.lines(palette);
}

std::string state_text(const BackendTraffic& backend, const Palette& palette) {
  std::string state = backend.health;
  if (backend.drain != "-") state += ", drained";
  if (backend.weight_percent < kWholeWeight)
    state += ", " + std::to_string(backend.weight_percent) + " %";
  if (backend.health == "down") return palette.bad(state);
  const bool well = takes_flows(backend) && backend.weight_percent == kWholeWeight;
  return well && backend.why.empty() ? palette.good(state) : palette.caution(state);
}

Lines backend_lines(const std::vector<BackendTraffic>& backends, std::size_t rows,
                    std::size_t columns, const Palette& palette) {
  TextTable table({{"backend", Align::left},
                   {"pool", Align::left},
                   {"health", Align::left},
                   {"packets/s"},
                   {"bit/s"},
                   {"flows/s"},
                   {"share"}});
  const std::span all(backends);
  const std::size_t some = shown_of(all.size(), rows);
  for (const BackendTraffic& one : all.first(some)) {
    table.add({one.address, cut(one.pool, kMostName), state_text(one, palette),
               shown(one.rate, &Rate::packets), shown(one.rate, &Rate::bits),
               shown(one.rate, &Rate::flows), part(one.rate, one.pool_packets)});
  }
  if (some < all.size()) {
    const auto rest = sum(all.subspan(some));
    table.add({more(all.size() - some), "", "", shown(rest, &Rate::packets),
               shown(rest, &Rate::bits), shown(rest, &Rate::flows), ""});
  }
  table.fit(1, columns);
  Lines lines = table.lines(palette);
  for (std::size_t i = 0; i < some; ++i) {
    const std::size_t taken = columns_of(lines[i + 1]) + 2;
    if (!all[i].why.empty() && taken + kLeastWhy <= columns)
      lines[i + 1] += "  " + cut(all[i].why, columns - taken);
  }
  return lines;
}

// Services get a third of the rows, or what the backends leave to them.
void add_tables(Lines& out, const Traffic& traffic, ScreenSize size, const Palette& palette) {
  if (size.rows < out.size() + kLeastRows) return;
  std::size_t rows = size.rows - out.size();
  const bool roomy = rows >= kRoomyRows;
  rows -= roomy ? 4 : 2;  // headings, blank lines
  const std::size_t services = traffic.services.size(), backends = traffic.backends.size();
  const std::size_t left = rows - std::min(rows, backends);
  const std::size_t service_rows = std::min(services, std::max({rows / 3, left, std::size_t{1}}));
  const auto add = [&](const Lines& lines) {
    if (roomy) out.emplace_back();
    out.insert(out.end(), lines.begin(), lines.end());
  };
  add(service_lines(traffic.services, service_rows, size.columns, palette));
  add(backend_lines(traffic.backends, rows - service_rows, size.columns, palette));
}

}  // namespace

std::vector<std::string> watch_screen(const Scene& scene, ScreenSize size, const Palette& palette) {
  const Traffic traffic = traffic_of(scene);
  Lines out = header(scene, traffic, size.columns, palette);
  add_tables(out, traffic, size, palette);
  if (out.size() > size.rows) out.resize(size.rows);
  for (std::string& line : out) line = cut(line, size.columns);
  return out;
}

}  // namespace guideway::cli
