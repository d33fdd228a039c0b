// Takes the routes of a guidewayd that is gone from the BGP speaker beside it: for a daemon that
// could not start, and for `guidewayd --withdraw`, which the service manager calls when it gives
// up.
//
// A speaker outlives the daemon, and so do its routes: after a crash that is wanted, as the next
// daemon takes them over; without a next one they would lead packets to nobody.
#pragma once

#include <string>

#include "control/model.h"
#include "core/result.h"

namespace guideway::app {

class Withdrawal {
 public:
  explicit Withdrawal(const control::Model& model);
  // Without a file that can be read: all that is marked as ours, from the speaker at the usual
  // place, if there is one.
  Withdrawal();

  // Withdraws, and says so in a sentence; empty: the file has no `bgp` section, or, without a file,
  // there was nothing. Fails where another
  // guidewayd answers at the file's admin socket, or serves one of its interfaces, whose routes
  // they are then, and where the speaker does not do it. Blocks, for bgp::Speaker::kPatience at
  // most.
  [[nodiscard]] Result<std::string> withdraw() const;

 private:
  control::Model model_;
  bool guessing_ = false;  // without a file
};

}  // namespace guideway::app
