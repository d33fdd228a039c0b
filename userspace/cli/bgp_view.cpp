#include "cli/bgp_view.h"

#include <algorithm>
#include <utility>

#include "cli/text_table.h"

namespace guideway::cli {
namespace {

using Align = TextTable::Align;

constexpr std::size_t kSentenceColumn = 4;  // where a sentence of more than a line goes on

constexpr const char* kReading = "reading what guidewayd says of BGP";

Result<json::object> read_bgp(std::string_view document) {
  return read_document(document, "routes", json::kind::array, kReading);
}

bool established(const json::object& session) { return text(session, "state") == "established"; }
bool wanted(const json::object& route) { return text(route, "state") == "announced"; }

std::string of(std::uint64_t part, std::uint64_t whole, const Palette& palette) {
  const std::string out = std::to_string(part) + " of " + std::to_string(whole);
  if (part == whole && whole > 0) return palette.good(out);
  return part == 0 ? palette.bad(out) : palette.caution(out);
}

std::string role_line(const json::object& bgp, const Palette& palette) {
  const std::string role = text(bgp, "role");
  return palette.heading("role") + ": " + (role == "active" ? role : palette.caution(role)) +
         (flag(bgp, "role_by_operator")
              ? palette.caution(", by an operator") +
                    " (until a restart, or a reload whose file has another)"
              : ", by the file") +
         "\n";
}

// "reached for 1h 02m 00s"
std::string contact_text(const json::object& bgp, const Palette& palette) {
  const std::string contact = text(bgp, "contact");
  const std::string out = contact + " for " + duration_text(number(bgp, "contact_for_seconds"));
  return contact == "reached" ? palette.good(out) : palette.bad(out);
}

std::string speaker_lines(const json::object& bgp, const Palette& palette) {
  const std::string name = text(bgp, "speaker");
  std::string out = palette.heading("speaker") + ": ";
  out += name == "-" ? "not known yet"
                     : name + ", AS " + text(bgp, "asn") + ", router id " + text(bgp, "router_id");
  out += ", " + text(bgp, "mode") + "\n  " + text(bgp, "api") + ": " + contact_text(bgp, palette);
  if (flag(bgp, "in_step"))
    out += ", " + palette.good("holds what is wanted");
  else
    out += ", " + palette.bad("does not hold what is wanted");
  out += "\n";
  if (const std::string error = text(bgp, "error"); error != "-")
    out += sentence_line(palette.bad(error));
  if (const std::uint64_t foreign = number(bgp, "foreign"); foreign > 0)
    out += "  routes of others, left alone: " + std::to_string(foreign) + "\n";
  return out;
}

// Of a session that is not established the state is what is wrong.
std::string state_text(const json::object& session, const Palette& palette) {
  const std::string state = text(session, "state");
  return established(session) ? palette.good(state) : palette.bad(state);
}

std::string seconds_text(std::uint64_t seconds) {
  return seconds == 0 ? "-" : duration_text(seconds);
}

std::string sessions_table(const json::object& bgp, const Palette& palette) {
  const auto sessions = objects(bgp, "sessions");
  if (sessions.empty()) return "  none\n";
  TextTable table({{"peer", Align::left},
                   {"AS"},
                   {"state", Align::left},
                   {"for"},
                   {"hold"},
                   {"GR", Align::left},
                   {"flaps"},
                   {"sent"},
                   {"received"}});
  for (const json::object* one : sessions)
    table.add({text(*one, "peer"), text(*one, "asn"), state_text(*one, palette),
               seconds_text(number(*one, "state_for_seconds")),
               seconds_text(number(*one, "hold_time_seconds")),
               choice(*one, "graceful_restart", "yes", "no"), text(*one, "flaps"),
               text(*one, "updates_sent"), text(*one, "updates_received")});
  return table.text(palette);
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out.empty() ? "-" : out;
}

std::string route_state(const json::object& route, const Palette& palette) {
  const std::string state = text(route, "state");
  if (state == "announced") return palette.good(state);
  return state == "damped" ? palette.caution(state) : palette.bad(state);
}

std::string held_text(const json::object& route, const Palette& palette) {
  const std::string held = choice(route, "held", "yes", "no");
  return wanted(route) == flag(route, "held") ? held : palette.bad(held);
}

// What makes a line of its own below the table. Of a speaker that is lost its error says it all.
std::string reasons(const json::object& route, bool reached, const Palette& palette) {
  std::string out = text(route, "why");
  if (out == "-") out.clear();
  if (const std::uint64_t damped = number(route, "damped_for_seconds"); damped > 0)
    out = "for " + duration_text(damped) + " more" + (out.empty() ? "" : ": " + out);
  if (reached && wanted(route) && !flag(route, "held"))
    out = "the speaker does not have it" + (out.empty() ? "" : "; " + out);
  if (out.empty()) return out;
  const std::string line = text(route, "prefix") + ": " + out;
  return sentence_line(wanted(route) && flag(route, "held") ? palette.caution(line)
                                                            : palette.bad(line));
}

// That all routes have: "" where they differ. They do for a moment only, while they are changed.
std::string common_attributes(const std::vector<const json::object*>& routes) {
  const std::string first = text(*routes.front(), "attributes");
  const bool same = std::ranges::all_of(
      routes, [&](const json::object* one) { return text(*one, "attributes") == first; });
  return same ? first : "";
}

std::string routes_table(const json::object& bgp, const Palette& palette) {
  const auto routes = objects(bgp, "routes");
  if (routes.empty()) return "  none: the file has no services\n";
  const std::string common = common_attributes(routes);
  const bool reached = text(bgp, "contact") == "reached";
  std::vector<TextTable::Column> columns{{"prefix", Align::left},
                                         {"state", Align::left},
                                         {"held", Align::left},
                                         {"services", Align::left}};
  if (common.empty()) columns.push_back({"attributes", Align::left});
  const std::size_t last = columns.size() - 1;
  TextTable table(std::move(columns));
  std::string why;
  for (const json::object* one : routes) {
    std::vector<std::string> cells{text(*one, "prefix"), route_state(*one, palette),
                                   held_text(*one, palette), joined(strings(*one, "services"))};
    if (common.empty()) cells.push_back(text(*one, "attributes"));
    table.add(std::move(cells));
    why += reasons(*one, reached, palette);
  }
  table.fit(last, kTerminalColumns);
  return (common.empty() || common == "-" ? "" : "  with " + common + "\n") + table.text(palette) +
         why;
}

// ", med 50"; nothing where there are none.
std::string attributes_text(const json::object& route) {
  const std::string attributes = text(route, "attributes");
  return attributes == "-" ? "" : ", " + attributes;
}

}  // namespace

BgpCounts bgp_counts(const json::object& bgp) {
  BgpCounts out;
  for (const json::object* one : objects(bgp, "sessions")) {
    ++out.sessions;
    out.established += established(*one) ? 1U : 0U;
  }
  for (const json::object* one : objects(bgp, "routes")) {
    ++out.routes;
    out.announced += wanted(*one) && flag(*one, "held") ? 1U : 0U;
  }
  return out;
}

Result<std::string> bgp_text(std::string_view document, const Palette& palette) {
  const auto bgp = read_bgp(document);
  if (!bgp) return std::unexpected(bgp.error());
  const BgpCounts counts = bgp_counts(*bgp);
  return role_line(*bgp, palette) + speaker_lines(*bgp, palette) + "\n" +
         palette.heading("sessions") + ": " + of(counts.established, counts.sessions, palette) +
         " established\n" + sessions_table(*bgp, palette) + "\n" + palette.heading("routes") +
         ": " + of(counts.announced, counts.routes, palette) + " announced\n" +
         routes_table(*bgp, palette);
}

Result<void> bgp_in_step(std::string_view document) {
  const auto bgp = read_bgp(document);
  if (!bgp) return std::unexpected(bgp.error());
  if (flag(*bgp, "in_step")) return {};
  const std::string error = text(*bgp, "error");
  if (error != "-") return fail("the BGP speaker does not hold what is wanted: " + error);
  return fail("the BGP speaker does not hold what is wanted yet", "guideway doctor looks why");
}

Result<std::string> role_text(std::string_view document) {
  const auto all = read_document(document, "role", json::kind::string, kReading);
  if (!all) return std::unexpected(all.error());
  const std::string role = text(*all, "role");
  if (all->contains("routes")) return role + "\n";
  return flag(*all, "changed") ? "role: " + role + " from now on\n"
                               : "role: was " + role + " already\n";
}

std::string sentence_line(const std::string& sentence) {
  return "  " + wrapped_words(sentence, kSentenceColumn);
}

std::string bgp_line(const json::object& bgp, const Palette& palette) {
  const BgpCounts counts = bgp_counts(bgp);
  const std::string role = text(bgp, "role");
  return "bgp: " + (role == "active" ? role : palette.caution(role)) + ", " +
         of(counts.established, counts.sessions, palette) + " sessions established, " +
         of(counts.announced, counts.routes, palette) + " routes announced";
}

std::vector<std::string> bgp_troubles(const json::object& bgp) {
  std::vector<std::string> out;
  if (bgp.empty()) return out;
  // Of a speaker that is lost, nothing else is known.
  if (const std::string error = text(bgp, "error"); error != "-") return {"BGP: " + error};
  if (!flag(bgp, "in_step")) out.emplace_back("BGP: the speaker does not hold what is wanted");
  const auto sessions = objects(bgp, "sessions");
  if (sessions.empty() && text(bgp, "contact") == "reached")
    out.emplace_back("BGP: the speaker has no peer: no router hears of a VIP");
  for (const json::object* one : sessions)
    if (!established(*one))
      out.push_back("BGP: the session with " + text(*one, "peer") + " is " + text(*one, "state"));
  return out;
}

std::string route_sentence(const json::object& route) {
  const std::string prefix = text(route, "prefix"), state = text(route, "state");
  const std::string why = text(route, "why");
  const std::uint64_t up = number(route, "established");
  const std::string sessions = std::to_string(up) + " of " + text(route, "sessions") + " sessions";
  if (state == "damped")
    return prefix + " is not announced for " + duration_text(number(route, "damped_for_seconds")) +
           " more: " + why;
  const bool reached = text(route, "contact") == "reached";
  if (state != "announced")
    return prefix + (reached ? " is not announced: " : " should not be announced: ") + why;
  if (!reached)
    return prefix + " should be announced; the speaker does not answer: see guideway bgp";
  if (!flag(route, "held"))
    return prefix + " should be announced, and the speaker does not have it: see guideway bgp";
  if (up == 0)
    return prefix + " is with the speaker, but " + sessions +
           " are established: no router hears of it";
  return prefix + " is announced over " + sessions + ", role " + text(route, "role") +
         attributes_text(route);
}

}  // namespace guideway::cli
