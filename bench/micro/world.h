// What the micro benchmarks run over: a UMEM full of frames, and the traffic that is written into
// it.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "dataplane/pipeline.h"
#include "support/frame_builder.h"
#include "support/snapshot_builder.h"

namespace guideway::bench {

inline constexpr std::uint32_t kFrames = 4096;
inline constexpr std::uint32_t kChunkBytes = 2048;
inline constexpr std::uint32_t kHeadroom = 256;  // where the kernel starts a frame in its chunk
inline constexpr std::uint32_t kVips = 16;
inline constexpr std::uint32_t kBackends = 100;
inline constexpr std::size_t kFlowEntries = std::size_t{1} << 21;

// Zeroed memory in huge pages where the kernel has some, as both the flow table and the UMEM of the
// daemon ask for it.
class HugeMemory {
 public:
  explicit HugeMemory(std::size_t bytes) {
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kHugePage, bytes)));
    if (memory_ == nullptr) throw std::bad_alloc();
    (void)::madvise(memory_.get(), bytes, MADV_HUGEPAGE);
    std::memset(memory_.get(), 0, bytes);
  }
  [[nodiscard]] std::byte* get() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
};

// Frames as in a UMEM of one queue: chunks of 2048 bytes in one piece of memory.
class Umem {
 public:
  // Where the frame in chunk `number` (modulo their count) starts as it is received.
  [[nodiscard]] std::byte* frame(std::uint32_t number) const {
    return memory_.get() + std::size_t{number % kFrames} * kChunkBytes + kHeadroom;
  }

 private:
  HugeMemory memory_{std::size_t{kFrames} * kChunkBytes};
};

// TCP acknowledgments, 60 bytes with padding, of `flows` flows in random order, or all of flows
// that were never seen before.
class Traffic {
 public:
  static constexpr std::uint64_t kAllNew = 0;

  explicit Traffic(std::uint64_t flows) : flows_(flows) {
    test::FrameSpec spec{.protocol = 6,
                         .source = "10.0.0.0",
                         .destination = "198.51.100.0",
                         .payload = 0,
                         .padding = 6};
    spec.ip_checksum = 0;
    frame_ = test::build_frame(spec);
    sum_ = static_cast<std::uint16_t>(~test::internet_checksum(std::span(frame_).subspan(14, 20)));
  }

  [[nodiscard]] std::uint32_t bytes() const { return static_cast<std::uint32_t>(frame_.size()); }
  [[nodiscard]] std::uint64_t flows() const { return flows_; }

  // Writes all of a frame, once for each chunk before the first use.
  void place(std::byte* frame) {
    std::memcpy(frame, frame_.data(), frame_.size());
    rewrite(frame, next());
  }
  // Makes a frame that was encapsulated one as received again, of the next flow. The outer header
  // has covered the Ethernet header; the rest of the frame is as it was.
  void restore(std::byte* frame) {
    std::memcpy(frame, frame_.data(), 14);
    rewrite(frame, next());
  }
  // The same for a flow of the caller's choice.
  void rewrite(std::byte* frame, std::uint32_t flow) const {
    const std::uint32_t low = flow & 0xffffff;
    const std::uint32_t vip = flow % kVips;
    std::uint32_t sum = sum_ + (low >> 16) + (low & 0xffff) + vip;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put(frame + 24, Be16(static_cast<std::uint16_t>(~sum)));
    put(frame + 26, Be32(0x0a000000 + low));
    put(frame + 30, Be32(0xc6336400 + vip));
    put(frame + 34, Be16(static_cast<std::uint16_t>(1024 + (flow >> 24))));
  }

 private:
  template <class T>
  static void put(std::byte* at, T value) {
    std::memcpy(at, &value, sizeof value);
  }

  std::uint32_t next() {
    if (flows_ == kAllNew) return static_cast<std::uint32_t>(++state_);
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::uint32_t>((state_ >> 32) * flows_ >> 32);
  }

  std::uint64_t flows_;
  std::uint64_t state_ = 1;
  test::Bytes frame_;
  std::uint32_t sum_ = 0;  // of the IP header with what differs between flows 0
};

// Services on port 80 of all VIPs, over one pool.
[[nodiscard]] inline Snapshot make_snapshot() {
  test::SnapshotSpec spec;
  spec.pools.emplace_back();
  for (std::uint32_t i = 0; i < kBackends; ++i) spec.pools[0].push_back({.slot = i, .mtu = 1500});
  for (std::uint32_t i = 0; i < kVips; ++i)
    spec.services.push_back(
        {.at = {Ipv4Address(Be32(0xc6336400 + i)), 80, Protocol::tcp}, .slot = i, .pool = 0});
  return build_snapshot(spec);
}

}  // namespace guideway::bench
