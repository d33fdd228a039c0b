// Bytes for tests: hex text to bytes and back, and bytes that end where the memory ends.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace guideway::test {

using Bytes = std::vector<std::byte>;

[[nodiscard]] inline Bytes from_hex(std::string_view hex) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    throw std::invalid_argument("not a hex digit");
  };
  if (hex.size() % 2 != 0) throw std::invalid_argument("half a byte");
  Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return bytes;
}

[[nodiscard]] inline std::string to_hex(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 0x0f];
  }
  return text;
}

// Memory between two pages that may not be touched: whoever reads or writes a byte before or behind
// it dies, sanitizer or not.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t bytes)
      : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        size_((bytes + page_ - 1) / page_ * page_) {
    void* memory =
        ::mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    all_ = static_cast<std::byte*>(memory);
    if (::mprotect(all_ + page_, size_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory() { ::munmap(all_, size_ + 2 * page_); }

  // A copy of `bytes` whose last byte is the last one that may be read.
  [[nodiscard]] std::span<std::byte> at_end(std::span<const std::byte> bytes) {
    return copy(bytes, all_ + page_ + size_ - bytes.size());
  }
  // A copy of `bytes` with exactly `headroom` bytes before it that may be written.
  [[nodiscard]] std::span<std::byte> at_start(std::span<const std::byte> bytes,
                                              std::size_t headroom) {
    return copy(bytes, all_ + page_ + headroom);
  }

 private:
  static std::span<std::byte> copy(std::span<const std::byte> bytes, std::byte* to) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return {to, bytes.size()};
  }

  std::size_t page_;
  std::size_t size_;
  std::byte* all_ = nullptr;
};

}  // namespace guideway::test
