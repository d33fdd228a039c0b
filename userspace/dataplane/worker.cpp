#include "dataplane/worker.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

namespace guideway::dataplane {
namespace {

// How long a worker without traffic sleeps: what bounds the adoption of a snapshot, and the end.
constexpr int kIdleMilliseconds = 100;
// With frames in the TX ring that the kernel did not take yet, there is a reason to look sooner.
constexpr int kPendingMilliseconds = 1;

// Buckets of the flow table that are freed of expired entries after each batch, and on waking up:
// at 10,000 batches a second or 10 wakings, a table of a million entries is passed within a minute.
constexpr std::size_t kSweepPerBatch = 1;
constexpr std::size_t kSweepWhenIdle = 4096;

// Seconds of a clock that does not go back. Coarse: it costs no system call, and a tick is a
// second.
flow::Tick now_in_ticks() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<flow::Tick>(now.tv_sec);
}

}  // namespace

Worker::Worker(const WorkerOptions& options, xdp::Socket& socket, WorkerCounters& counters,
               Publication& publication)
    : options_(options),
      socket_(socket),
      counters_(counters),
      publication_(publication),
      flows_(options.flow_entries, options.timeouts),
      pipeline_(flows_, counters, options.interface) {
  counters_.flow_table_capacity.set(flows_.capacity());
}

Result<> Worker::start() {
  if (auto opened = mailbox_.open(options_.name); !opened) return opened;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  const pthread_t thread = thread_.native_handle();
  (void)::pthread_setname_np(thread, options_.name.substr(0, 15).c_str());
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(options_.cpu, &cpus);
  if (const int error = ::pthread_setaffinity_np(thread, sizeof cpus, &cpus); error != 0) {
    stop();
    return fail_errno("pinning worker " + options_.name + " to CPU " + std::to_string(options_.cpu),
                      error, "set cpus: to CPUs that this process may use (taskset -p, cgroups)");
  }
  return {};
}

void Worker::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::run(const std::stop_token& stop) {
  thread_id_.store(::gettid(), std::memory_order_relaxed);
  while (!stop.stop_requested()) {
    counters_.completed.add(socket_.reclaim());
    // Also without packets: that is how an idle worker acknowledges a snapshot.
    const Snapshot& snapshot = publication_.adopt(options_.reader);
    const flow::Tick now = now_in_ticks();
    if (mailbox_.has_question()) mailbox_.work(pipeline_, flows_, snapshot, now);
    if (!run_batch(snapshot, now)) idle(now);
    publish_gauges();
    counters_.turns.add(1);
  }
  counters_.completed.add(socket_.reclaim());
}

bool Worker::run_batch(const Snapshot& snapshot, flow::Tick now) {
  if (options_.busy_poll) socket_.poll_nic();
  const std::size_t received = socket_.receive(descriptors_);
  if (received == 0) return false;
  for (std::size_t i = 0; i < received; ++i) {
    const xdp::Descriptor& descriptor = descriptors_[i];
    frames_[i] = {.data = socket_.data(descriptor.address),
                  .bytes = descriptor.bytes,
                  .headroom = socket_.headroom(descriptor.address),
                  .drop = DropReason::none};
  }
  pipeline_.process(std::span(frames_).first(received), snapshot, now, socket_.transmit_room());
  const std::size_t transmitted = transmit(received);
  // Together, so that a reader hardly ever sees one without the others.
  counters_.received.add(received);
  counters_.transmitted.add(transmitted);
  counters_.batches.add(1);
  flush();
  flows_.sweep(now, kSweepPerBatch);
  return true;
}

// Sends what the pipeline let through and gives the other frames back. How many were sent.
std::size_t Worker::transmit(std::size_t received) {
  std::array<xdp::Descriptor, kBatch> sent, dropped;
  std::size_t to_send = 0, to_drop = 0;
  for (std::size_t i = 0; i < received; ++i) {
    const xdp::Descriptor& descriptor = descriptors_[i];
    const Frame& frame = frames_[i];
    if (frame.drop != DropReason::none) {
      dropped[to_drop++] = descriptor;
      continue;
    }
    const auto moved = static_cast<std::uint64_t>(frame.data - socket_.data(0));
    sent[to_send++] = {.address = moved, .bytes = frame.bytes};
  }
  if (to_send > 0) socket_.transmit(std::span(sent).first(to_send));
  if (to_drop > 0) socket_.recycle(std::span(dropped).first(to_drop));
  socket_.wake_receive();
  return to_send;
}

void Worker::flush() {
  const auto flushed = socket_.flush();
  counters_.transmit_wakeups.add(flushed.calls);
  counters_.transmit_busy.add(flushed.busy);
  counters_.transmit_errors.add(flushed.errors);
}

void Worker::idle(flow::Tick now) {
  const bool pending = socket_.transmit_pending();
  if (pending) flush();
  flows_.sweep(now, options_.busy_poll ? kSweepPerBatch : kSweepWhenIdle);
  if (options_.busy_poll) return;
  // poll() also makes a driver look at its rings whose FILL ring had run empty.
  std::array waited_for{pollfd{.fd = socket_.fd(), .events = POLLIN, .revents = 0},
                        pollfd{.fd = mailbox_.fd(), .events = POLLIN, .revents = 0}};
  counters_.sleeps.add(1);
  (void)::poll(waited_for.data(), waited_for.size(),
               pending ? kPendingMilliseconds : kIdleMilliseconds);
}

void Worker::publish_gauges() {
  const auto& live = flows_.live();
  counters_.flows_opening.set(live[static_cast<std::size_t>(flow::Class::opening)]);
  counters_.flows_established.set(live[static_cast<std::size_t>(flow::Class::established)]);
  counters_.flows_closing.set(live[static_cast<std::size_t>(flow::Class::closing)]);
  counters_.flows_udp.set(live[static_cast<std::size_t>(flow::Class::udp)]);
}

}  // namespace guideway::dataplane
