// The daemon's HTTP server: HTTP/1.1 at a Unix socket (the local API) or at a TCP port (metrics).
// It reads requests, writes answers and guards itself; what is answered is the handler's
// (observe/api.h, observe/metrics_api.h).
//
// Threads: everything on the thread that runs the io_context. A client that says nothing, or too
// much, or half a request is cut off; it never keeps others waiting: where there are too many, the
// one that has been without an answer the longest makes room for the next. One whose answer is
// being made is never cut off; where that is so of all, the next is closed instead.
//
// Who may talk to it: at a Unix socket who may write to its file (0660), at a TCP port everybody
// who can reach it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "net/address.h"
#include "observe/http_message.h"

namespace guideway::observe {

// What one client may ask of the server. A request has a line and a few fields: these are far above
// any that is meant well, and small enough that all connections together stay below 5 MiB.
struct HttpLimits {
  std::uint32_t header_bytes = 8192;  // of one request; more: 431
  std::size_t body_bytes = 65536;     // of one request; more: 413
  std::size_t connections = 64;       // open at a time
  // For a whole request to arrive, for a whole answer to be taken: then the connection is closed.
  // The time in between, in which the handler makes the answer, has no limit.
  std::chrono::milliseconds patience{5000};
};

class HttpServer {
 public:
  // Listens at the Unix socket `path`; a socket file that nobody listens at any more is replaced,
  // one that is served is an error. Its folder is made if it is missing. The file goes with the
  // server. REQUIRES: `io` outlives the server.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen_unix(boost::asio::io_context& io,
                                                                       const std::string& path,
                                                                       HttpHandler handler,
                                                                       HttpLimits limits = {});

  // Listens at a TCP port of `address` (0.0.0.0: all of this host's). Port 0: one that is free, see
  // port(). REQUIRES: `io` outlives the server.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen_tcp(boost::asio::io_context& io,
                                                                      Ipv4Address address,
                                                                      std::uint16_t port,
                                                                      HttpHandler handler,
                                                                      HttpLimits limits = {});

  // Stops. `handler` is not called any more; a call that is at work goes on to its end, and its
  // answer is thrown away: what the handler uses must outlive the io_context's run, not only the
  // server. REQUIRES: on the thread that runs the io_context, or while none does.
  ~HttpServer();

  // The TCP port that it listens at; 0 for a Unix socket.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace guideway::observe
