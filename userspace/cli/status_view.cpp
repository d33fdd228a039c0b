#include "cli/status_view.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <utility>
#include <vector>

#include "cli/text_table.h"

namespace guideway::cli {
namespace {

namespace json = boost::json;
using Align = TextTable::Align;

const json::object& object(const json::object& in, std::string_view key) {
  static const json::object none;
  const json::value* value = in.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

// The objects of a list.
std::vector<const json::object*> objects(const json::object& in, std::string_view key) {
  std::vector<const json::object*> out;
  const json::value* value = in.if_contains(key);
  if (value == nullptr || !value->is_array()) return out;
  for (const json::value& item : value->get_array())
    if (item.is_object()) out.push_back(&item.get_object());
  return out;
}

std::uint64_t number(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  return value.is_int64() && value.get_int64() > 0 ? static_cast<std::uint64_t>(value.get_int64())
                                                   : 0;
}

std::uint64_t number(const json::object& in, std::string_view key) {
  const json::value* value = in.if_contains(key);
  return value != nullptr ? number(*value) : 0;
}

// As it is shown; "-" for what is missing or empty.
std::string text(const json::object& in, std::string_view key) {
  const json::value* value = in.if_contains(key);
  if (value == nullptr) return "-";
  if (!value->is_string()) return json::serialize(*value);
  std::string out(value->get_string());
  // Nothing that moves the cursor.
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < ' ' || c == 127; }, '?');
  return out.empty() ? "-" : out;
}

// "name value" of each number that is not 0, but for those whose names are in `except`.
std::vector<std::string> not_zero(const json::object& in,
                                  const std::vector<std::string_view>& except = {}) {
  std::vector<std::string> out;
  for (const auto& [key, value] : in) {
    const std::string_view name(key);
    if (number(value) == 0 || std::find(except.begin(), except.end(), name) != except.end())
      continue;
    out.push_back(std::string(name) + " " + std::to_string(number(value)));
  }
  return out;
}

std::string node_text(const json::object& document) {
  const json::object& node = object(document, "node");
  return "guidewayd " + text(node, "version") + " on " + text(node, "name") + ": pid " +
         text(node, "pid") + ", up " + duration_text(number(node, "uptime_seconds")) +
         ", generation " + text(document, "generation") +
         "\nconfiguration: " + text(node, "config_file") + "\n";
}

std::string queues_text(const json::object& interface) {
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
  }
  return table.text() + sockets;
}

std::string interface_text(const json::object& interface) {
  const json::value* dispatcher = interface.if_contains("dispatcher");
  const bool shared = dispatcher != nullptr && *dispatcher == true;
  return "\ninterface " + text(interface, "name") + ": " + text(interface, "driver") + ", MTU " +
         text(interface, "mtu") + ", XDP " + text(interface, "attachment") +
         (shared ? " by libxdp's dispatcher\n" : ", not shared\n") +
         wrapped("  steering", not_zero(object(interface, "steering"))) + queues_text(interface);
}

std::string totals_text(const json::object& document) {
  const json::object& totals = object(document, "totals");
  constexpr std::array kClasses = {"flows_opening", "flows_established", "flows_closing",
                                   "flows_udp"};
  std::uint64_t flows = 0;
  for (const char* name : kClasses) flows += number(totals, name);
  std::string out = "\npackets: received " + text(totals, "received") + " = transmitted " +
                    text(totals, "transmitted") + " + dropped " + text(totals, "dropped") +
                    " + in flight " + text(totals, "in_flight") + "\n";
  out += wrapped("drops", not_zero(object(totals, "drops")));
  out += wrapped(
      "flows", {std::to_string(flows) + " of " + text(totals, "flow_table_capacity"),
                "opening " + text(totals, kClasses[0]), "established " + text(totals, kClasses[1]),
                "closing " + text(totals, kClasses[2]), "udp " + text(totals, kClasses[3])});
  // Whatever else is counted, so that nothing that a daemon counts stays unseen.
  return out + wrapped("workers", not_zero(totals, {"received", "transmitted", "dropped",
                                                    "in_flight", "flow_table_capacity", kClasses[0],
                                                    kClasses[1], kClasses[2], kClasses[3]}));
}

std::string services_text(const json::object& document) {
  TextTable table({{"service", Align::left},
                   {"address", Align::left},
                   {"pool", Align::left},
                   {"packets"},
                   {"bytes"}});
  const auto services = objects(document, "services");
  for (const json::object* service : services) {
    table.add(
        {text(*service, "name"),
         text(*service, "protocol") + " " + text(*service, "vip") + ":" + text(*service, "port"),
         text(*service, "pool"), text(*service, "forwarded_packets"),
         bytes_text(number(*service, "forwarded_bytes"))});
  }
  return services.empty() ? "\nservices: none\n" : "\nservices\n" + table.text();
}

// "resolved, eth1 via 10.0.0.254"; the gateway only where there is one.
std::string next_hop_text(const json::object& backend) {
  const std::string device = text(backend, "device"), via = text(backend, "via");
  std::string out = text(backend, "next_hop");
  if (device != "-") out += ", " + device;
  if (via != "-" && via != text(backend, "address")) out += " via " + via;
  return out;
}

std::string pool_text(const json::object& pool) {
  const auto backends = objects(pool, "backends");
  std::uint64_t flows = 0;
  for (const json::object* backend : backends) flows += number(*backend, "flows");
  TextTable table({{"backend", Align::left},
                   {"weight"},
                   {"table"},
                   {"flows"},
                   {"share"},
                   {"packets"},
                   {"bytes"},
                   {"next hop", Align::left}});
  for (const json::object* backend : backends) {
    table.add({text(*backend, "address"), text(*backend, "weight"),
               share_text(number(*backend, "table_entries"), number(pool, "table_size")),
               text(*backend, "flows"), share_text(number(*backend, "flows"), flows),
               text(*backend, "forwarded_packets"), bytes_text(number(*backend, "forwarded_bytes")),
               next_hop_text(*backend)});
  }
  return "\npool " + text(pool, "name") + ": table of " + text(pool, "table_size") + " entries\n" +
         table.text();
}

}  // namespace

Result<std::string> status_text(std::string_view document) {
  boost::system::error_code error;
  const json::value value = json::parse(document, error);
  const std::string doing = "reading the status of guidewayd: ";
  if (error) return fail(doing + error.message());
  if (!value.is_object() || object(value.get_object(), "node").empty())
    return fail(doing + "no status document", "is it guidewayd that listens there?");
  const json::object& all = value.get_object();
  std::string out = node_text(all);
  for (const json::object* interface : objects(all, "interfaces"))
    out += interface_text(*interface);
  out += totals_text(all) + services_text(all);
  for (const json::object* pool : objects(all, "pools")) out += pool_text(*pool);
  return out;
}

}  // namespace guideway::cli
