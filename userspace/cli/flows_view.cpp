#include "cli/flows_view.h"

#include <array>
#include <utility>

#include "cli/client.h"
#include "cli/text_table.h"

namespace guideway::cli {
namespace {

// As wide as the longest of each: with a blank between them they fill a line.
constexpr std::size_t kClient = 21;       // 255.255.255.255:65535
constexpr std::size_t kDestination = 25;  // tcp 255.255.255.255:65535
constexpr std::size_t kBackend = 15;
constexpr std::size_t kClass = 11;  // established
constexpr std::size_t kIdle = 4;
static_assert(kClient + kDestination + kBackend + kClass + kIdle + 4 == kTerminalColumns);

// What does not fit takes the room that it needs.
std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 0, ' ') + " ";
}

std::string line(const std::array<std::string, 5>& cells) {
  const std::string& idle = cells[4];
  return padded(cells[0], kClient) + padded(cells[1], kDestination) + padded(cells[2], kBackend) +
         padded(cells[3], kClass) +
         std::string(idle.size() < kIdle ? kIdle - idle.size() : 0, ' ') + idle + "\n";
}

}  // namespace

std::string flows_target(const FlowsFilter& filter, std::size_t limit, const std::string& after) {
  std::string target = "/v1/flows?limit=" + std::to_string(limit);
  const std::array<std::pair<const char*, const std::string*>, 4> all{{
      {"service", &filter.service},
      {"backend", &filter.backend},
      {"client", &filter.client},
      {"after", &after},
  }};
  for (const auto& [key, value] : all)
    if (!value->empty()) target += "&" + std::string(key) + "=" + percent_encoded(*value);
  return target;
}

Result<FlowsPage> read_flows(std::string_view document) {
  const auto all =
      read_document(document, "flows", json::kind::array, "reading the flows of guidewayd");
  if (!all) return std::unexpected(all.error());
  FlowsPage page;
  for (const json::object* flow : objects(*all, "flows")) page.flows.push_back(*flow);
  if (const json::value* next = all->if_contains("next"); next != nullptr && next->is_string())
    page.next = next->get_string();
  return page;
}

std::string flows_heading() { return line({"client", "destination", "backend", "class", "idle"}); }

std::string flow_line(const json::object& flow) {
  return line({text(flow, "client"), text(flow, "protocol") + " " + text(flow, "destination"),
               text(flow, "backend"), text(flow, "class"),
               idle_text(number(flow, "idle_seconds"))});
}

std::string idle_text(std::uint64_t seconds) {
  constexpr std::uint64_t kShown = 1000, kMinute = 60, kHour = 3600;
  if (seconds < kShown) return std::to_string(seconds) + "s";
  if (seconds < kHour) return std::to_string(seconds / kMinute) + "m";
  return std::to_string(seconds / kHour) + "h";
}

std::string flows_note(std::uint64_t shown, bool more) {
  const std::string count = std::to_string(shown) + (shown == 1 ? " flow" : " flows");
  return more ? count + ", and there are more: --limit N shows N, --limit 0 all" : count;
}

}  // namespace guideway::cli
