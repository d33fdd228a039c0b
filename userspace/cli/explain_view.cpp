#include "cli/explain_view.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cli/bgp_view.h"
#include "cli/json_view.h"
#include "cli/text_table.h"

namespace guideway::cli {
namespace {

constexpr std::size_t kLabelColumns = 10;
// A backend may have many checks, and many workers may know a flow: the rest is said in number.
constexpr std::size_t kShownChecks = 5;
constexpr std::size_t kShownEntries = 5;
// What most hosts on an Ethernet send at most.
constexpr std::uint64_t kUsualMtu = 1500;

// "label     text", broken between words at the terminal's width, further lines indented.
std::string row(std::string_view label, std::string_view text) {
  std::string line(label);
  line.resize(kLabelColumns, ' ');
  return line + wrapped_words(text, kLabelColumns);
}

bool has(const json::object& in, std::string_view key) { return in.contains(key); }

std::string packet_row(const json::object& all) {
  if (!has(all, "packet"))
    return row("packet", "a frame of " + text(all, "frame_bytes") +
                             " bytes, without a TCP or UDP packet that could be forwarded");
  const json::object& packet = object(all, "packet");
  const std::string flags = has(packet, "tcp_flags") ? ", flags " + text(packet, "tcp_flags") : "";
  return row("packet",
             text(packet, "flow") + flags + ", " + text(packet, "ip_bytes") + " bytes of IP");
}

std::string steering_text(const json::object& one) {
  if (!flag(one, "attached")) return "the steering program is not attached: all stays the kernel's";
  const std::string verdict = text(one, "verdict");
  if (verdict == "redirected") {
    std::string out = "a service of a VIP: taken from the kernel, to the worker";
    if (const std::uint64_t unserved = number(one, "unserved_queues"); unserved > 0)
      out += "; but " + std::to_string(unserved) + " of " + text(one, "queues") +
             " receive queues are without one: what comes by them is dropped (no_socket)";
    return out;
  }
  if (verdict == "pass_not_vip") return "not to a VIP: left to the kernel (pass_not_vip)";
  if (verdict.starts_with("pass_")) return "left to the kernel (" + verdict + ")";
  return "to a VIP, and dropped before it reaches a worker (" + verdict + ")";
}

// A line for each outcome, with all interfaces that have it.
std::string steering_rows(const json::object& all) {
  std::vector<std::pair<std::string, std::string>> outcomes;  // what, which interfaces
  for (const json::object* one : objects(all, "steering")) {
    const std::string outcome = steering_text(*one);
    const auto same = std::ranges::find(outcomes, outcome, &decltype(outcomes)::value_type::first);
    if (same != outcomes.end())
      same->second += ", " + text(*one, "interface");
    else
      outcomes.emplace_back(outcome, text(*one, "interface"));
  }
  std::string out;
  for (const auto& [outcome, interfaces] : outcomes)
    out += row("steering", interfaces + ": " + outcome);
  return out;
}

std::string service_row(const json::object& all) {
  if (!has(all, "service")) return "";
  const json::object& service = object(all, "service");
  return row("service", text(service, "name") + ": " + text(service, "protocol") + " " +
                            text(service, "vip") + ":" + text(service, "port") + ", pool " +
                            text(service, "pool") + ", generation " + text(all, "generation"));
}

// Nothing where nothing is announced.
std::string route_row(const json::object& all) {
  return has(all, "route") ? row("route", route_sentence(object(all, "route"))) : "";
}

std::string table_row(const json::object& all) {
  if (!has(all, "hash")) return "";
  const std::string hash = "hash " + text(all, "hash") + ": ";
  if (!has(all, "table")) return row("table", hash + "the pool's Maglev table is empty");
  const json::object& table = object(all, "table");
  return row("table", hash + "slot " + text(table, "slot") + " of " + text(table, "size") +
                          " is of " + text(table, "backend"));
}

std::string entry_text(const json::object& entry) {
  return text(entry, "interface") + " queue " + text(entry, "queue") + ": " + text(entry, "state") +
         " to " + text(entry, "backend") + ", idle " +
         duration_text(number(entry, "idle_seconds")) + ", expires in " +
         duration_text(number(entry, "expires_in_seconds"));
}

std::string entry_rows(const json::object& all) {
  if (!has(all, "entries")) return "";
  const auto entries = objects(all, "entries");
  if (entries.empty()) return row("entry", "none: the flow is new to each worker");
  std::string out;
  for (std::size_t i = 0; i < std::min(entries.size(), kShownEntries); ++i)
    out += row("entry", entry_text(*entries[i]));
  if (entries.size() > kShownEntries)
    out += row("", "and " + std::to_string(entries.size() - kShownEntries) + " more: see --json");
  return out;
}

std::string choice_text(const json::object& all) {
  const std::string choice = text(all, "choice");
  if (choice == "kept") return "kept: the flow is known, and its backend may keep it";
  if (choice == "chosen") return "chosen: the flow is new, and the Maglev table names its backend";
  if (choice == "moved")
    return "moved: the flow is known, its backend may not keep it, and the Maglev table names "
           "another";
  if (choice == "reopened")
    return "reopened: the flow is closing, and this SYN begins a new one, chosen by the Maglev "
           "table";
  return choice;
}

// What a SYN would change of a flow that is closing, to the worker whose answer this is.
std::string after_closing(const json::object& all) {
  const auto entries = objects(all, "entries");
  const bool closing = std::ranges::any_of(entries, [&](const json::object* one) {
    return text(*one, "state") == "closing" && text(*one, "queue") == text(all, "queue") &&
           text(*one, "interface") == text(all, "interface");
  });
  if (!closing || text(all, "choice") != "kept" || !has(all, "table")) return "";
  return "; a SYN would begin a new one, to " + text(object(all, "table"), "backend");
}

std::string backend_row(const json::object& backend) {
  std::string out = text(backend, "address") + " in pool " + text(backend, "pool") + ": weight " +
                    text(backend, "weight");
  if (number(backend, "weight_percent") < 100)
    out += " (" + text(backend, "weight_percent") + " % of it, in a slow start)";
  out += ", " + text(backend, "health") + " for " +
         duration_text(number(backend, "health_for_seconds"));
  if (const std::string drain = text(backend, "drain"); drain != "-")
    out += ", drained by " + drain;
  return row("backend", out + (flag(backend, "usable") ? "" : ", may not keep its flows"));
}

std::string check_rows(const json::object& backend) {
  const auto checks = objects(backend, "checks");
  std::string out;
  for (std::size_t i = 0; i < std::min(checks.size(), kShownChecks); ++i) {
    const json::object& check = *checks[i];
    const std::string last = text(check, "last");
    out += row(
        "check",
        text(check, "what") + ": " + text(check, "state") + ", " +
            (last == "-" ? "no answer yet"
                         : last + " (" + latency_text(number(check, "last_microseconds")) + ")"));
  }
  if (checks.size() > kShownChecks)
    out += row(
        "", "and " + std::to_string(checks.size() - kShownChecks) + " more: see guideway backends");
  return out;
}

std::string next_hop_row(const json::object& backend) {
  std::string out = text(backend, "next_hop");
  if (const std::string device = text(backend, "device"); device != "-") out += ", by " + device;
  const std::string via = text(backend, "via"), mac = text(backend, "mac");
  if (via != "-" && via != text(backend, "address")) out += " via " + via;
  if (mac != "-") out += " at " + mac;
  return row("next hop", out);
}

std::string size_row(const json::object& all) {
  if (!has(all, "size")) return "";
  const json::object& size = object(all, "size");
  std::string out = text(size, "ip_bytes") + " bytes, " + text(size, "outer_ip_bytes") +
                    " with the tunnel's headers";
  if (has(size, "egress_mtu")) {
    const std::uint64_t largest = number(size, "largest_ip_bytes");
    out += ", of an egress MTU of " + text(size, "egress_mtu") + ": packets of up to " +
           std::to_string(largest) + " bytes fit";
    if (largest < kUsualMtu) out += ", those of " + std::to_string(kUsualMtu) + " do not";
  }
  return row("size", out);
}

std::string if_down_row(const json::object& all, const json::object& backend) {
  if (!has(all, "if_down")) return "";
  const std::string other = text(object(all, "if_down"), "backend");
  const std::string address = text(backend, "address");
  if (other == "-") return row("if down", "nobody would get the flow: it would be dropped");
  if (other == address)
    return row("if down", address + " would have it all the same (on_empty: all)");
  return row("if down", other + " would get the flow");
}

std::string backend_rows(const json::object& all) {
  if (!has(all, "backend")) return size_row(all);
  const json::object& backend = object(all, "backend");
  return backend_row(backend) + check_rows(backend) + next_hop_row(backend) + size_row(all) +
         if_down_row(all, backend);
}

std::string elsewhere_rows(const json::object& all) {
  std::string out;
  for (const json::object* one : objects(all, "elsewhere"))
    out += row("elsewhere", text(*one, "interface") + ": one that comes in by it is dropped (" +
                                text(*one, "reason") + ")");
  return out;
}

std::string hanging_row(const json::object& all) {
  std::string hanging;
  for (const std::string& one : strings(all, "hanging"))
    hanging += (hanging.empty() ? "" : ", ") + one;
  if (hanging.empty()) return "";
  return row("hanging", hanging + ": no answer within a second; not known what it remembers");
}

std::string verdict_line(const json::object& all) {
  const std::string verdict = text(all, "verdict");
  if (verdict == "forwarded") {
    const json::object& backend = object(all, "backend");
    return "forwarded to " + text(backend, "address") + " by " + text(all, "interface") + "\n";
  }
  const std::string said = verdict == "passed" ? "passed to the kernel" : verdict;
  return said + ": " + text(all, "reason") + ": " + text(all, "meaning") + "\n";
}

}  // namespace

Result<std::string> explain_text(std::string_view document) {
  const auto read = read_document(document, "verdict", json::kind::string,
                                  "reading what guidewayd says of the packet");
  if (!read) return std::unexpected(read.error());
  const json::object& all = *read;
  std::string out = packet_row(all) + steering_rows(all) + service_row(all) + route_row(all) +
                    table_row(all) + entry_rows(all);
  if (has(all, "choice")) out += row("choice", choice_text(all) + after_closing(all));
  out += backend_rows(all) + elsewhere_rows(all) + hanging_row(all);
  if (has(all, "remedy")) out += row("to do", text(all, "remedy"));
  return out + verdict_line(all);
}

}  // namespace guideway::cli
