// What `guideway doctor` has to say about one thing: how bad it is, in a sentence, and what mends
// it. Plain values; judge.h makes them, cli/doctor_view.h shows them.
//
// Threads: none of its own.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guideway::doctor {

// From best to worst, so that they can be compared.
enum class Severity : std::uint8_t {
  ok,       // looked at, and right
  note,     // good to know, or could not be looked at
  warning,  // works worse than it could, or may break
  error,    // does not work, or packets are lost
};

// Indexed by Severity: the words of the JSON document.
inline constexpr auto kSeverityNames =
    std::to_array<std::string_view>({"ok", "note", "warning", "error"});

[[nodiscard]] constexpr std::string_view name(Severity severity) {
  return kSeverityNames[static_cast<std::size_t>(severity)];
}

// What mends it. A command is complete: it can be pasted into a shell on this host as it is.
struct Mend {
  std::string text;      // empty: nothing does, or nothing has to
  bool command = false;  // `text` is a command; otherwise words
  std::string lasting;   // what makes it survive a reboot, in words; empty: it does, or cannot

  [[nodiscard]] static Mend by_command(std::string command, std::string lasting = {}) {
    return {.text = std::move(command), .command = true, .lasting = std::move(lasting)};
  }
  [[nodiscard]] static Mend by_hand(std::string words) {
    return {.text = std::move(words), .command = false, .lasting = {}};
  }
  friend bool operator==(const Mend&, const Mend&) = default;
};

struct Finding {
  Severity severity = Severity::ok;
  std::string check;    // which check this is of: "mtu"; the same in every version
  std::string subject;  // what it is about: "host", "interface eth0", "backend 10.0.1.11"
  std::string text;     // one sentence
  Mend mend;
  friend bool operator==(const Finding&, const Finding&) = default;
};

using Findings = std::vector<Finding>;

// Of all; ok where there are none.
[[nodiscard]] inline Severity worst(std::span<const Finding> findings) {
  Severity out = Severity::ok;
  for (const Finding& finding : findings) out = std::max(out, finding.severity);
  return out;
}

}  // namespace guideway::doctor
