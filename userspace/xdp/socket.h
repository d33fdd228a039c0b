// One AF_XDP socket: one receive queue of one interface, its UMEM and the four rings
// (Documentation/networking/af_xdp.rst). umem.h has the figure of who has a frame when.
//
// Threads: open(), statistics() and rings() on the control thread; all else on one thread, the
// worker's.
// Owns: the socket, its rings, its frames.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "xdp/nic.h"
#include "xdp/polling_watch.h"
#include "xdp/umem.h"

namespace guideway::xdp {

struct SocketOptions {
  std::uint32_t frames = 4096;       // a power of two
  std::uint32_t frame_bytes = 2048;  // 2048 or 4096
  std::uint32_t ring = 2048;         // RX and TX descriptors; a power of two, at most `frames`
  bool busy_poll = false;            // SO_BUSY_POLL: the worker drives the NIC's NAPI itself
};

// A frame that was received or is to be sent: its place in the UMEM.
struct Descriptor {
  std::uint64_t address = 0;
  std::uint32_t bytes = 0;
};

// How full one of the four rings is, of umem.h's figure. FILL: frames that the kernel may receive
// into. RX: received, for the worker to take. TX: for the kernel to send. COMPLETION: sent, for the
// worker to take back. A driver in zero-copy mode takes frames ahead of time, into rings of its
// own.
struct RingLevel {
  std::uint32_t entries = 0;
  std::uint32_t size = 0;
};
inline constexpr auto kRingNames =
    std::to_array<std::string_view>({"fill", "receive", "transmit", "completion"});

// struct xdp_statistics, with names.
inline constexpr auto kSocketStatisticNames = std::to_array<std::string_view>(
    {"rx_dropped", "rx_invalid_descs", "tx_invalid_descs", "rx_ring_full",
     "rx_fill_ring_empty_descs", "tx_ring_empty_descs"});

class Socket {
 public:
  // Makes the UMEM, gives all its frames to the FILL ring and binds to `queue` in `mode`, no other:
  // what was obtained is read back from the kernel. A queue that is still busy, as the kernel frees
  // the socket of a process that has just ended only after a while, is tried again for up to 5 s.
  [[nodiscard]] static Result<std::unique_ptr<Socket>> open(const Nic& nic, std::uint32_t queue,
                                                            BindMode mode,
                                                            const SocketOptions& options);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int fd() const;
  [[nodiscard]] std::uint32_t queue() const;
  [[nodiscard]] BindMode mode() const;  // XDP_OPTIONS

  [[nodiscard]] std::byte* data(std::uint64_t address) const;
  // Writable bytes of the frame before `address`.
  [[nodiscard]] std::uint32_t headroom(std::uint64_t address) const;

  // Takes up to out.size() frames from the RX ring; how many. They are the caller's until they go
  // to transmit() or recycle().
  std::size_t receive(std::span<Descriptor> out);

  // Frames that the TX ring has room for.
  [[nodiscard]] std::size_t transmit_room();
  // Puts frames into the TX ring. REQUIRES: no more than transmit_room(). The kernel may have to be
  // told: flush().
  void transmit(std::span<const Descriptor> frames);

  // Gives frames back without sending them: to the FILL ring. Any address within the frame.
  void recycle(std::span<const Descriptor> frames);

  // Takes frames that were sent from the COMPLETION ring and gives them to the FILL ring; how many.
  std::size_t reclaim();

  struct Flushed {
    std::uint32_t calls = 0;   // system calls made
    std::uint32_t busy = 0;    // of these, told to come again
    std::uint32_t errors = 0;  // of these, failed otherwise
  };
  // Makes the kernel send what is in the TX ring, as far as it needs telling. Does not wait. In
  // copy mode the calls send; with zero-copy one call has the driver look at the ring, which it
  // does later.
  Flushed flush();
  // Whether busy polling was found to receive only. It drives one NAPI, that of the receive queue,
  // and as long as the socket prefers it (SO_PREFER_BUSY_POLL) the kernel takes no wake-up for
  // another. Where a driver sends by a NAPI apart (virtio_net; igb with few queues), nothing would
  // be sent with zero-copy: flush() sees that, and gives up the preference. Any thread.
  [[nodiscard]] bool polls_receiving_only() const {
    return polls_receiving_only_.load(std::memory_order_relaxed);
  }
  // Whether the TX ring still holds frames that the kernel has not taken.
  [[nodiscard]] bool transmit_pending();

  // Tells the kernel that the FILL ring has frames again, if it asked for that.
  void wake_receive();
  // Runs the NIC's NAPI from this thread (busy polling).
  void poll_nic();

  // By kSocketStatisticNames.
  [[nodiscard]] std::array<std::uint64_t, kSocketStatisticNames.size()> statistics() const;

  // By kRingNames; each right at its moment, the four not of one.
  [[nodiscard]] std::array<RingLevel, kRingNames.size()> rings() const;

 private:
  struct Rings;
  Socket(std::uint32_t queue, FrameMemory memory);
  [[nodiscard]] Result<> create(const Nic& nic, BindMode mode, const SocketOptions& options);
  void fill_all();
  void watch_polling();

  std::uint32_t queue_;
  BindMode mode_ = BindMode::copy;
  bool prefers_polling_ = false;
  std::string interface_;
  PollingWatch watch_;
  std::atomic<bool> polls_receiving_only_ = false;
  FrameMemory memory_;
  FrameLedger ledger_;
  std::unique_ptr<Rings> rings_;
};

}  // namespace guideway::xdp
