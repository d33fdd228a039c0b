// The packet path from a received frame to one that can be sent, in batches: classify → select →
// encapsulate. Pure: bytes, a snapshot and the time come in, verdicts go out. The same code runs
// behind a NIC, in a unit test, over a capture file and in a benchmark.
//
// Each stage goes over the whole batch before the next one starts, so that the memory that one
// packet waits for (its bucket of the flow table) arrives while others are parsed.
//
// Threads: one, the worker's. Owns nothing: flow table and counters must outlive it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "flow/table.h"
#include "net/drop_reason.h"
#include "net/packet.h"
#include "state/counters.h"
#include "state/snapshot.h"

namespace guideway::dataplane {

// Packets of a batch at most. Large enough to hide a cache miss and to make a system call cheap,
// small enough that what is kept of each packet stays in the first-level cache.
inline constexpr std::size_t kBatch = 64;

// One frame on its way through the pipeline. `data` and `bytes` are its Ethernet frame: as received
// on the way in, encapsulated on the way out, at a lower address of the same memory.
struct Frame {
  std::byte* data = nullptr;
  std::uint32_t bytes = 0;
  std::uint32_t headroom = 0;          // writable bytes before `data`, on the way in
  DropReason drop = DropReason::none;  // set by the pipeline; `data` is then as it came in
};

// How a packet comes by its backend.
enum class Choice : std::uint8_t {
  none,      // it does not: `drop` says why
  kept,      // its flow is in the flow table, and its backend may keep it
  chosen,    // its flow is not in the flow table: the Maglev table names the backend
  moved,     // it is, but its backend may not keep it: the Maglev table names another
  reopened,  // it is, but closing, and this is the SYN of a new connection: as `chosen`
};

// What would become of a packet, and by what. Everything in it is of one snapshot and one moment.
struct Explanation {
  std::uint64_t generation = 0;        // of the snapshot
  DropReason drop = DropReason::none;  // why it is not sent; what follows is set as far as it gets
  Packet packet{};                     // unless `drop` is of parse_frame()
  std::optional<Service> service{};
  std::uint64_t hash = 0;                      // with `service`
  std::uint32_t table_size = 0;                // of the pool's Maglev table; 0: an empty one
  std::uint32_t table_slot = 0;                // that the hash falls into
  std::optional<BackendSlot> table_backend{};  // that it names
  struct Entry {
    BackendSlot backend{};
    flow::Class state{};
    flow::Tick age{};    // seconds since its last packet
    bool keeps = false;  // the backend may keep its flows
  };
  std::optional<Entry> entry{};  // of the flow table
  Choice choice = Choice::none;
  std::optional<BackendSlot> backend{};
  std::uint32_t outer_ip_bytes = 0;  // with `backend`: of the packet once encapsulated
  std::uint32_t egress_mtu = 0;      // that has to hold it; 0: the next hop is not resolved
};

class Pipeline {
 public:
  // `egress_device`: index of the interface that frames leave by; a backend that is reached by
  // another one cannot be sent to from here (`no_next_hop`).
  Pipeline(flow::Table& flows, WorkerCounters& counters, std::uint32_t egress_device)
      : flows_(flows), counters_(counters), egress_device_(egress_device) {}

  // Decides on each frame and encapsulates those that are not dropped, at most `room` of them: what
  // the TX ring can take; those behind them are `tx_ring_full`. Counts drops and what each service
  // and backend was sent; not `received` and `transmitted`, which are the worker's.
  // REQUIRES: at most kBatch frames.
  void process(std::span<Frame> frames, const Snapshot& snapshot, flow::Tick now,
               std::size_t room = kBatch);

  // What process() would do with `frame`, decided by the same functions, with nothing changed or
  // counted. Room in the TX ring and headroom are taken for given.
  [[nodiscard]] Explanation explain(std::span<const std::byte> frame, const Snapshot& snapshot,
                                    flow::Tick now) const;

 private:
  // What the stages hand on from one to the next for one frame.
  struct Work {
    Packet packet;
    std::uint64_t hash = 0;
    const Service* service = nullptr;
    BackendSlot backend{};
    flow::Table::Entry fresh{};  // made for it: has no key yet
  };
  // What is decided of a packet whose service is known, before anything is changed by it.
  struct Selection {
    DropReason drop = DropReason::none;
    Choice choice = Choice::none;
    BackendSlot backend{};
    flow::Table::Entry entry{};  // as found; false: none
  };

  DropReason classify(std::span<const std::byte> frame, const Snapshot& snapshot, Work& work) const;
  [[nodiscard]] Selection decide(const Snapshot& snapshot, flow::Tick now, const Work& work) const;
  DropReason select(const Snapshot& snapshot, flow::Tick now, Work& work);
  void remember(const Selection& selection, flow::Tick now, Work& work);
  [[nodiscard]] DropReason fits(const Backend& backend, const Packet& packet) const;
  DropReason encapsulate(const Snapshot& snapshot, const Work& work, Frame& frame);

  flow::Table& flows_;
  WorkerCounters& counters_;
  std::uint32_t egress_device_;
  std::array<Work, kBatch> work_{};
};

}  // namespace guideway::dataplane
