// What `guideway explain` prints: the document of GET /v1/explain (docs/operations.md) as text for
// a person, in the order of the packet's way, the verdict last. Pure. What the document does not
// have is left out.
//
// Threads: none of its own.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace guideway::cli {

// Fails if `document` is not such a document at all.
[[nodiscard]] Result<std::string> explain_text(std::string_view document);

}  // namespace guideway::cli
