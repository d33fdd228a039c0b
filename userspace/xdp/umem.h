// The memory that one queue's packets live in: equal frames, and who has each of them.
//
//        FILL ───────▶ kernel, NIC ───────▶ RX
//         ▲                                  │
//         │  dropped                         ▼
//         ├───────────────────────────── the worker
//         │  sent                            │
//     COMPLETION ◀──── kernel, NIC ◀──────── TX
//
// Each frame is in exactly one place. FILL and COMPLETION have room for all frames, so that giving
// one back cannot fail. Builds with assertions keep a ledger of where each frame is.
//
// A frame, of 2048 or 4096 bytes:
//
//     | headroom 256: the outer headers go here |  packet as received ...            | unused |
//     ^ frame start                             ^ where the kernel puts it
//
// Threads: one, the worker's, once it runs.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/result.h"

namespace guideway::xdp {

// Where a frame is, as user space sees it: the kernel has it from FILL to RX and from TX to
// COMPLETION.
enum class Holder : std::uint8_t { fill_to_receive, worker, transmit_to_completion };

// Anonymous memory for frames, in huge pages where the kernel gives them.
class FrameMemory {
 public:
  // REQUIRES: frame_bytes is 2048 or 4096, frames a power of two.
  [[nodiscard]] static Result<FrameMemory> map(std::uint32_t frames, std::uint32_t frame_bytes);
  FrameMemory(FrameMemory&& other) noexcept;
  FrameMemory& operator=(FrameMemory&& other) noexcept;
  ~FrameMemory();

  [[nodiscard]] std::byte* at(std::uint64_t address) const { return start_ + address; }
  [[nodiscard]] std::size_t bytes() const { return std::size_t{frames_} * frame_bytes_; }
  [[nodiscard]] std::uint32_t frames() const { return frames_; }
  [[nodiscard]] std::uint32_t frame_bytes() const { return frame_bytes_; }
  // The start of the frame that holds `address`.
  [[nodiscard]] std::uint64_t frame_start(std::uint64_t address) const {
    return address & ~std::uint64_t{frame_bytes_ - 1};
  }
  // Bytes between the start of its frame and `address`.
  [[nodiscard]] std::uint32_t headroom(std::uint64_t address) const {
    return static_cast<std::uint32_t>(address & (frame_bytes_ - 1));
  }

 private:
  FrameMemory(std::byte* start, std::uint32_t frames, std::uint32_t frame_bytes)
      : start_(start), frames_(frames), frame_bytes_(frame_bytes) {}
  std::byte* start_ = nullptr;
  std::uint32_t frames_ = 0;
  std::uint32_t frame_bytes_ = 0;
};

// Asserts that each frame is where it is believed to be. Nothing at all without assertions.
class FrameLedger {
 public:
#ifdef NDEBUG
  FrameLedger(std::uint32_t, std::uint32_t) {}
  void move(std::uint64_t, Holder, Holder) {}
#else
  FrameLedger(std::uint32_t frames, std::uint32_t frame_bytes)
      : frame_bytes_(frame_bytes), holder_(frames, Holder::worker) {}
  // The frame at `address` (anywhere in it) goes from one holder to another.
  void move(std::uint64_t address, Holder from, Holder to) {
    const std::size_t frame = address / frame_bytes_;
    assert(frame < holder_.size() && holder_[frame] == from);
    holder_[frame] = to;
  }

 private:
  std::uint32_t frame_bytes_;
  std::vector<Holder> holder_;
#endif
};

}  // namespace guideway::xdp
