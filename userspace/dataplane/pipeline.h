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

 private:
  // What the stages hand on from one to the next for one frame.
  struct Work {
    Packet packet;
    std::uint64_t hash = 0;
    const Service* service = nullptr;
    BackendSlot backend{};
  };

  DropReason classify(const Frame& frame, const Snapshot& snapshot, Work& work) const;
  DropReason select(const Snapshot& snapshot, flow::Tick now, Work& work);
  DropReason select_anew(const Pool& pool, flow::Tick now, Work& work);
  DropReason reselect(const Pool& pool, flow::Table::Entry entry, bool reopened, flow::Tick now,
                      Work& work);
  DropReason encapsulate(const Snapshot& snapshot, const Work& work, Frame& frame);

  flow::Table& flows_;
  WorkerCounters& counters_;
  std::uint32_t egress_device_;
  std::array<Work, kBatch> work_{};
};

}  // namespace guideway::dataplane
