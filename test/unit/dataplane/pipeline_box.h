// A pipeline with what it works on, for tests: frames as bytes go in, what became of them comes
// out. Checks on each frame that passes what must be true of every one.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/pipeline.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/frame_builder.h"
#include "support/snapshot_builder.h"

namespace guideway::test {

struct Outcome {
  DropReason drop{};
  Bytes frame;  // as it leaves; as it came if it was dropped

  [[nodiscard]] std::string_view reason() const {
    return kDropReasonNames[static_cast<std::size_t>(drop)];
  }
  // The slot of the backend that it was sent to, from the outer destination.
  [[nodiscard]] std::optional<std::uint32_t> backend() const {
    if (drop != DropReason::none || frame.size() < 38) return std::nullopt;
    Be32 destination;
    std::memcpy(&destination, &frame[30], 4);
    return destination.host() - backend_address(0).host();
  }
};

class PipelineBox {
 public:
  static constexpr std::uint32_t kHeadroom = 256;
  static constexpr flow::Timeouts kTimeouts{
      .opening = 10, .established = 900, .closing = 30, .udp = 120};

  explicit PipelineBox(std::size_t flow_entries = 6000)
      : flows(flow_entries, kTimeouts),
        counters(std::make_unique<WorkerCounters>()),
        pipeline_(flows, *counters, kEgressDevice) {}

  flow::Table flows;
  std::unique_ptr<WorkerCounters> counters;
  flow::Tick now = 0;

  std::vector<Outcome> run(const Snapshot& snapshot, const std::vector<Bytes>& frames,
                           std::size_t room = dataplane::kBatch,
                           std::uint32_t headroom = kHeadroom) {
    std::vector<Bytes> chunks;
    std::vector<dataplane::Frame> batch;
    for (const Bytes& bytes : frames) {
      Bytes& chunk = chunks.emplace_back(kHeadroom, std::byte{0xcc});
      chunk.insert(chunk.end(), bytes.begin(), bytes.end());
      chunk.insert(chunk.end(), 32, std::byte{0xcc});
      // What an earlier use left in `drop` must not matter.
      batch.push_back({chunk.data() + kHeadroom, static_cast<std::uint32_t>(bytes.size()), headroom,
                       DropReason::tx_ring_full});
    }
    const std::vector<Bytes> before = chunks;
    // In a batch of more, one frame changes what becomes of the next.
    const bool single = frames.size() == 1;
    const auto told = single ? std::optional(explain(snapshot, frames[0])) : std::nullopt;
    pipeline_.process(batch, snapshot, now, room);
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      check(batch[i], frames[i], before[i], chunks[i], headroom);
      outcomes.push_back({batch[i].drop, Bytes(batch[i].data, batch[i].data + batch[i].bytes)});
    }
    if (told) check(*told, outcomes[0]);
    return outcomes;
  }

  // What the pipeline says would become of a frame; that saying so changes nothing is checked.
  [[nodiscard]] dataplane::Explanation explain(const Snapshot& snapshot, const Bytes& frame) const {
    const auto flows_before = flows.live();
    const WorkerTotals counted_before = read(*counters);
    dataplane::Explanation told = pipeline_.explain(frame, snapshot, now);
    REQUIRE(flows.live() == flows_before);
    REQUIRE(read(*counters) == counted_before);
    return told;
  }

  Outcome run_one(const Snapshot& snapshot, const FrameSpec& spec) {
    return run(snapshot, {build_frame(spec)}).front();
  }

  [[nodiscard]] std::uint64_t drops(DropReason reason) const {
    return counters->drops[static_cast<std::size_t>(reason)].get();
  }

 private:
  // What was told of a frame beforehand is what became of it.
  static void check(const dataplane::Explanation& told, const Outcome& outcome) {
    // Headroom and the TX ring are the worker's affair, not the packet's.
    if (outcome.drop == DropReason::no_headroom || outcome.drop == DropReason::tx_ring_full) return;
    REQUIRE(told.drop == outcome.drop);
    if (outcome.drop == DropReason::none) {
      REQUIRE(told.backend.value().value == outcome.backend());
      REQUIRE(told.outer_ip_bytes + 14 == outcome.frame.size());
    }
  }

  // A dropped frame is as it came. A forwarded one lies before the very inner packet, which, and
  // all that is around it, is untouched.
  static void check(const dataplane::Frame& frame, const Bytes& ingress, const Bytes& before,
                    const Bytes& after, std::uint32_t headroom) {
    if (frame.drop != DropReason::none) {
      REQUIRE(frame.data == after.data() + kHeadroom);
      REQUIRE(frame.bytes == ingress.size());
      REQUIRE(before == after);
      return;
    }
    const std::size_t ip_at = ingress[12] == std::byte{0x08}   ? 14U
                              : ingress[16] == std::byte{0x08} ? 18U
                                                               : 22U;
    const std::size_t ip_bytes = std::to_integer<std::size_t>(ingress[ip_at + 2]) << 8 |
                                 std::to_integer<std::size_t>(ingress[ip_at + 3]);
    REQUIRE(frame.data == after.data() + kHeadroom + ip_at - 38);
    REQUIRE(frame.bytes == 38 + ip_bytes);
    REQUIRE(frame.data >= after.data() + kHeadroom - headroom);
    const auto start = static_cast<std::size_t>(frame.data - after.data());
    REQUIRE(std::memcmp(before.data(), after.data(), start) == 0);
    REQUIRE(std::memcmp(before.data() + start + 38, after.data() + start + 38,
                        before.size() - start - 38) == 0);
  }

  dataplane::Pipeline pipeline_;
};

inline const Endpoint kWeb{ip("198.51.100.1"), 80, Protocol::tcp};
inline const Endpoint kDns{ip("198.51.100.1"), 80, Protocol::udp};

// One TCP and one UDP service on port 80 of the VIP of FrameSpec, with a pool of three for both.
[[nodiscard]] inline SnapshotSpec small_world() {
  SnapshotSpec spec;
  spec.pools = {{{.slot = 1}, {.slot = 2}, {.slot = 3}}};
  spec.services = {{.at = kWeb, .slot = 10, .pool = 0}, {.at = kDns, .slot = 11, .pool = 0}};
  return spec;
}

// The `i`th of many TCP flows to the web service.
[[nodiscard]] inline FrameSpec web(std::uint16_t i, std::uint8_t flags = 0x10) {
  return {.protocol = 6, .source_port = static_cast<std::uint16_t>(1024 + i), .tcp_flags = flags};
}

// The flow hash of the frame of `spec`, as the pipeline has it.
[[nodiscard]] inline std::uint64_t hash_of(const Snapshot& snapshot, const FrameSpec& spec) {
  Packet packet;
  REQUIRE(parse_frame(build_frame(spec), packet) == DropReason::none);
  return gw_flow_hash(&packet.flow, &snapshot.seed);
}

}  // namespace guideway::test
