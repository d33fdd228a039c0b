// What would become of a packet, and why: what GET /v1/explain asks for and answers. Plain values:
// app/ fills the answer, and this makes a document of it.
//
// The document reads in the order of the packet's way; what the packet does not reach, or what is
// not there, is missing in it:
//
//     {"frame_bytes",
//      "packet":   {"flow", "tcp_flags", "ip_bytes"},          unless it is malformed
//      "steering": [{"interface", "attached", "verdict",       what the VIP map in the kernel says
//                    "queues", "unserved_queues"}, ..],
//      "generation", "interface", "queue",                     whose worker's answer this is
//      "service":  {"name", "vip", "protocol", "port", "pool"},
//      "route":    {all that GET /v1/bgp says of it, "role", "contact", "sessions", "established"},
//      "hash":     "0123456789abcdef",
//      "table":    {"size", "slot", "backend"},                backend: whom the Maglev table names
//      "entries":  [{"interface", "queue", "state", "backend", "idle_seconds",
//                    "expires_in_seconds", "keeps"}, ..],      of each worker that knows the flow
//      "choice":   "kept", "chosen", "moved" or "reopened",
//      "backend":  {"pool", and all that GET /v1/backends says of it},
//      "size":     {"ip_bytes", "outer_ip_bytes", "egress_mtu", "largest_ip_bytes", "fits"},
//      "if_down":  {"backend"},                                who gets it then; "": nobody
//      "elsewhere": [{"interface", "reason"}, ..],             by these interfaces it is dropped
//      "hanging":  ["eth1 queue 0", ..],                       workers that do not answer
//      "verdict":  "forwarded", "dropped" or "passed",
//      "reason", "meaning", "remedy"}                          unless it is forwarded
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "observe/reasons.h"
#include "observe/status.h"

namespace guideway::observe {

struct PacketQuestion {
  std::vector<std::byte> frame{};  // Ethernet
  std::string interface {};        // that it comes in by; empty: any
};

// The question that a query of GET /v1/explain puts: flow=FLOW, with flags=FLAGS and size=BYTES
// where they are wanted, or packet=HEX, as net/packet_text.h reads them; and interface=NAME. A flow
// without flags is one of a packet with ACK; without a size, of the smallest. Percent-encoded, '+'
// for a blank. Fails with what would be right.
[[nodiscard]] Result<PacketQuestion> packet_question(std::string_view query);

// What the steering program of one interface does with it.
struct SteeringAnswer {
  std::string interface;
  bool attached = true;  // false: the program was taken off, and everything passes
  std::string verdict;   // by the VIP map in the kernel, as GET /v1/status names them
  // Of its receive queues: what comes by one without a worker is dropped (no_socket), where the
  // verdict is `redirected`.
  std::uint32_t queues = 0, unserved_queues = 0;
};

struct PacketAnswer {
  struct Parsed {
    std::string flow;
    std::string tcp_flags;  // "syn,ack"; empty: not TCP
    std::uint32_t ip_bytes = 0;
  };
  struct Service {
    std::string name, vip, protocol;
    std::uint16_t port = 0;
    std::string pool;
  };
  struct Table {
    std::uint32_t size = 0, slot = 0;
    std::string backend;
  };
  struct Entry {
    std::string interface;
    std::uint32_t queue = 0;
    std::string state;    // class of the flow
    std::string backend;  // empty: it is not known any more whose entry it is
    std::uint64_t idle_seconds = 0, expires_in_seconds = 0;
    bool keeps = false;  // the backend may keep its flows
  };
  struct Size {
    std::uint32_t ip_bytes = 0, outer_ip_bytes = 0;
    std::uint32_t egress_mtu = 0;        // 0: not known, as the next hop is not resolved
    std::uint32_t largest_ip_bytes = 0;  // that fits; 0: not known
  };

  std::uint32_t frame_bytes = 0;
  std::optional<Parsed> packet{};
  std::vector<SteeringAnswer> steering{};
  std::uint64_t generation = 0;
  std::string interface {};              // that it is taken to come in by
  std::optional<std::uint32_t> queue{};  // whose worker has answered; none: it reaches no worker
  std::optional<Service> service{};
  // How routers know of the service's VIP; none where nothing is announced. Filled by the API, out
  // of the status.
  std::optional<RouteOfService> route{};
  std::optional<std::uint64_t> hash{};
  std::optional<Table> table{};
  std::vector<Entry> entries{};
  std::string choice{};  // how it comes by its backend; empty: not at all
  std::string pool{};    // of the backend
  std::optional<BackendStatus> backend{};
  std::optional<Size> size{};
  std::optional<std::string> if_down{};  // the backend that gets the flow then; "": nobody
  // Interfaces but the one of the answer, by which it would be dropped, and why.
  struct Elsewhere {
    std::string interface;
    std::string reason;  // a drop reason
  };
  std::vector<Elsewhere> elsewhere{};
  std::vector<std::string> hanging{};  // "eth1 queue 0"
  enum class Verdict : std::uint8_t { forwarded, dropped, passed } verdict = Verdict::forwarded;
  const ReasonText* reason = nullptr;  // null: forwarded
};

[[nodiscard]] std::string to_json(const PacketAnswer& answer);

}  // namespace guideway::observe
