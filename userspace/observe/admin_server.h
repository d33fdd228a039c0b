// The daemon's local API: HTTP/1.1 with JSON over a Unix socket. Who may talk to it is decided by
// the file permissions of the socket (0660).
//
//     GET /v1/status     200, the document of observe/status.h (HEAD: its header alone)
//     anything else      404 or 405 with {"error": "..."}
//
// Threads: everything on the thread that runs the io_context. A client that says nothing, or too
// much, or half a request is cut off; it never keeps others waiting: where there are too many, the
// one that has been without an answer the longest makes room for the next.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"

namespace guideway::observe {

// What one client may ask of the server. A request has a line and a few fields: these are far above
// any that is meant well, and small enough that all connections together stay below 5 MiB.
struct AdminLimits {
  std::uint32_t header_bytes = 8192;  // of one request; more: 431
  std::size_t body_bytes = 65536;     // of one request; more: 413
  std::size_t connections = 64;       // open at a time
  // For a whole request to arrive, for a whole answer to be taken: then the connection is closed.
  std::chrono::milliseconds patience{5000};
};

class AdminServer {
 public:
  using MakeStatus = std::function<std::string()>;  // the JSON of now

  // Listens at `path`; a socket file that nobody listens at any more is replaced, one that is
  // served is an error. Its folder is made if it is missing. Stops, and removes the file, when the
  // server goes: after that `status` is not called any more. REQUIRES: `io` outlives the server.
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> listen(boost::asio::io_context& io,
                                                                   const std::string& path,
                                                                   MakeStatus status,
                                                                   AdminLimits limits = {});
  // REQUIRES: on the thread that runs the io_context, or while none does.
  ~AdminServer();

 private:
  class Impl;
  explicit AdminServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace guideway::observe
