// The configuration file itself.
#include <cerrno>
#include <cstring>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

// Without the name of the file, which is the subject: "14:11: services[0].pool: there is no ..".
std::string without_file(control::Problem problem) {
  const std::size_t skipped = problem.file.size() + (problem.line > 0 ? 1 : 2);
  return problem.text().substr(skipped);
}

// What is wrong in a file says itself what would be right. Without a place it is the file itself.
Mend mend_of(const control::Problem& problem, const Case& seen) {
  if (problem.line > 0) return {};
  if (problem.what.ends_with(std::strerror(EACCES)) && seen.facts.host.privilege.uid != 0)
    return as_root(seen);
  return Mend::by_hand("name yours: guideway doctor FILE; to begin one, see guideway.yaml(5)");
}

}  // namespace

void judge_file(const Case& seen, Desk& desk) {
  Report report = desk.report("file " + seen.file);
  for (const control::Problem& problem : seen.errors)
    report.say(Severity::error, "file", without_file(problem), mend_of(problem, seen));
  for (const control::Problem& problem : seen.warnings)
    report.say(Severity::warning, "file", without_file(problem));
  if (seen.errors.empty() && seen.model != nullptr) report.ok("file", "it is right");
}

}  // namespace guideway::doctor
