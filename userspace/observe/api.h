// The daemon's local API: what `guideway` and an operator's scripts may ask, as JSON.
//
//     GET  /v1/status                        the document of observe/status.h
//     GET  /v1/services                      {"services": [..]}, as in the document
//     GET  /v1/backends                      {"pools": [..]}, as in the document
//     GET  /v1/interfaces                    {"interfaces": [..]}, as in the document
//     GET  /v1/bgp                           the document of observe/bgp_status.h
//     GET  /v1/flows                         a page of observe/flows.h: {"flows": [..], "next"};
//                                            ?service=NAME&backend=ADDRESS&client=PREFIX&limit=N
//                                            &after=NEXT: each may be left away
//     GET  /v1/explain                       what would become of a packet: observe/explain.h;
//                                            ?flow=FLOW&flags=FLAGS&size=BYTES or ?packet=HEX,
//                                            and &interface=NAME
//     POST /v1/reload                        200 or 422: {"succeeded", "generation", "changes":
//     [..],
//                                            "warnings": [..], "problems": [..]}
//     POST /v1/backends/ADDRESS/drain        {"backend", "pools": [..], "drained", "changed"};
//     POST /v1/backends/ADDRESS/undrain      ?pool=NAME: in this pool alone
//     POST /v1/role/ROLE                     {"role", "changed"}; active, passive or drain
//     GET  /v1/log                           {"level"}
//     PUT  /v1/log                           the same, asked with {"level": "debug"}
//     GET  /healthz                          "ok"
//     GET  /readyz                           "ready", or 503 "not ready"
//
// Errors are {"error": "..."}: 400 what cannot be understood, 404 an unknown path, backend, pool or
// role, or /v1/bgp where nothing is announced, 405 an unknown method, 409 a role where nothing is
// announced, 500 where the daemon could not do it, 503 where it cannot now: a worker
// does not answer.
//
// Threads: the operations are called on the thread that runs the handler. A reload takes its time;
// other requests are answered meanwhile.
#pragma once

#include "observe/http_message.h"
#include "observe/http_server.h"
#include "observe/operations.h"

namespace guideway::observe {

// A request for it may hold the bytes of a packet, in hexadecimal (kMaxPacketTextBytes).
inline constexpr HttpLimits kApiLimits{.header_bytes = 12288};

// REQUIRES: what `operations` refer to outlives the handler's calls.
[[nodiscard]] HttpHandler api(Operations operations);

}  // namespace guideway::observe
