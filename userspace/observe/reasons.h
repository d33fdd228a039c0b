// What the names of outcomes mean, for who reads one of them for the first time: why a packet is
// not forwarded, and what to do about it. docs/packets.md has the same names.
//
// Threads: any; constants.
#pragma once

#include <string_view>

#include "bpf/abi.h"
#include "net/drop_reason.h"

namespace guideway::observe {

struct ReasonText {
  std::string_view name;     // "no_next_hop"
  std::string_view meaning;  // a sentence without its full stop
  std::string_view remedy;   // what to do about it; empty: nothing
};

// REQUIRES: not DropReason::none.
[[nodiscard]] const ReasonText& reason_text(DropReason reason);
// REQUIRES: not GW_VERDICT_redirected.
[[nodiscard]] const ReasonText& reason_text(gw_verdict verdict);

// Of everything that comes in by an interface that the steering program was taken off.
[[nodiscard]] const ReasonText& not_attached_text();

// Verdicts that leave a packet to the kernel.
[[nodiscard]] constexpr bool passes(gw_verdict verdict) {
  return verdict == GW_VERDICT_pass_not_ip || verdict == GW_VERDICT_pass_not_vip ||
         verdict == GW_VERDICT_pass_truncated;
}

}  // namespace guideway::observe
