// What the doctor judges of a running daemon, out of the document of GET /v1/status. Pure. What a
// document does not have, as it comes from a daemon of another version, is 0, "-" or nothing.
//
// Threads: none of its own.
#pragma once

#include <string_view>

#include "core/result.h"
#include "doctor/running.h"

namespace guideway::cli {

// Fails if `document` is not such a document at all.
[[nodiscard]] Result<doctor::Running> read_running(std::string_view document);

}  // namespace guideway::cli
