// Interfaces, as the documents of the daemon have them (docs/operations.md), as text for a person:
// all that is known of each queue, in tables of a line for each, none wider than kTerminalColumns.
// Pure. What a document does not have is shown as 0 or "-".
//
// Threads: none of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace guideway::cli {

// What `guideway interfaces` prints of the document of GET /v1/interfaces. Fails if it is none.
[[nodiscard]] Result<std::string> interfaces_text(std::string_view document);

// The document of GET /v1/interfaces with that one only. Fails if there is no such interface in
// service, and names those that there are.
[[nodiscard]] Result<std::string> only_interface(std::string_view document,
                                                 const std::string& interface);

// "9999999", "12.3M", "4.5G": up to seven characters, exact as far as they reach.
[[nodiscard]] std::string count_text(std::uint64_t count);

}  // namespace guideway::cli
