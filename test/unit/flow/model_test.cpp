// The connection table against a simple model, over a long random life.
#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "flow/table.h"
#include "support/catch.h"

namespace guideway::flow {
namespace {

constexpr std::size_t kBucketEntries = 6;
constexpr Timeouts kTimeouts{.opening = 40, .established = 3000, .closing = 100, .udp = 700};

struct Flow {
  std::uint64_t hash;
  std::uint32_t backend;
  Class state;
  std::uint64_t seen;  // in a time that does not wrap
};

// What the header promises, in the plainest form: lists of flows, and a time of 64 bits.
class Model {
 public:
  explicit Model(std::size_t buckets) : buckets_(buckets) {}

  static bool expired(const Flow& flow, std::uint64_t now) {
    const Tick timeouts[] = {0, kTimeouts.opening, kTimeouts.established, kTimeouts.closing,
                             kTimeouts.udp};
    return now - flow.seen > timeouts[static_cast<std::size_t>(flow.state)];
  }

  std::vector<Flow>& bucket(std::uint64_t hash) { return buckets_[hash % buckets_.size()]; }

  Flow* find(std::uint64_t hash, std::uint64_t now) {
    for (Flow& flow : bucket(hash))
      if (flow.hash == hash && !expired(flow, now)) return &flow;
    return nullptr;
  }

  void sweep(std::uint64_t now, std::size_t buckets) {
    for (; buckets > 0; --buckets, sweep_at_ = (sweep_at_ + 1) % buckets_.size())
      std::erase_if(buckets_[sweep_at_], [&](const Flow& flow) { return expired(flow, now); });
  }

  [[nodiscard]] std::array<std::uint64_t, kClasses> live() const {
    std::array<std::uint64_t, kClasses> result{};
    for (const auto& flows : buckets_)
      for (const Flow& flow : flows) ++result.at(static_cast<std::size_t>(flow.state));
    return result;
  }

 private:
  std::vector<std::vector<Flow>> buckets_;
  std::size_t sweep_at_ = 0;
};

// Table and model side by side; each step is done to both and what they say compared.
class Pair {
 public:
  explicit Pair(std::uint64_t seed)
      : chance_(seed), table_(kBucketEntries * 16, kTimeouts), model_(table_.buckets()) {}

  void step() {
    if (below(20) == 0) now_ += below(4) == 0 ? below(500) : below(8);
    if (below(8) == 0) sweep(below(4));
    // All of it within 2^15 ticks, as the table asks for.
    if (now_ - swept_ > 20'000) sweep(table_.buckets());
    packet((below(20) + 1) << 32 | below(table_.buckets()));
    if (below(16) == 0) compare_gauges();
  }

  [[nodiscard]] std::uint64_t now() const { return now_; }
  std::array<std::uint64_t, 3> insertions{};  // by Table::Insertion
  std::uint64_t hits = 0;
  std::uint64_t expiries = 0;

 private:
  std::uint64_t below(std::uint64_t limit) { return chance_() % limit; }
  [[nodiscard]] Tick tick() const { return static_cast<Tick>(now_); }

  void sweep(std::size_t buckets) {
    table_.sweep(tick(), buckets);
    model_.sweep(now_, buckets);
    if (buckets >= table_.buckets()) swept_ = now_;
  }

  void packet(std::uint64_t hash) {
    const Table::Entry entry = table_.find(hash, tick());
    Flow* const flow = model_.find(hash, now_);
    REQUIRE(static_cast<bool>(entry) == (flow != nullptr));
    if (flow == nullptr) return insert(hash);
    ++hits;
    REQUIRE(entry.backend() == flow->backend);
    REQUIRE(entry.state() == flow->state);
    REQUIRE(entry.age(tick()) == now_ - flow->seen);
    flow->state = static_cast<Class>(1 + below(4));
    flow->seen = now_;
    if (below(10) == 0) {
      flow->backend = static_cast<std::uint32_t>(below(Table::kMaxBackend + 1ULL));
      table_.reassign(entry, flow->backend, flow->state, tick());
    } else {
      table_.refresh(entry, flow->state, tick());
    }
  }

  void insert(std::uint64_t hash) {
    const Flow flow{hash, static_cast<std::uint32_t>(below(1000)),
                    below(3) != 0 ? Class::opening : static_cast<Class>(1 + below(4)), now_};
    const auto before = table_.live();
    const auto result = table_.insert(hash, flow.backend, flow.state, tick());
    ++insertions.at(static_cast<std::size_t>(result));
    std::vector<Flow>& bucket = model_.bucket(hash);
    const bool has_room =
        bucket.size() < kBucketEntries ||
        std::ranges::any_of(bucket, [&](auto& f) { return Model::expired(f, now_); });
    const bool has_opening =
        std::ranges::any_of(bucket, [](auto& f) { return f.state == Class::opening; });
    REQUIRE(result == (has_room      ? Table::Insertion::inserted
                       : has_opening ? Table::Insertion::evicted_opening
                                     : Table::Insertion::full));
    if (result == Table::Insertion::full) return;
    if (result == Table::Insertion::evicted_opening)
      erase_evicted(bucket);
    else
      erase_replaced(bucket, before, flow.state);
    bucket.push_back(flow);
  }

  // The oldest opening flow went; of several as old, the one that is no longer found.
  void erase_evicted(std::vector<Flow>& bucket) {
    std::uint64_t oldest = now_;
    for (const Flow& flow : bucket)
      if (flow.state == Class::opening) oldest = std::min(oldest, flow.seen);
    const auto gone = std::ranges::find_if(bucket, [&](const Flow& flow) {
      return flow.state == Class::opening && flow.seen == oldest && !table_.find(flow.hash, tick());
    });
    REQUIRE(gone != bucket.end());
    bucket.erase(gone);
  }

  // Which entry an insertion took is the table's own affair; the gauges tell of what class it was.
  void erase_replaced(std::vector<Flow>& bucket, std::array<std::uint64_t, kClasses> before,
                      Class inserted) {
    ++before.at(static_cast<std::size_t>(inserted));
    for (std::size_t i = 1; i < kClasses; ++i) {
      if (table_.live().at(i) == before.at(i)) continue;
      REQUIRE(table_.live().at(i) == before.at(i) - 1);
      const auto replaced = std::ranges::find_if(bucket, [&](const Flow& flow) {
        return flow.state == static_cast<Class>(i) && Model::expired(flow, now_);
      });
      REQUIRE(replaced != bucket.end());
      bucket.erase(replaced);
      ++expiries;
      return;
    }
    REQUIRE(bucket.size() < kBucketEntries);
  }

  void compare_gauges() {
    const auto expected = model_.live();
    for (std::size_t i = 1; i < kClasses; ++i) REQUIRE(table_.live().at(i) == expected.at(i));
  }

  std::mt19937_64 chance_;
  Table table_;
  Model model_;
  std::uint64_t now_ = 65'000;
  std::uint64_t swept_ = 65'000;
};

TEST_CASE("over a long random life the table finds, counts and forgets as a plain model does") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Pair pair(seed);
    for (int i = 0; i < 200'000; ++i) pair.step();
    // The life was long and varied enough to mean something.
    CHECK(pair.now() / 65'536 >= 5);
    CHECK(pair.hits > 10'000);
    CHECK(pair.expiries > 1000);
    for (const std::uint64_t count : pair.insertions) CHECK(count > 100);
  }
}

}  // namespace
}  // namespace guideway::flow
