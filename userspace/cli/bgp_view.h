// BGP, as the documents of the daemon have it (docs/operations.md), as text for a person: the role,
// the speaker, its sessions and the routes, and why a route is not announced. Pure. What a document
// does not have is shown as 0 or "-".
//
// Threads: none of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json_view.h"
#include "cli/palette.h"

namespace guideway::cli {

// What `guideway bgp` prints of the document of GET /v1/bgp. Fails if it is none.
[[nodiscard]] Result<std::string> bgp_text(std::string_view document, const Palette& palette = {});

// Why the speaker does not hold what is wanted, by the document of GET /v1/bgp, with what mends it.
// Succeeds where it does.
[[nodiscard]] Result<void> bgp_in_step(std::string_view document);

// What `guideway role` prints: of the document of GET /v1/bgp the role alone, for scripts; of that
// of POST /v1/role/ROLE whether it has changed. Fails if it is neither.
[[nodiscard]] Result<std::string> role_text(std::string_view document);

struct BgpCounts {
  std::uint64_t sessions = 0, established = 0;
  std::uint64_t routes = 0, announced = 0;  // announced: wanted, and held by the speaker
};
[[nodiscard]] BgpCounts bgp_counts(const json::object& bgp);

// "bgp: active, 2 of 2 sessions established, 3 of 4 routes announced", without the line's end: for
// `status` and `watch`. REQUIRES: `bgp` is what the status has at "bgp".
[[nodiscard]] std::string bgp_line(const json::object& bgp, const Palette& palette = {});

// A sentence below a line of BGP: indented, and broken between words at the terminal's width.
[[nodiscard]] std::string sentence_line(const std::string& sentence);

// What is amiss between the daemon, the speaker and its peers, each in some words; routes that are
// not announced are not: their services say why. Nothing of an empty object.
[[nodiscard]] std::vector<std::string> bgp_troubles(const json::object& bgp);

// What `guideway explain` says of the route of a packet's service: "route" of its document.
[[nodiscard]] std::string route_sentence(const json::object& route);

}  // namespace guideway::cli
