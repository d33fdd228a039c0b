// Flows, as the pages of GET /v1/flows have them (docs/operations.md), as text for a person. Pure.
// The columns are of fixed widths, as a listing is printed while it comes, and what is further down
// is not known yet. What a document does not have is shown as "-".
//
// Threads: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json_view.h"

namespace guideway::cli {

// Which flows are wanted: all that is not empty must hold.
struct FlowsFilter {
  std::string service, backend, client;
};

// Flows that the daemon gives at once, at most.
inline constexpr std::size_t kMaxFlowsOfPage = 1000;

// The request for one page, of about `limit` flows; `after`: `next` of the page before, empty: the
// first one.
[[nodiscard]] std::string flows_target(const FlowsFilter& filter, std::size_t limit,
                                       const std::string& after);

struct FlowsPage {
  std::vector<json::object> flows;  // may be none, and yet be followed by more
  std::string next;                 // empty: this was the last page
};

// Fails if `document` is no page of flows.
[[nodiscard]] Result<FlowsPage> read_flows(std::string_view document);

// Lines of kTerminalColumns at most, ended.
[[nodiscard]] std::string flows_heading();
[[nodiscard]] std::string flow_line(const json::object& flow);

// "12s", "999s", "16m", "9h": four characters at most, up to 999 hours.
[[nodiscard]] std::string idle_text(std::uint64_t seconds);

// "3 flows"; "1000 flows, and there are more: --limit N shows N, --limit 0 all".
[[nodiscard]] std::string flows_note(std::uint64_t shown, bool more);

}  // namespace guideway::cli
