// What `guideway doctor` prints of findings: text for a person, or a JSON document. Pure.
//
//     interface eth0
//       error    its MTU of 1500 is too small: ...
//                    ip link set dev eth0 mtu 1524
//                last: MTUBytes=1524 in its .network file
//
//     1 error, 0 warnings, 0 notes
//
// Grouped by subject, the worst first. Sentences are wrapped; a command that mends is on a line of
// its own, so that it can be copied; words that tell how to are behind "mend:".
//
// Threads: none of its own.
#pragma once

#include <string>

#include "cli/palette.h"
#include "doctor/finding.h"

namespace guideway::cli {

// `all`: also what is right. Nothing in it moves the cursor of the terminal.
[[nodiscard]] std::string findings_text(const doctor::Findings& findings, bool all,
                                        const Palette& palette = {});

// {"findings": [{"severity", "check", "subject", "text", "mend", "command", "lasting"}], "worst"}:
// docs/operations.md. `all`: also what is right.
[[nodiscard]] std::string findings_json(const doctor::Findings& findings, bool all);

}  // namespace guideway::cli
