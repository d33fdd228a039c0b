#include "cli/interfaces_view.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <span>
#include <utility>
#include <vector>

#include "cli/json_view.h"
#include "cli/text_table.h"

namespace guideway::cli {
namespace {

using Align = TextTable::Align;
using Queues = std::vector<const json::object*>;

constexpr const char* kReading = "reading the interfaces of guidewayd";

struct Number {
  const char* heading;
  std::string_view key;
};

constexpr std::array kPackets{
    Number{"received", "received"},        Number{"transmitted", "transmitted"},
    Number{"completed", "completed"},      Number{"dropped", "dropped"},
    Number{"wakeups", "transmit_wakeups"}, Number{"busy", "transmit_busy"},
    Number{"errors", "transmit_errors"}};
constexpr std::array kClasses{Number{"opening", "flows_opening"},
                              Number{"established", "flows_established"},
                              Number{"closing", "flows_closing"}, Number{"udp", "flows_udp"}};
constexpr std::array kSocket{Number{"rx dropped", "rx_dropped"},
                             Number{"ring full", "rx_ring_full"},
                             Number{"fill empty", "rx_fill_ring_empty_descs"},
                             Number{"tx empty", "tx_ring_empty_descs"},
                             Number{"rx invalid", "rx_invalid_descs"},
                             Number{"tx invalid", "tx_invalid_descs"}};
constexpr std::array<std::string_view, 4> kRings{"fill", "receive", "transmit", "completion"};

struct Meaning {
  std::string_view key;
  const char* words;
};

// What to make of a statistic of a socket that is not 0.
constexpr std::array kMeanings{
    Meaning{"rx_dropped", "packets lost: no frame was free, or they were longer than a frame"},
    Meaning{"rx_ring_full", "packets lost: the worker was too slow for its RX ring"},
    Meaning{"rx_fill_ring_empty_descs", "times that the kernel found no free frame"},
    Meaning{"tx_ring_empty_descs", "times that there was no more to send; no harm"},
    Meaning{"rx_invalid_descs", "descriptors that the kernel refused; please report it"},
    Meaning{"tx_invalid_descs", "descriptors that the kernel refused; please report it"}};

// A table with a line for each queue: its numbers of `part`.
std::string numbers_table(const Queues& queues, std::string_view part,
                          std::span<const Number> numbers) {
  std::vector<TextTable::Column> columns{{"queue"}};
  for (const Number& each : numbers) columns.push_back({each.heading});
  TextTable table(std::move(columns));
  for (const json::object* queue : queues) {
    std::vector<std::string> cells{text(*queue, "queue")};
    for (const Number& each : numbers)
      cells.push_back(count_text(number(object(*queue, part), each.key)));
    table.add(std::move(cells));
  }
  return table.text();
}

std::string one_decimal(double value, const char* unit) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.1f%s", value, unit);
  return {text.data(), static_cast<std::size_t>(length)};
}

// Packets of a batch; 64 at most.
std::string average(const json::object& worker) {
  const std::uint64_t batches = number(worker, "batches");
  if (batches == 0) return "-";
  return one_decimal(static_cast<double>(number(worker, "received")) / static_cast<double>(batches),
                     "");
}

std::string workers_table(const Queues& queues) {
  TextTable table({{"queue"},
                   {"mode", Align::left},
                   {"cpu"},
                   {"generation"},
                   {"turns"},
                   {"sleeps"},
                   {"batches"},
                   {"average"}});
  for (const json::object* queue : queues) {
    const json::object& worker = object(*queue, "worker");
    table.add({text(*queue, "queue"), text(*queue, "mode"), text(*queue, "cpu"),
               text(*queue, "generation"), count_text(number(worker, "turns")),
               count_text(number(worker, "sleeps")), count_text(number(worker, "batches")),
               average(worker)});
  }
  return table.text();
}

std::string flows_table(const Queues& queues) {
  TextTable table(
      {{"queue"}, {"opening"}, {"established"}, {"closing"}, {"udp"}, {"room for"}, {"full"}});
  for (const json::object* queue : queues) {
    const json::object& worker = object(*queue, "worker");
    std::vector<std::string> cells{text(*queue, "queue")};
    std::uint64_t flows = 0;
    for (const Number& each : kClasses) {
      cells.push_back(count_text(number(worker, each.key)));
      flows += number(worker, each.key);
    }
    const std::uint64_t capacity = number(worker, "flow_table_capacity");
    cells.push_back(count_text(capacity));
    cells.push_back(share_text(flows, capacity));
    table.add(std::move(cells));
  }
  return table.text();
}

// An earlier daemon does not tell of its rings.
std::string rings_table(const Queues& queues) {
  if (queues.empty() || !queues.front()->contains("rings")) return {};
  TextTable table({{"queue"}, {"fill"}, {"receive"}, {"transmit"}, {"completion"}});
  for (const json::object* queue : queues) {
    std::vector<std::string> cells{text(*queue, "queue")};
    for (const std::string_view name : kRings) {
      const json::object& ring = object(object(*queue, "rings"), name);
      cells.push_back(text(ring, "entries") + "/" + text(ring, "size"));
    }
    table.add(std::move(cells));
  }
  return "  rings: entries of size\n" + table.text();
}

std::uint64_t sum(const Queues& queues, std::string_view part, std::string_view key) {
  std::uint64_t all = 0;
  for (const json::object* queue : queues) all += number(object(*queue, part), key);
  return all;
}

std::string socket_meanings(const Queues& queues) {
  std::string out;
  for (const Meaning& each : kMeanings)
    if (sum(queues, "socket", each.key) != 0)
      out += "  " + std::string(each.key) + ": " + each.words + "\n";
  return out;
}

// What no table has a column for, so that nothing that a daemon counts stays unseen.
std::string other_numbers(const Queues& queues) {
  std::vector<std::string_view> of_worker{"turns", "sleeps", "batches", "flow_table_capacity",
                                          "in_flight"};
  std::vector<std::string_view> of_socket;
  for (const Number& each : kPackets) of_worker.push_back(each.key);
  for (const Number& each : kClasses) of_worker.push_back(each.key);
  for (const Number& each : kSocket) of_socket.push_back(each.key);
  std::string out;
  for (const json::object* queue : queues) {
    const json::object& worker = object(*queue, "worker");
    const std::string of = " of queue " + text(*queue, "queue");
    out += wrapped("  drops" + of, not_zero(object(worker, "drops")));
    out += wrapped("  more" + of, not_zero(worker, of_worker));
    out += wrapped("  more of the socket" + of, not_zero(object(*queue, "socket"), of_socket));
  }
  return out;
}

std::string hanging_workers(const Queues& queues) {
  std::string out;
  for (const json::object* queue : queues)
    if (const std::uint64_t seconds = number(*queue, "stalled_seconds"); seconds != 0)
      out += "  the worker of queue " + text(*queue, "queue") + " has stood still for " +
             duration_text(seconds) + ": it hangs\n";
  return out;
}

std::string interface_text(const json::object& interface) {
  const Queues queues = objects(interface, "queues");
  std::string out =
      "interface " + text(interface, "name") + ": " + text(interface, "driver") + ", MTU " +
      text(interface, "mtu") + ", XDP " + text(interface, "attachment") +
      (flag(interface, "dispatcher") ? " by libxdp's dispatcher\n" : ", not shared\n");
  if (text(interface, "attachment") == "lost")
    out += "  its program was taken off, nothing comes in by it: guideway reload attaches it\n";
  out += hanging_workers(queues) + wrapped("  steering", not_zero(object(interface, "steering")));
  if (queues.empty()) return out + "  no queues\n";
  return out + "  workers: average is packets of a batch, 64 at most\n" + workers_table(queues) +
         "  packets, and calls to make the kernel send\n" +
         numbers_table(queues, "worker", kPackets) + "  flow tables\n" + flows_table(queues) +
         rings_table(queues) + "  sockets\n" + numbers_table(queues, "socket", kSocket) +
         socket_meanings(queues) + other_numbers(queues);
}

std::string names(const Queues& interfaces) {
  std::string out;
  for (const json::object* each : interfaces)
    out += (out.empty() ? "" : ", ") + text(*each, "name");
  return out;
}

}  // namespace

std::string count_text(std::uint64_t count) {
  if (count < 10'000'000) return std::to_string(count);
  constexpr std::array kUnits = {"M", "G", "T", "P", "E"};
  std::size_t unit = 0;
  double value = static_cast<double>(count) / 1e6;
  // Up to where one decimal would be rounded to 1000.0.
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return one_decimal(value, kUnits[unit]);
}

Result<std::string> interfaces_text(std::string_view document) {
  const auto all = read_document(document, "interfaces", json::kind::array, kReading);
  if (!all) return std::unexpected(all.error());
  std::string out;
  for (const json::object* interface : objects(*all, "interfaces"))
    out += (out.empty() ? "" : "\n") + interface_text(*interface);
  return out.empty() ? "interfaces: none in service\n" : out;
}

Result<std::string> only_interface(std::string_view document, const std::string& interface) {
  const auto all = read_document(document, "interfaces", json::kind::array, kReading);
  if (!all) return std::unexpected(all.error());
  const auto interfaces = objects(*all, "interfaces");
  for (const json::object* one : interfaces) {
    const json::value* name = one->if_contains("name");
    if (name == nullptr || !name->is_string() || name->get_string() != interface) continue;
    json::array only;
    only.emplace_back(*one);
    return json::serialize(json::object{{"interfaces", std::move(only)}});
  }
  return fail("no interface in service is called \"" + printable(interface) + "\"",
              interfaces.empty() ? "there is none" : "there are: " + names(interfaces));
}

}  // namespace guideway::cli
