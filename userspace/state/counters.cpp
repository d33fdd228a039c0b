#include "state/counters.h"

#include <numeric>

namespace guideway {

std::uint64_t WorkerTotals::dropped() const {
  return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
}

std::int64_t WorkerTotals::in_flight() const {
  return static_cast<std::int64_t>(received - transmitted - dropped());
}

WorkerTotals& WorkerTotals::operator+=(const WorkerTotals& other) {
#define GUIDEWAY_WORKER_COUNTER_ADD(name) name += other.name;
  GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_WORKER_COUNTER_ADD)
#undef GUIDEWAY_WORKER_COUNTER_ADD
  for (std::size_t i = 0; i < kDropReasons; ++i) drops[i] += other.drops[i];
  return *this;
}

WorkerTotals read(const WorkerCounters& counters) {
  WorkerTotals totals;
#define GUIDEWAY_WORKER_COUNTER_READ(name) totals.name = counters.name.get();
  GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_WORKER_COUNTER_READ)
#undef GUIDEWAY_WORKER_COUNTER_READ
  for (std::size_t i = 0; i < kDropReasons; ++i) totals.drops[i] = counters.drops[i].get();
  return totals;
}

}  // namespace guideway
