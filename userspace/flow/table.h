// The connection table of one worker: which backend a flow was given.
//
// It remembers so that a flow stays where it is when the Maglev table changes. It is a cache, not
// the truth: a flow that finds no room is forwarded by the Maglev table all the same.
//
// Memory is fixed: buckets of six entries, one cache line each, allocated at construction. A flow
// is known by its 64-bit hash: the low bits choose the bucket, the upper 32 are the tag. Two flows
// that share both (about one in 10^15 pairs with a million entries) share an entry; the caller
// checks that the backend serves what the packet asks for.
//
// Beside them lie the flows' keys, in memory of their own: written once for each flow, read only
// when somebody wants to see the flows (visit()). No packet waits for them.
//
// Owns: its memory. Threads: one, the worker's; nothing in here is synchronised.
// Units: Tick is seconds, of any clock that does not go back; it may wrap.
// Invariants:
//   1. A hash is in at most one entry, and only in its own bucket.
//   2. Only an expired entry, or one in class `opening`, is ever replaced by another flow: a flood
//   of
//      new flows cannot push out one of which a second packet was seen.
//   3. sweep() passes over the table within 2^16 ticks less the longest time-out, or an entry whose
//      time has long come would look young again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "bpf/abi.h"

namespace guideway::flow {

using Tick = std::uint16_t;
inline constexpr Tick kMaxTimeout = 32'400;  // 9 hours: half of what a Tick can tell apart

// What is known of a flow, and so how long it is kept. Only the client's half is seen.
enum class Class : std::uint8_t {
  empty,        // no entry
  opening,      // one packet so far, or only SYNs
  established,  // TCP, and packets came after the first
  closing,      // TCP, FIN or RST seen
  udp,          // UDP, and packets came after the first
};
inline constexpr std::size_t kClasses = 5;
[[nodiscard]] std::string_view name(Class state);  // "established"

struct Timeouts {
  Tick opening = 10;
  Tick established = 900;
  Tick closing = 30;
  Tick udp = 120;
};

// The class of a flow after a packet: `before` is `empty` for its first.
[[nodiscard]] Class next_class(Class before, bool is_tcp, std::uint8_t tcp_flags);

class Table {
  static constexpr std::size_t kEntries = 6;
  struct alignas(64) Bucket {
    std::array<std::uint32_t, kEntries> tag;
    std::array<std::uint32_t, kEntries> value;  // class in the upper 4 bits, backend below
    std::array<Tick, kEntries> seen;
    std::array<std::uint16_t, 2> unused;
  };
  static_assert(sizeof(Bucket) == 64, "one cache line a bucket");

 public:
  static constexpr std::uint32_t kMaxBackend = (1U << 28) - 1;

  // A found entry. Valid until the next call that is not const.
  class Entry {
   public:
    explicit operator bool() const { return bucket_ != nullptr; }
    [[nodiscard]] std::uint32_t backend() const { return bucket_->value[index_] & kMaxBackend; }
    [[nodiscard]] Class state() const { return static_cast<Class>(bucket_->value[index_] >> 28); }
    // Ticks since the flow's last packet.
    [[nodiscard]] Tick age(Tick now) const {
      return static_cast<Tick>(now - bucket_->seen[index_]);
    }

   private:
    friend class Table;
    Bucket* bucket_ = nullptr;
    std::size_t index_ = 0;
  };

  enum class Insertion : std::uint8_t {
    inserted,         // into a free or an expired entry
    evicted_opening,  // the oldest opening entry of the bucket made room
    full,             // all entries of the bucket are of flows that live
  };

  // Room for at least `entries` flows (rounded up to a power of two of buckets).
  Table(std::size_t entries, Timeouts timeouts);
  Table(Table&&) noexcept = default;
  Table& operator=(Table&&) noexcept = default;

  // Brings the bucket of `hash` towards the cache.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&bucket(hash), 1); }

  // The live entry of `hash`, or one that is false.
  [[nodiscard]] Entry find(std::uint64_t hash, Tick now) const;

  // A packet of the flow was seen: the entry is in `state` from now on.
  void refresh(Entry entry, Class state, Tick now);

  // Gives the entry to another backend.
  void reassign(Entry entry, std::uint32_t backend, Class state, Tick now);

  // Remembers a flow. REQUIRES: find(hash) found nothing; backend <= kMaxBackend; state not empty.
  // `fresh` is the entry, unless `full`: whose key is to be set before anybody visits it. The
  // memory of the key is on its way to the cache then: to set it later, when other packets have
  // been worked on, spares the waiting.
  Insertion insert(std::uint64_t hash, std::uint32_t backend, Class state, Tick now, Entry& fresh);
  Insertion insert(std::uint64_t hash, std::uint32_t backend, Class state, Tick now) {
    Entry fresh;
    return insert(hash, backend, state, now, fresh);
  }
  void set_key(Entry entry, const gw_flow_key& key) { key_of(entry) = key; }

  // Calls `visitor(key, entry)` for each live flow of one bucket. REQUIRES: bucket < buckets().
  template <class Visitor>
  void visit(std::size_t bucket, Tick now, Visitor&& visitor) const {
    Bucket& visited = buckets_[bucket];
    for (std::size_t i = 0; i < kEntries; ++i) {
      if (visited.value[i] >> 28 == 0 || expired(visited, i, now)) continue;
      Entry entry;
      entry.bucket_ = &visited;
      entry.index_ = i;
      visitor(keys_[bucket * kEntries + i], entry);
    }
  }

  // Frees what has expired in the next `buckets` buckets, round and round.
  void sweep(Tick now, std::size_t buckets);

  // Bytes that a table for `entries` flows takes, keys included.
  [[nodiscard]] static std::size_t bytes_for(std::size_t entries);

  [[nodiscard]] std::size_t capacity() const { return (mask_ + 1) * kEntries; }
  [[nodiscard]] std::size_t buckets() const { return mask_ + 1; }
  // Entries by class, expired ones that were not swept yet included. [0] is of no meaning.
  [[nodiscard]] const std::array<std::uint64_t, kClasses>& live() const { return live_; }

 private:
  [[nodiscard]] gw_flow_key& key_of(Entry entry) const {
    return keys_[static_cast<std::size_t>(entry.bucket_ - buckets_.get()) * kEntries +
                 entry.index_];
  }
  struct Free {
    void operator()(void* memory) const;
  };
  template <class T>
  using Memory = std::unique_ptr<T[], Free>;

  [[nodiscard]] Bucket& bucket(std::uint64_t hash) const { return buckets_[hash & mask_]; }
  [[nodiscard]] bool expired(const Bucket& bucket, std::size_t index, Tick now) const;
  void write(Bucket& bucket, std::size_t index, std::uint32_t backend, Class state, Tick now);

  std::array<Tick, kClasses> timeout_;
  std::size_t mask_;
  Memory<Bucket> buckets_;
  Memory<gw_flow_key> keys_;  // kEntries for each bucket
  std::size_t sweep_at_ = 0;
  std::array<std::uint64_t, kClasses> live_{};
};

}  // namespace guideway::flow
