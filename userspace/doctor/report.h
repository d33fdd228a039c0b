// What a part of the judgement writes its findings to. One Report is of one subject.
//
// Threads: one.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "doctor/fact.h"
#include "doctor/finding.h"

namespace guideway::doctor {

// What could not be looked at, gathered over all subjects.
struct Unseen {
  std::set<std::string> without_privilege;  // "the XDP program of eth0"
};

class Report {
 public:
  // REQUIRES: `findings` and `unseen` outlive it.
  Report(std::string subject, Findings& findings, Unseen& unseen)
      : subject_(std::move(subject)), findings_(findings), unseen_(unseen) {}

  void say(Severity severity, std::string check, std::string text, Mend mend = {}) {
    findings_.push_back({severity, std::move(check), subject_, std::move(text), std::move(mend)});
  }
  void ok(std::string check, std::string text) {
    say(Severity::ok, std::move(check), std::move(text));
  }

  // Whether it is known; where not, says so as far as it matters. `what`: "the XDP program of
  // eth0".
  template <class T>
  [[nodiscard]] bool seen(const Fact<T>& fact, const std::string& check, const std::string& what) {
    if (!fact.known()) miss(fact.unknown(), check, what);
    return fact.known();
  }

 private:
  void miss(const Unknown& unknown, const std::string& check, const std::string& what);

  std::string subject_;
  Findings& findings_;
  Unseen& unseen_;
};

// "a", "a and b", "a, b and c"; beyond `most`: "a, b, c and 7 more".
[[nodiscard]] std::string listed(const std::vector<std::string>& items, std::size_t most = 6);
// "0-3,8": as the kernel writes lists of CPUs and queues. REQUIRES: sorted.
[[nodiscard]] std::string ranges(const std::vector<std::uint32_t>& numbers);
// `word` as one word of a command line of sh, quoted where it has to be.
[[nodiscard]] std::string shell_word(const std::string& word);
// "1 queue", "2 queues".
[[nodiscard]] std::string counted(std::uint64_t number, const std::string& word);
// "512 KiB", "16 MiB", "3.5 GiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

// `name` to `value` now, and at each boot by a file of /etc/sysctl.d.
[[nodiscard]] Mend sysctl(const std::string& name, const std::string& value);
// A command of ethtool, and the setting of a .link file of systemd that does the same at each boot.
[[nodiscard]] Mend ethtool(const std::string& arguments, const std::string& link_setting = {});

// The same command while guidewayd is stopped. It is started again whatever becomes of the command.
[[nodiscard]] Mend while_stopped(Mend mend);

}  // namespace guideway::doctor
