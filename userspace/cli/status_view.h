// What `guideway status` prints: the document of GET /v1/status (docs/operations.md) as text for a
// person. Pure. What a document does not have, as it comes from a daemon of another version, is
// shown as 0 or "-".
//
// Threads: none of its own.
#pragma once

#include <string>
#include <string_view>

#include "cli/palette.h"
#include "core/result.h"

namespace guideway::cli {

// Fails if `document` is not such a document at all.
[[nodiscard]] Result<std::string> status_text(std::string_view document,
                                              const Palette& palette = {});

}  // namespace guideway::cli
