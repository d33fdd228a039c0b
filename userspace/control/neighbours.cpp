#include "control/neighbours.h"

#include <cassert>
#include <cerrno>

namespace guideway::control {
namespace {

using namespace std::chrono_literals;

// Somewhat less than the second between two rounds of asking, so that each round is one. The kernel
// itself sends a request a second while it is at it.
constexpr auto kAskMissing = 900ms;
// Less than the time after which the kernel may forget a stale entry (gc_stale_time, 60 s), and
// rare enough not to be noticed among a network's ARP.
constexpr auto kConfirmStale = 15s;

// Of no address, so that a thousand neighbours that could not be asked for are one problem.
std::string ask_problem(int error) {
  if (error != ENOBUFS)
    return fail_errno("asking the kernel to resolve them", error).error().text();
  return "the kernel's table is full (raise net.ipv4.neigh.default.gc_thresh2 and gc_thresh3)";
}

}  // namespace

void Neighbours::reset(const std::vector<netlink::Neighbour>& table) {
  table_.clear();
  for (const netlink::Neighbour& neighbour : table)
    table_[{neighbour.device, neighbour.address}] = neighbour;
}

bool Neighbours::learn(const netlink::Neighbour& neighbour) {
  const Key key{neighbour.device, neighbour.address};
  table_[key] = neighbour;
  return needed_.contains(key);
}

bool Neighbours::forget(const Key& key) {
  table_.erase(key);
  const auto needed = needed_.find(key);
  if (needed == needed_.end()) return false;
  // Not when we only just asked: a kernel whose table is full forgets as fast as it is asked.
  if (Clock::now() >= needed->second.ask_next_at) ask(key, needed->second);
  return true;
}

void Neighbours::need(const std::vector<Key>& keys) {
  std::map<Key, Needed> needed;
  for (const Key& key : keys)
    if (auto known = needed_.extract(key))
      needed.insert(std::move(known));
    else
      needed.try_emplace(key);
  needed_ = std::move(needed);
}

bool Neighbours::ask_due() {
  const auto now = Clock::now();
  std::string problem;
  bool any_asked = false;
  bool any_answered = false;
  // A full table ends a round. The next one begins there, so that each has its turn.
  auto next = needed_.lower_bound(ask_first_);
  ask_first_ = {};
  for (std::size_t i = 0; i < needed_.size(); ++i, ++next) {
    if (next == needed_.end()) next = needed_.begin();
    auto& [key, needed] = *next;
    const auto known = table_.find(key);
    const bool is_new = known == table_.end();
    if (!is_new && known->second.confirmed()) continue;
    const bool is_usable = !is_new && known->second.usable();
    if (now < (is_usable ? needed.confirm_next_at : needed.ask_next_at)) continue;
    const int error = ask(key, needed);
    any_asked = true;
    any_answered |= is_new && table_.contains(key);
    if (error != 0) problem = ask_problem(error);
    if (error == ENOBUFS) {
      ask_first_ = key;
      break;
    }
  }
  if (any_asked) complaint_.set(problem);
  return any_answered;
}

// Has the kernel resolve or confirm a neighbour. Returns 0 or an errno.
int Neighbours::ask(const Key& key, Needed& needed) {
  const auto [device, address] = key;
  const auto now = Clock::now();
  needed.ask_next_at = now + kAskMissing;
  needed.confirm_next_at = now + kConfirmStale;
  const bool is_new = !table_.contains(key);
  int error = requests_.resolve(device, address, is_new);
  if (!is_new || (error != 0 && error != EEXIST)) return error;
  // A new entry is not announced before its state changes, and that of a device without ARP has its
  // address from the start.
  const auto entry = requests_.neighbour(device, address);
  if (!entry || !*entry) return 0;
  learn(**entry);
  if (error == EEXIST && !(*entry)->confirmed()) return requests_.resolve(device, address, false);
  return 0;
}

Neighbours::Answer Neighbours::find(const Key& key) {
  const auto found = needed_.find(key);
  assert(found != needed_.end());
  Needed& needed = found->second;
  const auto known = table_.find(key);
  if (known != table_.end() && known->second.usable()) {
    needed.failed = false;
    return {.state = State::usable, .mac = known->second.mac};
  }
  // Failed until it answers: neither being asked again nor being forgotten by the kernel is news.
  needed.failed |= known != table_.end() && known->second.failed();
  return {.state = needed.failed ? State::failed : State::resolving, .mac = {}};
}

}  // namespace guideway::control
