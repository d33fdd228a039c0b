#include "flow/table.h"

#include <sys/mman.h>

#include <bit>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

#include "net/wire.h"  // TCP flags

namespace guideway::flow {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

Class class_of(std::uint32_t value) { return static_cast<Class>(value >> 28); }
std::size_t index_of(Class state) { return static_cast<std::size_t>(state); }

std::size_t rounded(std::size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }

void* zeroed(std::size_t bytes) {
  bytes = rounded(bytes);
  void* memory = std::aligned_alloc(kHugePage, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  // A random bucket of a large table misses the TLB with small pages. Only advice: it may fail.
  (void)::madvise(memory, bytes, MADV_HUGEPAGE);
  std::memset(memory, 0, bytes);
  return memory;
}

}  // namespace

std::string_view name(Class state) {
  constexpr std::array<std::string_view, kClasses> kNames = {"empty", "opening", "established",
                                                             "closing", "udp"};
  return kNames[index_of(state)];
}

Class next_class(Class before, bool is_tcp, std::uint8_t tcp_flags) {
  if (!is_tcp) return before == Class::empty ? Class::opening : Class::udp;
  if (before == Class::empty) return Class::opening;  // a FIN, too, can be forged
  if ((tcp_flags & (kTcpFin | kTcpRst)) != 0) return Class::closing;
  if ((tcp_flags & kTcpSyn) != 0)
    return before == Class::established ? Class::established : Class::opening;
  // A half-closed connection may go on for long; its acknowledgments keep it alive as it is.
  return before == Class::closing ? Class::closing : Class::established;
}

void Table::Free::operator()(void* memory) const { std::free(memory); }

Table::Table(std::size_t entries, Timeouts timeouts)
    : timeout_{0, timeouts.opening, timeouts.established, timeouts.closing, timeouts.udp},
      mask_(std::bit_ceil((entries + kEntries - 1) / kEntries) - 1) {
  buckets_.reset(static_cast<Bucket*>(zeroed((mask_ + 1) * sizeof(Bucket))));
  keys_.reset(static_cast<gw_flow_key*>(zeroed(capacity() * sizeof(gw_flow_key))));
}

std::size_t Table::bytes_for(std::size_t entries) {
  const std::size_t buckets = std::bit_ceil((entries + kEntries - 1) / kEntries);
  return rounded(buckets * sizeof(Bucket)) + rounded(buckets * kEntries * sizeof(gw_flow_key));
}

bool Table::expired(const Bucket& bucket, std::size_t index, Tick now) const {
  const auto age = static_cast<Tick>(now - bucket.seen[index]);
  return age > timeout_[index_of(class_of(bucket.value[index]))];
}

Table::Entry Table::find(std::uint64_t hash, Tick now) const {
  Bucket& home = bucket(hash);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  Entry entry;
  for (std::size_t i = 0; i < kEntries; ++i) {
    if (home.tag[i] != tag || class_of(home.value[i]) == Class::empty || expired(home, i, now))
      continue;
    entry.bucket_ = &home;
    entry.index_ = i;
    break;
  }
  return entry;
}

void Table::write(Bucket& bucket, std::size_t index, std::uint32_t backend, Class state, Tick now) {
  const Class before = class_of(bucket.value[index]);
  if (before != state) {
    --live_[index_of(before)];
    ++live_[index_of(state)];
  }
  bucket.value[index] = static_cast<std::uint32_t>(state) << 28 | backend;
  bucket.seen[index] = now;
}

void Table::refresh(Entry entry, Class state, Tick now) {
  // Most packets change nothing: the line stays clean.
  if (entry.state() == state && entry.age(now) == 0) return;
  write(*entry.bucket_, entry.index_, entry.backend(), state, now);
}

void Table::reassign(Entry entry, std::uint32_t backend, Class state, Tick now) {
  assert(backend <= kMaxBackend);
  write(*entry.bucket_, entry.index_, backend, state, now);
}

Table::Insertion Table::insert(std::uint64_t hash, std::uint32_t backend, Class state, Tick now,
                               Entry& fresh) {
  assert(backend <= kMaxBackend && state != Class::empty && !find(hash, now));
  Bucket& home = bucket(hash);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  const auto put = [&](std::size_t index) {
    home.tag[index] = tag;
    fresh.bucket_ = &home;
    fresh.index_ = index;
    __builtin_prefetch(&key_of(fresh), 1);
    write(home, index, backend, state, now);
  };
  std::size_t oldest_opening = kEntries;
  Tick oldest_age = 0;
  for (std::size_t i = 0; i < kEntries; ++i) {
    const Class occupant = class_of(home.value[i]);
    if (occupant == Class::empty || expired(home, i, now)) {
      put(i);
      return Insertion::inserted;
    }
    const auto age = static_cast<Tick>(now - home.seen[i]);
    if (occupant == Class::opening && (oldest_opening == kEntries || age > oldest_age)) {
      oldest_opening = i;
      oldest_age = age;
    }
  }
  if (oldest_opening == kEntries) return Insertion::full;
  put(oldest_opening);
  return Insertion::evicted_opening;
}

void Table::sweep(Tick now, std::size_t buckets) {
  for (; buckets > 0; --buckets) {
    Bucket& bucket = buckets_[sweep_at_];
    for (std::size_t i = 0; i < kEntries; ++i)
      if (class_of(bucket.value[i]) != Class::empty && expired(bucket, i, now))
        write(bucket, i, 0, Class::empty, now);
    sweep_at_ = (sweep_at_ + 1) & mask_;
  }
}

}  // namespace guideway::flow
