// One worker: a thread that owns one AF_XDP socket, one flow table and one CPU, and takes each
// packet of its queue through receive → classify → select → encapsulate → transmit → reclaim.
//
// Without traffic it sleeps in poll() on its socket, for 100 ms at most, so that it notices a new
// snapshot, or the end, in bounded time; a question wakes it. With busy polling it never sleeps.
// Each time round its loop it counts a turn: one whose `turns` stand still for much longer than
// that hangs.
//
// Threads: construction, start(), mailbox(), stop() and destruction on the control thread; the rest
// is inside. Owns: its flow table and its thread. Socket, counters and publication must outlive it.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "core/result.h"
#include "core/unique_fd.h"
#include "dataplane/mailbox.h"
#include "dataplane/pipeline.h"
#include "flow/table.h"
#include "state/counters.h"
#include "state/publication.h"
#include "xdp/socket.h"

namespace guideway::dataplane {

struct WorkerOptions {
  std::string name;             // of the thread: at most 15 characters
  std::uint32_t cpu = 0;        // that it is pinned to
  std::uint32_t interface = 0;  // index of the interface that the socket is on
  std::size_t reader = 0;       // its number in the Publication
  std::size_t flow_entries = 0;
  flow::Timeouts timeouts;
  bool busy_poll = false;
};

class Worker {
 public:
  Worker(const WorkerOptions& options, xdp::Socket& socket, WorkerCounters& counters,
         Publication& publication);
  ~Worker() { stop(); }

  // Starts the thread, pinned. Fails if this process may not run on the CPU.
  [[nodiscard]] Result<> start();
  // Asks the thread to end, and does not wait: many workers end at the same time so.
  void begin_stop() { thread_.request_stop(); }
  // Ends the thread; returns when it has ended.
  void stop();

  // Where questions are put (dataplane/inquiry.h). REQUIRES: start() succeeded.
  [[nodiscard]] Mailbox& mailbox() { return mailbox_; }

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] std::uint32_t cpu() const { return options_.cpu; }
  // As the kernel numbers it (gettid(2)); 0 until it runs.
  [[nodiscard]] pid_t thread_id() const { return thread_id_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t reader() const { return options_.reader; }

 private:
  void run(const std::stop_token& stop);
  bool run_batch(const Snapshot& snapshot, flow::Tick now);
  std::size_t transmit(std::size_t received);
  void flush();
  void idle(flow::Tick now);
  void publish_gauges();

  WorkerOptions options_;
  xdp::Socket& socket_;
  WorkerCounters& counters_;
  Publication& publication_;
  flow::Table flows_;
  Pipeline pipeline_;
  std::array<xdp::Descriptor, kBatch> descriptors_{};
  std::array<Frame, kBatch> frames_{};
  Mailbox mailbox_;
  std::atomic<pid_t> thread_id_{0};
  std::jthread thread_;
};

}  // namespace guideway::dataplane
