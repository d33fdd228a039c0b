// The neighbours that next hops need: their MAC addresses as the kernel has them, and the asking
// for what it has not.
//
// A neighbour that is missing or failed is asked for (NTF_USE), and again while it stays so; one
// that is not confirmed is confirmed the same way from time to time, as our packets do not pass the
// kernel's neighbour code, and would not keep the entry alive. Permanent entries are left alone:
// the kernel would make ordinary ones of them.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "control/complaint.h"
#include "control/netlink.h"

namespace guideway::control {

class Neighbours {
 public:
  // A neighbour on a device: the key of the kernel's table.
  using Key = std::pair<std::uint32_t, Ipv4Address>;

  // `requests` must live as long as this object.
  explicit Neighbours(netlink::Requests& requests) : requests_(requests) {}

  // Takes the kernel's whole table for the truth.
  void reset(const std::vector<netlink::Neighbour>& table);
  // Takes what the kernel tells of one entry. Returns whether somebody needs it.
  bool learn(const netlink::Neighbour& neighbour);
  // An entry that the kernel has no longer. One that is needed is asked for at once, so that one
  // that answers is back before anybody looks. Returns whether somebody needs it.
  bool forget(const Key& key);

  // Says which neighbours are needed, those and no others.
  void need(const std::vector<Key>& keys);
  // Asks for the needed ones whose time has come. Returns whether the answers to some came at once.
  bool ask_due();

  enum class State : std::uint8_t { usable, resolving, failed };
  struct Answer {
    State state = State::resolving;
    MacAddress mac{};  // when usable
  };
  // REQUIRES: `key` is needed.
  [[nodiscard]] Answer find(const Key& key);

 private:
  using Clock = std::chrono::steady_clock;
  struct Needed {
    bool failed = false;  // did not answer since it was last usable, whatever the kernel forgot
    Clock::time_point ask_next_at = Clock::time_point::min();
    Clock::time_point confirm_next_at = Clock::time_point::min();
  };
  int ask(const Key& key, Needed& needed);

  netlink::Requests& requests_;
  std::map<Key, netlink::Neighbour> table_;  // all that the kernel has and told of
  std::map<Key, Needed> needed_;
  Key ask_first_{};  // where a full table ended the last round
  Complaint complaint_{"neighbours"};
};

}  // namespace guideway::control
