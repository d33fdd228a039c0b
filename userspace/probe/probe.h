// One question to one backend: is it well? Connect, ask, judge the answer, within a time. When to
// ask, and what an answer means for a backend, is control/health.h's.
//
// Everything that comes from a backend is hostile: an answer is read up to a limit and no further,
// the whole of it within the question's time, whatever the backend does.
//
// Threads: on the executor that the coroutine runs on, which is one thread's or a strand; nothing
// blocks it. Owns: its sockets and its child process, which are gone when ask() has answered or the
// coroutine is destroyed.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "net/address.h"

namespace guideway::probe {

// A TCP connection can be made. It is ended by a reset, so that no state of it stays on either
// side.
struct TcpQuestion {
  friend auto operator<=>(const TcpQuestion&, const TcpQuestion&) = default;
};

struct StatusRange {
  std::uint16_t first = 200, last = 299;
  friend auto operator<=>(const StatusRange&, const StatusRange&) = default;
};

// An HTTP/1.1 request (RFC 9112) is answered with one of `expected`, and, where `body` is not
// empty, with a body that has it within its first kMaxBodyBytes. Read no further than that needs:
// without a `body` the header decides, of which 8 KiB are read at most. Redirections are not
// followed. REQUIRES: neither a blank nor a control character in `method`, `path` and `host`.
struct HttpQuestion {
  bool tls = false;
  std::string method = "GET";
  std::string path = "/";
  std::string host;  // of the Host field; empty: the address that is asked
  std::vector<StatusRange> expected = std::vector<StatusRange>(1);  // 200-299
  std::string body;
  // With `tls`:
  std::string server_name;  // SNI (RFC 6066, section 3), and what a certificate is checked against;
                            // none is sent if it is empty or an address
  bool verify = false;      // the certificate must be valid for `server_name`; where that is empty,
                            // for the address that is asked
  std::string ca_file;      // PEM file of those who may have signed it; empty: the system's. Read
                            // again when it has been replaced
  friend auto operator<=>(const HttpQuestion&, const HttpQuestion&) = default;
};
inline constexpr std::size_t kMaxBodyBytes = std::size_t{64} << 10;

// A datagram with `payload` is answered by one that begins with `expected`; the first one that
// comes decides. A port that is unreachable (ICMP) is a failure at once.
struct UdpQuestion {
  std::string payload, expected;  // bytes
  friend auto operator<=>(const UdpQuestion&, const UdpQuestion&) = default;
};

// A DNS query over UDP (RFC 1035) is answered with this response code. Datagrams that do not answer
// it (another id, another question) are ignored.
struct DnsQuestion {
  std::string name;
  std::uint16_t type = 1;  // A
  std::uint16_t rcode = 0;
  friend auto operator<=>(const DnsQuestion&, const DnsQuestion&) = default;
};

// A program ends with exit code 0. No shell; standard input is empty, output is thrown away; the
// environment is PATH, GUIDEWAY_BACKEND (the address), GUIDEWAY_POOL and GUIDEWAY_PORT (where there
// is one). When its time is over it is killed. What is left of its process group goes with it, in
// any case.
struct ExecQuestion {
  std::vector<std::string> command;  // an absolute path, and arguments
  std::string pool;
  friend auto operator<=>(const ExecQuestion&, const ExecQuestion&) = default;
};

struct Question {
  std::variant<TcpQuestion, HttpQuestion, UdpQuestion, DnsQuestion, ExecQuestion> kind;
  std::uint16_t port = 0;  // 0: none (exec)
  std::chrono::milliseconds timeout{1000};
  // Through the tunnel: asked of this address, in packets that are encapsulated to the backend.
  std::optional<Ipv4Address> vip{};
  friend auto operator<=>(const Question&, const Question&) = default;

  // "http port 80 path /healthz", "tcp port 443 through the tunnel to 198.51.100.1".
  [[nodiscard]] std::string text() const;
  // "tcp", "http", "https", "udp", "dns" or "exec".
  [[nodiscard]] std::string_view type() const;
};

struct Answer {
  bool passed = false;
  // For a person: "connected", "status 503, not 200-299", "no answer within 1000 ms, while
  // connecting". What a backend sent is in it only in printable form, and not much of it.
  std::string why;
  std::chrono::microseconds took{};
  // False: this host could not ask (no descriptor, no such program, an unreadable ca_file), which
  // says nothing about the backend. `passed` is false then.
  bool asked = true;
};

// Makes a new, unconnected IPv4 socket one whose packets go through the tunnel to `backend`.
using EnterTunnel = std::function<Result<>(int socket, Protocol protocol, Ipv4Address backend)>;

// Asks `backend`, and answers within the question's time and a few milliseconds. Where there is a
// `vip`, the socket has been through `enter_tunnel` before it connects; without one the question
// fails. Does not throw, not even when it is cancelled: that is a failure, too. REQUIRES: the
// arguments live until it has answered.
[[nodiscard]] boost::asio::awaitable<Answer> ask(const Question& question, Ipv4Address backend,
                                                 const EnterTunnel& enter_tunnel);

}  // namespace guideway::probe
