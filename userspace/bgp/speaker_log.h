// The log lines about a speaker: what a call has done, that contact was lost and found, that a
// session came up or went down. Nothing for a call that found all as it was, so that a call each
// second leaves no trace; and what others can repeat as often as they like (a speaker that comes
// and goes, a router that flaps, a second daemon on the same speaker) is limited, and what was left
// out is counted and said.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bgp/speaker.h"
#include "core/log_limiter.h"
#include "core/result.h"

namespace guideway::bgp {

class SpeakerLog {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Of what one call has done, so many lines; then how many there are more.
  static constexpr std::size_t kMostLines = 20;

  // How a call came about that succeeded.
  struct Circumstances {
    bool unasked = false;    // the call before had succeeded with the same wanted
    bool restarted = false;  // the speaker had BGP running, and had lost it
  };
  void answered(const std::string& api, const Report& report, Circumstances circumstances,
                Time now);
  void failed(const Error& error, Time now);

 private:
  enum class Contact : std::uint8_t { unknown, good, bad };
  void tell_found(const std::string& api, const Report& report, Time now);
  void tell_restarted(const std::string& api, const Report& report);
  void tell_done(const std::vector<std::string>& done, const std::string& why);
  void tell_sessions(const std::vector<Session>& sessions, Time now);

  Contact contact_ = Contact::unknown;
  Time bad_since_{};
  std::string told_error_;                   // of this loss of contact; empty: it was not told
  std::map<std::string, bool> established_;  // by peer
  // Some lines at once, then few: who wants to know each is told by the metrics.
  LogLimiter contact_limiter_{10, std::chrono::seconds(30)};
  LogLimiter mended_limiter_{10, std::chrono::seconds(30)};
  LogLimiter restart_limiter_{10, std::chrono::seconds(30)};
  LogLimiter session_limiter_{50, std::chrono::seconds(5)};
};

}  // namespace guideway::bgp
