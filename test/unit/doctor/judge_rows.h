// Tests in tables: what is changed in a world where nothing is amiss, and which finding that makes.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "judge_world.h"
#include "support/catch.h"

namespace guideway::doctor {

struct Row {
  std::string change;  // in words
  std::function<void(World&)> make;
  Severity severity;
  std::string check, text;  // `text`: a part of it
  std::string mend;         // as a whole if it is a command, else a part of it
};

// Each change makes its finding, which was not there before, and for a right subject.
inline void check_rows(const World& before, const std::vector<Row>& rows,
                       const std::string& subject) {
  for (const Row& row : rows) {
    INFO(row.change);
    REQUIRE(amiss(before.findings(), row.check).empty());
    World after = before;
    row.make(after);
    const Findings found = amiss(after.findings(), row.check);
    REQUIRE(found.size() == 1);
    const Finding& finding = found.front();
    INFO(finding.text << " / " << finding.mend.text);
    CHECK(name(finding.severity) == name(row.severity));
    CHECK(finding.subject == subject);
    CHECK(finding.text.find(row.text) != std::string::npos);
    if (finding.mend.command)
      CHECK(finding.mend.text == row.mend);
    else
      CHECK((finding.mend.text.empty() == row.mend.empty() &&
             finding.mend.text.find(row.mend) != std::string::npos));
  }
}

}  // namespace guideway::doctor
