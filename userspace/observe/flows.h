// Flows that workers remember, page by page: what GET /v1/flows asks for and answers.
//
// A listing is a walk over the flow tables, worker by worker, in the order of the interfaces' names
// and the queues, and bucket by bucket. Each page says where the next one begins, and the daemon
// remembers nothing of a listing: whoever asks may stop, or go on, when he likes. A flow that is in
// a table from the first page to the last, and whose worker is, is listed exactly once; one that
// comes or goes meanwhile may be listed or not.
//
// Threads: none of its own.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/prefix.h"

namespace guideway::observe {

// Flows of a page, but for those of its last bucket, which are all in it: up to five more.
inline constexpr std::size_t kMaxFlowsOfPage = 1000;

// Where a page begins. One whose worker has gone in a reload is no error: the listing goes on with
// the worker behind it.
struct FlowsPlace {
  std::string interface {};
  std::uint32_t queue = 0;
  std::uint64_t bucket = 0;

  // For whoever asks this is text without meaning, to be given back as it is.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<FlowsPlace> parse(std::string_view text);
  friend auto operator<=>(const FlowsPlace&, const FlowsPlace&) = default;
};

struct FlowsWanted {
  std::string service{};                 // a name of the file; empty: any
  std::optional<Ipv4Address> backend{};  // in whichever pools
  std::optional<Ipv4Prefix> client{};    // whose address begins so
  std::size_t limit = kMaxFlowsOfPage;   // of this page; 1 to kMaxFlowsOfPage
  std::optional<FlowsPlace> after{};     // FlowsPage::next of the page before
};

struct FlowStatus {
  std::string protocol, client, destination;  // "tcp", "203.0.113.7:40000", "198.51.100.1:80"
  std::string service;                        // empty: it is not in the file any more
  std::string backend, pool;                  // of the entry; also if the file has it no longer
  std::string state;                          // class: "opening", "established", "closing", "udp"
  std::uint64_t idle_seconds = 0;             // since its last packet
  std::string interface;                      // whose worker remembers it
  std::uint32_t queue = 0;
};

struct FlowsPage {
  enum class Kind : std::uint8_t { done, no_such_service, no_such_backend } kind = Kind::done;
  std::vector<std::string> known{};  // what there is, where `kind` is not `done`
  std::vector<FlowStatus> flows{};   // may be none, and yet be followed by more
  std::optional<FlowsPlace> next{};  // none: this was the last page
};

// What the query of a request asks for; what is wrong with it, and what would be right.
[[nodiscard]] std::expected<FlowsWanted, std::string> flows_wanted(std::string_view query);

// {"flows": [..], "next": ".."}; `next` is empty on the last page. REQUIRES: kind is `done`.
[[nodiscard]] std::string to_json(const FlowsPage& page);

// Why there is no page: "no service is named shp; there are: dns, shop". REQUIRES: kind is not
// `done`.
[[nodiscard]] std::string refusal(const FlowsPage& page, const FlowsWanted& wanted);

}  // namespace guideway::observe
