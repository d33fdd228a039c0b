#include "cli/status_view.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/bgp_view.h"
#include "cli/json_view.h"
#include "cli/pool_view.h"
#include "cli/text_table.h"

namespace guideway::cli {
namespace {

using Align = TextTable::Align;

// ", ready"; nothing of an earlier daemon, which does not say.
std::string ready_text(const json::object& node, const Palette& palette) {
  const std::string ready = choice(node, "ready", "ready", "not ready");
  if (ready == "-") return {};
  return ", " + (ready == "ready" ? palette.good(ready) : palette.bad(ready));
}

std::string log_line(const json::object& document) {
  const json::object& node = object(document, "node");
  const std::uint64_t suppressed = number(document, "suppressed_log_lines");
  if (!node.contains("log_level")) return {};
  return "log: level " + text(node, "log_level") +
         (suppressed == 0 ? "" : ", " + std::to_string(suppressed) + " lines suppressed") + "\n";
}

// Nothing of an earlier daemon, which does not say.
std::string user_lines(const json::object& document) {
  const json::object& node = object(document, "node");
  if (text(node, "user") == "-") return {};
  auto capabilities = strings(node, "capabilities");
  for (std::string& one : capabilities) one = printable(one);
  if (capabilities.empty()) capabilities.emplace_back("no capabilities");
  return wrapped("runs as " + text(node, "user") + ", with", capabilities);
}

std::string reloads_line(const json::object& document, const Palette& palette) {
  const json::object& reloads = object(document, "reloads");
  const std::uint64_t succeeded = number(reloads, "succeeded"), failed = number(reloads, "failed");
  if (succeeded == 0 && failed == 0) return {};
  return "reloads: " + std::to_string(succeeded) + " succeeded, " + std::to_string(failed) +
         " failed; the last one " +
         (flag(reloads, "last_succeeded") ? "succeeded" : palette.bad("failed")) + " at " +
         time_text(number(reloads, "last_unix_seconds")) + "\n";
}

// Nothing where nothing is announced, and of an earlier daemon.
std::string bgp_lines(const json::object& document, const Palette& palette) {
  const json::object& bgp = object(document, "bgp");
  if (bgp.empty()) return {};
  std::string out = bgp_line(bgp, palette) + "\n";
  for (const std::string& trouble : bgp_troubles(bgp)) out += sentence_line(palette.bad(trouble));
  return out;
}

std::string node_text(const json::object& document, const Palette& palette) {
  const json::object& node = object(document, "node");
  std::string out =
      palette.heading("guidewayd " + text(node, "version") + " on " + text(node, "name")) +
      ": pid " + text(node, "pid") + ", up " + duration_text(number(node, "uptime_seconds")) +
      ", generation " + text(document, "generation") + ready_text(node, palette) +
      "\nconfiguration: " + text(node, "config_file");
  if (node.contains("config_digest")) out += ", digest " + text(node, "config_digest");
  return out + "\n" + user_lines(document) + log_line(document) + reloads_line(document, palette) +
         bgp_lines(document, palette);
}

std::string queues_text(const json::object& interface, const Palette& palette) {
  TextTable table({{"queue"},
                   {"mode", Align::left},
                   {"cpu"},
                   {"generation"},
                   {"received"},
                   {"transmitted"},
                   {"dropped"},
                   {"in flight"}});
  std::string sockets;
  for (const json::object* queue : objects(interface, "queues")) {
    const json::object& worker = object(*queue, "worker");
    table.add({text(*queue, "queue"), text(*queue, "mode"), text(*queue, "cpu"),
               text(*queue, "generation"), text(worker, "received"), text(worker, "transmitted"),
               text(worker, "dropped"), text(worker, "in_flight")});
    sockets +=
        wrapped("  socket of queue " + text(*queue, "queue"), not_zero(object(*queue, "socket")));
    if (const auto stalled = number(*queue, "stalled_seconds"); stalled > 0)
      sockets += palette.bad("  queue " + text(*queue, "queue") + ": its worker hangs, for " +
                             duration_text(stalled)) +
                 "\n";
  }
  return table.text(palette) + sockets;
}

std::string interface_text(const json::object& interface, const Palette& palette) {
  const std::string attachment = text(interface, "attachment");
  return "\n" + palette.heading("interface " + text(interface, "name")) + ": " +
         text(interface, "driver") + ", MTU " + text(interface, "mtu") + ", XDP " +
         (attachment == "lost" ? palette.bad(attachment) : attachment) +
         (flag(interface, "dispatcher") ? " by libxdp's dispatcher\n" : ", not shared\n") +
         wrapped("  steering", not_zero(object(interface, "steering"))) +
         queues_text(interface, palette);
}

std::string totals_text(const json::object& document, const Palette& palette) {
  const json::object& totals = object(document, "totals");
  constexpr std::array kClasses = {"flows_opening", "flows_established", "flows_closing",
                                   "flows_udp"};
  std::uint64_t flows = 0;
  for (const char* name : kClasses) flows += number(totals, name);
  std::string out = "\n" + palette.heading("packets") + ": received " + text(totals, "received") +
                    " = transmitted " + text(totals, "transmitted") + " + dropped " +
                    text(totals, "dropped") + " + in flight " + text(totals, "in_flight") + "\n";
  auto drops = not_zero(object(totals, "drops"));
  for (std::string& drop : drops) drop = palette.caution(drop);
  out += wrapped("drops", drops);
  out += wrapped(
      "flows", {std::to_string(flows) + " of " + text(totals, "flow_table_capacity"),
                "opening " + text(totals, kClasses[0]), "established " + text(totals, kClasses[1]),
                "closing " + text(totals, kClasses[2]), "udp " + text(totals, kClasses[3])});
  // Whatever else is counted, so that nothing that a daemon counts stays unseen.
  out += wrapped("workers", not_zero(totals, {"received", "transmitted", "dropped", "in_flight",
                                              "flow_table_capacity", kClasses[0], kClasses[1],
                                              kClasses[2], kClasses[3]}));
  const json::object& retired = object(document, "retired");
  if (number(retired, "received") == 0) return out;
  return out +
         wrapped("of these, workers out of service", {"received " + text(retired, "received"),
                                                      "transmitted " + text(retired, "transmitted"),
                                                      "dropped " + text(retired, "dropped")});
}

}  // namespace

Result<std::string> status_text(std::string_view document, const Palette& palette) {
  const auto all =
      read_document(document, "node", json::kind::object, "reading the status of guidewayd");
  if (!all) return std::unexpected(all.error());
  std::string out = node_text(*all, palette);
  for (const json::object* interface : objects(*all, "interfaces"))
    out += interface_text(*interface, palette);
  out += totals_text(*all, palette) + "\n" + services_table(*all, palette);
  for (const json::object* pool : objects(*all, "pools"))
    out += "\n" + pool_traffic(*pool, palette);
  return out;
}

}  // namespace guideway::cli
