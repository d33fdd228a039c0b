// From what the host is like (facts.h), what the file wants (control::Model) and what a running
// daemon says (running.h) to what is good and bad of it (finding.h). Pure: the same values give the
// same findings; nothing is read, nothing is changed.
//
// Each part (judge_parts.h) looks at one subject and says something of each thing that it looks at,
// `ok` too. What is not known says nothing by itself: what the kernel tells only to root is one
// note for all, and what failed to be read is a note of its own.
//
// Threads: none of its own.
#pragma once

#include <string>
#include <vector>

#include "control/config.h"
#include "core/result.h"
#include "doctor/facts.h"
#include "doctor/finding.h"
#include "doctor/running.h"

namespace guideway::doctor {

struct Case {
  const Facts& facts;
  std::string file;                                // of the configuration
  const control::Model* model = nullptr;           // nullptr: there is no right file
  std::vector<control::Problem> errors, warnings;  // of the file
  const Running* running = nullptr;                // nullptr: no daemon was reached,
  Error unreached;       // for this reason; its number: ETIMEDOUT: silent, ECONNREFUSED: dead
  std::string version;   // of the program that judges
  std::string socket{};  // of the daemon; empty: the usual one
};

// In the order: file, daemon, BGP, host, interfaces, backends.
[[nodiscard]] Findings judge(const Case& seen);

}  // namespace guideway::doctor
