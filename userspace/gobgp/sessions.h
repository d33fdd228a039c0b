// Peers as GoBGP tells of them, as bgp::Session; and how often each session was lost, which GoBGP
// counts and does not tell: so it is counted here, from one look to the next. Private to this
// folder.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bgp/speaker.h"
#include "gobgp.pb.h"

namespace guideway::gobgp {

class Sessions {
 public:
  // What is known of all peers now, sorted by address. `now` is the wall clock: GoBGP says when a
  // session began, not for how long it is there.
  [[nodiscard]] std::vector<bgp::Session> look(const std::vector<apipb::Peer>& peers,
                                               std::chrono::system_clock::time_point now);

 private:
  struct Memory {
    std::int64_t up_since_s = 0;  // of the session that was there at the last look; 0: none
    std::uint32_t flaps = 0;
  };
  std::map<std::string, Memory> memories_;
};

}  // namespace guideway::gobgp
