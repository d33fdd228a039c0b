// What the metrics port answers: Prometheus, and who asks whether the daemon is well. Nothing here
// changes anything or tells more than numbers and names, as everybody who can reach the port may
// ask.
//
//     GET /metrics   observe/metrics.h, in the text format 0.0.4
//     GET /healthz   "ok"
//     GET /readyz    "ready", or 503 "not ready"
//
// What /metrics says may be a little old, by ten times what it takes to make it: milliseconds, with
// thousands of backends a second. The text is shared by all who ask in that time.
//
// Threads: as observe/api.h.
#pragma once

#include "observe/http_message.h"
#include "observe/http_server.h"
#include "observe/operations.h"

namespace guideway::observe {

// For the server at the metrics port: few connections, as the text of a large configuration has
// megabytes, and one that is not taken is held until patience ends.
inline constexpr HttpLimits kMetricsLimits{.body_bytes = 1024, .connections = 16};

// Of `operations` it uses `status` and `ready`. REQUIRES: as api().
[[nodiscard]] HttpHandler metrics_api(Operations operations);

}  // namespace guideway::observe
