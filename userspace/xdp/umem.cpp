#include "xdp/umem.h"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <utility>

namespace guideway::xdp {

Result<FrameMemory> FrameMemory::map(std::uint32_t frames, std::uint32_t frame_bytes) {
  assert((frame_bytes == 2048 || frame_bytes == 4096) && std::has_single_bit(frames));
  const std::size_t bytes = std::size_t{frames} * frame_bytes;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail_errno("allocating " + std::to_string(bytes >> 20) + " MiB for frames", errno,
                      "set a lower number of frames for the interface");
  (void)::madvise(memory, bytes, MADV_HUGEPAGE);  // advice: small pages do as well
  return FrameMemory(static_cast<std::byte*>(memory), frames, frame_bytes);
}

FrameMemory::FrameMemory(FrameMemory&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)),
      frames_(other.frames_),
      frame_bytes_(other.frame_bytes_) {}

FrameMemory& FrameMemory::operator=(FrameMemory&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(frames_, other.frames_);
  std::swap(frame_bytes_, other.frame_bytes_);
  return *this;
}

FrameMemory::~FrameMemory() {
  if (start_ != nullptr) ::munmap(start_, bytes());
}

}  // namespace guideway::xdp
