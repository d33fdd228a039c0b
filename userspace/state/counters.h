// What passes from the workers to the control thread: numbers. Each worker has its own, on cache
// lines of its own; whoever reads adds them up.
//
// The conservation law of one worker, and so of their sum:
//
//     received = transmitted + Σ drops[reason]        whenever no batch is being processed
//     transmitted = completed + frames in the TX and COMPLETION rings
//
// Threads: one writer each (the worker), any number of readers. Relaxed: a reader sees each number
// right, but several of them not of one moment.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "net/drop_reason.h"
#include "state/snapshot.h"

namespace guideway {

// A number with one writer.
class Counter {
 public:
  void add(std::uint64_t amount) { set(get() + amount); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// What one backend or one service was sent.
struct Forwarded {
  Counter packets;
  Counter bytes;  // of the inner IP packets
};

#define GUIDEWAY_WORKER_COUNTERS(X)                                                       \
  X(received)             /* frames taken from the RX ring */                             \
  X(transmitted)          /* frames put into the TX ring */                               \
  X(completed)            /* frames that came back through the COMPLETION ring */         \
  X(batches)              /* times that the RX ring had something */                      \
  X(transmit_wakeups)     /* system calls to make the kernel send */                      \
  X(transmit_busy)        /* of these, told to try again (EAGAIN, EBUSY, ENOBUFS) */      \
  X(transmit_errors)      /* of these, failed otherwise (such as ENETDOWN) */             \
  X(sleeps)               /* times that the worker waited in poll() */                    \
  X(turns)                /* times that it went round its loop: grows while it lives */   \
  X(flow_hits)            /* packets whose flow was in the table */                       \
  X(flow_inserted)        /* flows put into the table */                                  \
  X(flow_evicted_opening) /* of these, in place of an opening one */                      \
  X(flow_table_full)      /* flows for which the table had no room */                     \
  X(flow_moved)           /* flows whose backend could not keep them, given to another */ \
  X(flows_opening)        /* gauge: entries of the flow table in this class */            \
  X(flows_established)    /* gauge */                                                     \
  X(flows_closing)        /* gauge */                                                     \
  X(flows_udp)            /* gauge */                                                     \
  X(flow_table_capacity)  /* gauge: entries that the table has room for */

struct alignas(64) WorkerCounters {
#define GUIDEWAY_WORKER_COUNTER_MEMBER(name) Counter name;
  GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_WORKER_COUNTER_MEMBER)
#undef GUIDEWAY_WORKER_COUNTER_MEMBER
  std::array<Counter, kDropReasons> drops;  // by DropReason; [none] stays 0
  std::vector<Forwarded> services{kMaxServiceSlots};
  std::vector<Forwarded> backends{kMaxBackendSlots};
  std::vector<Counter> backend_flows{kMaxBackendSlots};  // new flows given to each
};

// The same numbers at one reading, of one worker or summed over several.
struct WorkerTotals {
#define GUIDEWAY_WORKER_COUNTER_VALUE(name) std::uint64_t name = 0;
  GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_WORKER_COUNTER_VALUE)
#undef GUIDEWAY_WORKER_COUNTER_VALUE
  std::array<std::uint64_t, kDropReasons> drops{};

  [[nodiscard]] std::uint64_t dropped() const;
  // received − transmitted − dropped: frames in a batch that is being processed; 0 when idle.
  [[nodiscard]] std::int64_t in_flight() const;
  WorkerTotals& operator+=(const WorkerTotals& other);
  friend bool operator==(const WorkerTotals&, const WorkerTotals&) = default;
};

[[nodiscard]] WorkerTotals read(const WorkerCounters& counters);

}  // namespace guideway
