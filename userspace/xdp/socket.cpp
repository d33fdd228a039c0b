#include "xdp/socket.h"

#include <linux/if_xdp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <thread>

#include "xdp/driver_support.h"

namespace guideway::xdp {
namespace {

// Younger than some of the headers that this is built with.
constexpr int kXdpMaxTxSkbBudget = 9;  // XDP_MAX_TX_SKB_BUDGET
constexpr int kSoPreferBusyPoll = 69, kSoBusyPollBudget = 70;

constexpr auto kBindPatience = std::chrono::seconds(5);
constexpr auto kBindPause = std::chrono::milliseconds(20);

// Copy mode sends at most 32 frames a call, so that a batch of 64 takes two; one more for what an
// earlier call has left. The kernel may say "again" without having sent anything: then it has no
// memory for the socket, and asking at once would not help.
constexpr int kFlushCalls = 4;

std::string bind_hint(int error, BindMode mode, const Nic& nic) {
  switch (error) {
    case EPERM:
    case EACCES: return "run as root, or with CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON";
    case EBUSY: return "another socket has this queue: ss --xdp, or: bpftool net";
    case ENETDOWN: return "ip link set dev " + nic.name + " up";
    case ENOBUFS: return "locked memory is limited: LimitMEMLOCK=infinity, or ulimit -l unlimited";
    case EOPNOTSUPP:
    case EINVAL:
    case ENOENT: return mode == BindMode::zero_copy ? "set mode: auto or copy" : "";
    default: return {};
  }
}

// Of a driver that refuses zero-copy: since when it has it, or what it wants for it.
std::string refused_because(int error, BindMode mode, const Nic& nic) {
  if (mode != BindMode::zero_copy) return {};
  std::string why;
  if (error == EOPNOTSUPP || error == EINVAL || error == ENOENT)
    why = why_no_zero_copy(nic.driver, running_kernel());
  return why.empty() ? why : ": " + why;
}

// Optional: without it the kernel sends 32 frames a system call in copy mode.
void raise_transmit_budget(int fd, std::uint32_t ring) {
  const int budget = static_cast<int>(ring < 256 ? ring : 256);
  (void)::setsockopt(fd, SOL_XDP, kXdpMaxTxSkbBudget, &budget, sizeof budget);
}

Result<> prefer_busy_poll(int fd) {
  const int on = 1, microseconds = 20, budget = 64;
  if (::setsockopt(fd, SOL_SOCKET, kSoPreferBusyPoll, &on, sizeof on) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &microseconds, sizeof microseconds) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, kSoBusyPollBudget, &budget, sizeof budget) != 0)
    return fail_errno("switching busy polling on", errno, "set busy_poll: false");
  return {};
}

// The indices are memory that this process shares with the kernel, written by the worker or the
// kernel as atomic values; all else in a ring is the worker's.
template <class Ring>
RingLevel level(const Ring& ring) {
  const std::uint32_t taken = __atomic_load_n(ring.consumer, __ATOMIC_RELAXED);
  const std::uint32_t put = __atomic_load_n(ring.producer, __ATOMIC_RELAXED);
  // What came and went between the two readings is not there twice.
  return {.entries = std::min(put - taken, ring.size), .size = ring.size};
}

}  // namespace

// libxdp does not set all members of the rings: they start as zero.
struct Socket::Rings {
  xsk_ring_prod fill{}, transmit{};
  xsk_ring_cons completion{}, receive{};
  xsk_umem* umem = nullptr;
  xsk_socket* socket = nullptr;

  ~Rings() {
    if (socket != nullptr) xsk_socket__delete(socket);
    if (umem != nullptr) xsk_umem__delete(umem);
  }
};

Socket::Socket(std::uint32_t queue, FrameMemory memory)
    : queue_(queue), memory_(std::move(memory)), ledger_(memory_.frames(), memory_.frame_bytes()) {}

Socket::~Socket() = default;

Result<> Socket::create(const Nic& nic, BindMode mode, const SocketOptions& options) {
  rings_ = std::make_unique<Rings>();
  ledger_ = FrameLedger(memory_.frames(), memory_.frame_bytes());
  const xsk_umem_config umem_config{.fill_size = options.frames,
                                    .comp_size = options.frames,
                                    .frame_size = options.frame_bytes,
                                    .frame_headroom = 0,
                                    .flags = 0};
  if (const int error = xsk_umem__create(&rings_->umem, memory_.at(0), memory_.bytes(),
                                         &rings_->fill, &rings_->completion, &umem_config);
      error != 0)
    return fail_errno("registering frames with the kernel", -error, bind_hint(-error, mode, nic));
  fill_all();

  xsk_socket_config config{};
  config.rx_size = options.ring;
  config.tx_size = options.ring;
  config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;  // the program is ours: steering.h
  config.bind_flags = static_cast<__u16>(XDP_USE_NEED_WAKEUP |
                                         (mode == BindMode::zero_copy ? XDP_ZEROCOPY : XDP_COPY));
  if (const int error = xsk_socket__create(&rings_->socket, nic.name.c_str(), queue_, rings_->umem,
                                           &rings_->receive, &rings_->transmit, &config);
      error != 0) {
    rings_->socket = nullptr;
    return std::unexpected(Error{std::strerror(-error) + refused_because(-error, mode, nic),
                                 bind_hint(-error, mode, nic), -error});
  }
  return {};
}

Result<std::unique_ptr<Socket>> Socket::open(const Nic& nic, std::uint32_t queue, BindMode mode,
                                             const SocketOptions& options) {
  const std::string doing = "opening a socket on " + nic.name + " queue " + std::to_string(queue) +
                            " in " + std::string(name(mode)) + " mode";
  auto memory = FrameMemory::map(options.frames, options.frame_bytes);
  if (!memory) return std::unexpected(std::move(memory).error().within(doing));
  std::unique_ptr<Socket> socket(new Socket(queue, std::move(*memory)));

  const auto give_up = std::chrono::steady_clock::now() + kBindPatience;
  for (bool told = false;; told = true) {
    auto created = socket->create(nic, mode, options);
    if (created) break;
    if (created.error().number != EBUSY || std::chrono::steady_clock::now() >= give_up)
      return std::unexpected(std::move(created).error().within(doing));
    if (!told) spdlog::info("{}: busy, trying again for up to {} s", doing, kBindPatience.count());
    std::this_thread::sleep_for(kBindPause);
  }

  xdp_options obtained{};
  socklen_t size = sizeof obtained;
  if (::getsockopt(socket->fd(), SOL_XDP, XDP_OPTIONS, &obtained, &size) != 0)
    return fail_errno(doing + ": reading back the mode", errno);
  socket->mode_ =
      (obtained.flags & XDP_OPTIONS_ZEROCOPY) != 0 ? BindMode::zero_copy : BindMode::copy;
  if (socket->mode_ != mode)
    return fail(doing + ": the kernel gave " + std::string(name(socket->mode_)) + " mode instead");
  raise_transmit_budget(socket->fd(), options.ring);
  if (options.busy_poll) {
    if (auto done = prefer_busy_poll(socket->fd()); !done)
      return std::unexpected(std::move(done).error().within(doing));
    socket->prefers_polling_ = true;
    socket->interface_ = nic.name;
  }
  return socket;
}

int Socket::fd() const { return xsk_socket__fd(rings_->socket); }
std::uint32_t Socket::queue() const { return queue_; }
BindMode Socket::mode() const { return mode_; }
std::byte* Socket::data(std::uint64_t address) const { return memory_.at(address); }
std::uint32_t Socket::headroom(std::uint64_t address) const { return memory_.headroom(address); }

void Socket::fill_all() {
  std::uint32_t at = 0;
  [[maybe_unused]] const auto room = xsk_ring_prod__reserve(&rings_->fill, memory_.frames(), &at);
  assert(room == memory_.frames());
  for (std::uint32_t frame = 0; frame < memory_.frames(); ++frame) {
    const std::uint64_t address = std::uint64_t{frame} * memory_.frame_bytes();
    ledger_.move(address, Holder::worker, Holder::fill_to_receive);
    *xsk_ring_prod__fill_addr(&rings_->fill, at + frame) = address;
  }
  xsk_ring_prod__submit(&rings_->fill, memory_.frames());
}

std::size_t Socket::receive(std::span<Descriptor> out) {
  std::uint32_t at = 0;
  const auto count =
      xsk_ring_cons__peek(&rings_->receive, static_cast<std::uint32_t>(out.size()), &at);
  for (std::uint32_t i = 0; i < count; ++i) {
    const xdp_desc* received = xsk_ring_cons__rx_desc(&rings_->receive, at + i);
    ledger_.move(received->addr, Holder::fill_to_receive, Holder::worker);
    out[i] = {received->addr, received->len};
  }
  if (count > 0) xsk_ring_cons__release(&rings_->receive, count);
  return count;
}

std::size_t Socket::transmit_room() {
  return xsk_prod_nb_free(&rings_->transmit, rings_->transmit.size);
}

void Socket::transmit(std::span<const Descriptor> frames) {
  const auto count = static_cast<std::uint32_t>(frames.size());
  std::uint32_t at = 0;
  [[maybe_unused]] const auto room = xsk_ring_prod__reserve(&rings_->transmit, count, &at);
  assert(room == count);
  for (std::uint32_t i = 0; i < count; ++i) {
    ledger_.move(frames[i].address, Holder::worker, Holder::transmit_to_completion);
    *xsk_ring_prod__tx_desc(&rings_->transmit, at + i) = {
        .addr = frames[i].address, .len = frames[i].bytes, .options = 0};
  }
  xsk_ring_prod__submit(&rings_->transmit, count);
}

void Socket::recycle(std::span<const Descriptor> frames) {
  const auto count = static_cast<std::uint32_t>(frames.size());
  std::uint32_t at = 0;
  [[maybe_unused]] const auto room = xsk_ring_prod__reserve(&rings_->fill, count, &at);
  assert(room == count);
  for (std::uint32_t i = 0; i < count; ++i) {
    ledger_.move(frames[i].address, Holder::worker, Holder::fill_to_receive);
    *xsk_ring_prod__fill_addr(&rings_->fill, at + i) = memory_.frame_start(frames[i].address);
  }
  xsk_ring_prod__submit(&rings_->fill, count);
}

std::size_t Socket::reclaim() {
  std::uint32_t from = 0, to = 0;
  const auto count = xsk_ring_cons__peek(&rings_->completion, memory_.frames(), &from);
  if (count == 0) return 0;
  [[maybe_unused]] const auto room = xsk_ring_prod__reserve(&rings_->fill, count, &to);
  assert(room == count);
  for (std::uint32_t i = 0; i < count; ++i) {
    // What comes back is the address that was sent, not the start of its frame.
    const std::uint64_t address = *xsk_ring_cons__comp_addr(&rings_->completion, from + i);
    ledger_.move(address, Holder::transmit_to_completion, Holder::fill_to_receive);
    *xsk_ring_prod__fill_addr(&rings_->fill, to + i) = memory_.frame_start(address);
  }
  xsk_ring_cons__release(&rings_->completion, count);
  xsk_ring_prod__submit(&rings_->fill, count);
  return count;
}

bool Socket::transmit_pending() { return transmit_room() < rings_->transmit.size; }

Socket::Flushed Socket::flush() {
  Flushed flushed;
  const int calls = mode_ == BindMode::zero_copy ? 1 : kFlushCalls;
  for (int call = 0; call < calls && transmit_pending(); ++call) {
    if (xsk_ring_prod__needs_wakeup(&rings_->transmit) == 0) break;
    const std::size_t room = transmit_room();
    ++flushed.calls;
    if (::sendto(fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0) continue;
    if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS) {
      ++flushed.errors;
      break;
    }
    ++flushed.busy;
    if (transmit_room() == room) break;
  }
  if (prefers_polling_ && mode_ == BindMode::zero_copy) watch_polling();
  return flushed;
}

void Socket::watch_polling() {
  const std::uint32_t taken = __atomic_load_n(rings_->transmit.consumer, __ATOMIC_RELAXED);
  if (!watch_.stands_still(taken, transmit_pending(), PollingWatch::Clock::now())) return;
  if (!has_carrier(interface_)) return;  // nobody could send
  const int off = 0;
  (void)::setsockopt(fd(), SOL_SOCKET, kSoPreferBusyPoll, &off, sizeof off);
  prefers_polling_ = false;
  polls_receiving_only_.store(true, std::memory_order_relaxed);
}

void Socket::wake_receive() {
  if (xsk_ring_prod__needs_wakeup(&rings_->fill) != 0) poll_nic();
}

void Socket::poll_nic() { (void)::recvfrom(fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr); }

std::array<std::uint64_t, kSocketStatisticNames.size()> Socket::statistics() const {
  xdp_statistics numbers{};
  socklen_t size = sizeof numbers;
  if (::getsockopt(fd(), SOL_XDP, XDP_STATISTICS, &numbers, &size) != 0) return {};
  return {numbers.rx_dropped,   numbers.rx_invalid_descs,         numbers.tx_invalid_descs,
          numbers.rx_ring_full, numbers.rx_fill_ring_empty_descs, numbers.tx_ring_empty_descs};
}

std::array<RingLevel, kRingNames.size()> Socket::rings() const {
  return {level(rings_->fill), level(rings_->receive), level(rings_->transmit),
          level(rings_->completion)};
}

}  // namespace guideway::xdp
