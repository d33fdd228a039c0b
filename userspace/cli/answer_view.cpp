#include "cli/answer_view.h"

#include <cstddef>

#include "cli/json_view.h"

namespace guideway::cli {
namespace {

constexpr std::size_t kShownBytes = 200;  // of a body that is no {"error": ".."}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

}  // namespace

Error refusal(const std::string& doing, const Answer& answer) {
  const auto document = read_document(answer.body, "error", json::kind::string, doing);
  if (document) return {doing + ": " + text(*document, "error")};
  return {doing + ": guidewayd answers " + std::to_string(answer.status) + ": " +
          printable(std::string_view(answer.body).substr(0, kShownBytes))};
}

Result<Reload> read_reload(std::string_view document) {
  const auto all = read_document(document, "succeeded", json::kind::bool_, "reloading");
  if (!all) return std::unexpected(all.error());
  return Reload{flag(*all, "succeeded"), text(*all, "generation"), strings(*all, "changes"),
                strings(*all, "warnings"), strings(*all, "problems")};
}

std::string reload_text(const Reload& reload, const Palette& palette) {
  std::string out = palette.good("reloaded") + ", generation " + reload.generation +
                    (reload.changes.empty() ? ": nothing changed\n" : "\n");
  for (const std::string& change : reload.changes) out += "  " + change + "\n";
  for (const std::string& warning : reload.warnings)
    out += "  " + palette.caution(warning + " (warning)") + "\n";
  return out;
}

Result<std::string> drain_text(std::string_view document) {
  const auto all =
      read_document(document, "drained", json::kind::bool_, "reading the answer of guidewayd");
  if (!all) return std::unexpected(all.error());
  const bool changed = flag(*all, "changed");
  const char* said = flag(*all, "drained") ? (changed ? "drained" : "was drained already")
                                           : (changed ? "no longer drained" : "was not drained");
  const auto pools = strings(*all, "pools");
  return text(*all, "backend") + ": " + said + " by operator" +
         (pools.empty() ? "\n" : " (pools: " + joined(pools) + ")\n");
}

Result<std::string> log_text(std::string_view document) {
  const auto all =
      read_document(document, "level", json::kind::string, "reading the log level of guidewayd");
  if (!all) return std::unexpected(all.error());
  return text(*all, "level") + "\n";
}

}  // namespace guideway::cli
