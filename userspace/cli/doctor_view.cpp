#include "cli/doctor_view.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

#include "cli/json_view.h"
#include "cli/text_table.h"

namespace guideway::cli {
namespace {

using doctor::Finding;
using doctor::Findings;
using doctor::Severity;

constexpr std::size_t kSeverityColumn = 2, kTextColumn = 11, kCommandColumn = 15;
constexpr std::size_t kLabelColumns = 6;  // "mend: "

std::string coloured(Severity severity, const std::string& text, const Palette& palette) {
  switch (severity) {
    case Severity::error: return palette.bad(text);
    case Severity::warning: return palette.caution(text);
    case Severity::ok: return palette.good(text);
    case Severity::note: break;
  }
  return text;
}

std::string finding_text(const Finding& finding, const Palette& palette) {
  const std::string word(name(finding.severity)), indent(kTextColumn, ' ');
  std::string out = std::string(kSeverityColumn, ' ') + coloured(finding.severity, word, palette) +
                    std::string(kTextColumn - kSeverityColumn - word.size(), ' ') +
                    wrapped_words(printable(finding.text), kTextColumn);
  const std::string mend = printable(finding.mend.text), lasting = printable(finding.mend.lasting);
  if (finding.mend.command)
    out += std::string(kCommandColumn, ' ') + mend + "\n";
  else if (!mend.empty())
    out += indent + "mend: " + wrapped_words(mend, kTextColumn + kLabelColumns);
  if (!lasting.empty())
    out += indent + "last: " + wrapped_words(lasting, kTextColumn + kLabelColumns);
  return out;
}

Findings chosen(const Findings& findings, bool all) {
  Findings out;
  for (const Finding& finding : findings)
    if (all || finding.severity != Severity::ok) out.push_back(finding);
  return out;
}

// In the order of their first finding.
std::vector<Findings> groups_of(const Findings& findings) {
  std::vector<Findings> groups;
  for (const Finding& finding : findings) {
    const auto same = std::ranges::find_if(
        groups, [&](const Findings& group) { return group.front().subject == finding.subject; });
    if (same == groups.end())
      groups.push_back({finding});
    else
      same->push_back(finding);
  }
  return groups;
}

void sort_worst_first(std::vector<Findings>& groups) {
  const auto worse = [](const Finding& left, const Finding& right) {
    return left.severity > right.severity;
  };
  for (Findings& group : groups) std::ranges::stable_sort(group, worse);
  std::ranges::stable_sort(groups, [&](const Findings& left, const Findings& right) {
    return worse(left.front(), right.front());
  });
}

std::string counted(const Findings& findings, Severity severity, const std::string& word) {
  const auto number =
      std::ranges::count_if(findings, [&](const Finding& one) { return one.severity == severity; });
  return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
}

std::string summary(const Findings& findings, bool all, const Palette& palette) {
  const auto right = std::ranges::count(findings, Severity::ok, &Finding::severity);
  std::string out = counted(findings, Severity::error, "error") + ", " +
                    counted(findings, Severity::warning, "warning") + ", " +
                    counted(findings, Severity::note, "note");
  out += ", " + std::to_string(right) + " right" + (all || right == 0 ? "" : " (--all shows them)");
  return coloured(doctor::worst(findings), out, palette) + "\n";
}

}  // namespace

std::string findings_text(const Findings& findings, bool all, const Palette& palette) {
  std::vector<Findings> groups = groups_of(chosen(findings, all));
  sort_worst_first(groups);
  std::string out;
  for (const Findings& group : groups) {
    out += palette.heading(printable(group.front().subject)) + "\n";
    for (const Finding& finding : group) out += finding_text(finding, palette);
    out += "\n";
  }
  return out + summary(findings, all, palette);
}

std::string findings_json(const Findings& findings, bool all) {
  json::array list;
  for (const Finding& finding : chosen(findings, all))
    list.push_back(json::object{{"severity", name(finding.severity)},
                                {"check", finding.check},
                                {"subject", finding.subject},
                                {"text", finding.text},
                                {"mend", finding.mend.text},
                                {"command", finding.mend.command},
                                {"lasting", finding.mend.lasting}});
  const json::object document{{"findings", std::move(list)},
                              {"worst", name(doctor::worst(findings))}};
  return json::serialize(document) + "\n";
}

}  // namespace guideway::cli
