// Questions to a worker about what only it may read: its flow table, and what its pipeline would
// do. Put by the control thread (Worker::mailbox), answered by the worker between two batches, so
// that an answer is of one moment, and neither side ever waits for the other.
//
// A survey is done in pieces, one between two batches, so that a table of any size delays no packet
// by more than some microseconds. A worker that has a question does not sleep.
//
// Threads: made and read on the control thread, worked on by the worker in between: what is in
// here belongs to the worker from Mailbox::put() until answered() is true.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "dataplane/pipeline.h"

namespace guideway::dataplane {

// Buckets of the flow table that are looked at between two batches.
inline constexpr std::size_t kSurveyPerTurn = 256;

// What would become of a packet: `frame` is its Ethernet frame.
struct PacketInquiry {
  std::vector<std::byte> frame;
  Explanation explanation{};  // the answer
};

// Which flows are wanted: all that is set must hold.
struct FlowFilter {
  std::set<BackendSlot> backends{};  // one of these; empty: any
  std::set<Endpoint> services{};     // to one of these; empty: any
  Ipv4Address client{};              // whose first `client_bits` bits are these
  std::uint8_t client_bits = 0;      // 0: any

  [[nodiscard]] bool wants(const gw_flow_key& key, BackendSlot backend) const;
};

struct FlowRecord {
  gw_flow_key key{};
  BackendSlot backend{};
  flow::Class state{};
  flow::Tick age{};  // seconds since its last packet
};

// The flows of a part of the table.
struct FlowSurvey {
  FlowFilter filter{};
  std::size_t next_bucket = 0;   // where to begin; the answer: where to go on
  std::size_t limit = 0;         // records at most, but for those of the last bucket
  std::size_t most_buckets = 0;  // to look at
  std::vector<FlowRecord> found{};
  bool complete = false;  // the answer: the end of the table was reached
};

class Inquiry {
 public:
  explicit Inquiry(PacketInquiry about) : about_(std::move(about)) {}
  explicit Inquiry(FlowSurvey about) : about_(std::move(about)) {}

  [[nodiscard]] bool answered() const { return answered_.load(std::memory_order_acquire); }
  // REQUIRES: answered(), and that it was made of one.
  [[nodiscard]] const PacketInquiry& packet() const { return std::get<PacketInquiry>(about_); }
  [[nodiscard]] const FlowSurvey& survey() const { return std::get<FlowSurvey>(about_); }

  // The worker's: does the next piece; true when nothing is left to do.
  bool work(const Pipeline& pipeline, const flow::Table& flows, const Snapshot& snapshot,
            flow::Tick now);

 private:
  std::variant<PacketInquiry, FlowSurvey> about_;
  std::size_t looked_at_ = 0;  // buckets, of a survey
  std::atomic<bool> answered_{false};
};

}  // namespace guideway::dataplane
