// Services, pools and backends, as the documents of the daemon have them (docs/operations.md), as
// text for a person. Pure. What a document does not have is shown as 0 or "-".
//
// Threads: none of its own.
#pragma once

#include <string>
#include <string_view>

#include "cli/json_view.h"
#include "cli/palette.h"

namespace guideway::cli {

// The services of a document, as a table; "services: none" where there are none.
[[nodiscard]] std::string services_table(const json::object& document, const Palette& palette = {});

// A pool as `guideway status` shows it: its health, its backends with what they got, and the last
// answer to each check that fails.
[[nodiscard]] std::string pool_traffic(const json::object& pool, const Palette& palette = {});

// A pool as `guideway backends` shows it: its health, that of its backends, and each check.
[[nodiscard]] std::string pool_health(const json::object& pool, const Palette& palette = {});

// What `guideway services` prints of the document of GET /v1/services. Fails if it is none.
[[nodiscard]] Result<std::string> services_text(std::string_view document,
                                                const Palette& palette = {});

// The document of GET /v1/backends with that one pool only. Fails if there is no such pool, and
// names those that there are.
[[nodiscard]] Result<std::string> only_pool(std::string_view document, const std::string& pool);

// What `guideway backends` prints of the document of GET /v1/backends. Fails if it is none.
[[nodiscard]] Result<std::string> backends_text(std::string_view document,
                                                const Palette& palette = {});

}  // namespace guideway::cli
