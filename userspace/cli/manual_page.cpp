#include "cli/manual_page.h"

#include <algorithm>
#include <sstream>

namespace guideway::cli {
namespace {

constexpr const char* kDescription =
    "\n.PP\nWhat a daemon says is shown without control characters. Errors are one line on "
    "standard error, with what would be right.\n";
constexpr const char* kColours =
    ".TP\n\\fBNO_COLOR\\fP\nWhere it is not empty there are no colours. Without it there are on a "
    "terminal, unless \\fBTERM\\fP is \\fIdumb\\fP or not set.\n"
    ".TP\n\\fBCLICOLOR_FORCE\\fP\nWhere it is neither empty nor 0 there are colours everywhere.\n";
constexpr const char* kEnd =
    ".SH FILES\n.TP\n\\fB/etc/guideway/guideway.yaml\\fP\nThe configuration file of the daemon, "
    "where nothing else is said.\n.TP\n\\fB/run/guideway/guidewayd.sock\\fP\nThe socket of the "
    "daemon, where its "
    "configuration does not name another one.\n.SH SEE ALSO\n.BR guidewayd (8),\n.BR "
    "guideway.yaml (5)\n";

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fP"; }

char upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

std::string upper(std::string text) {
  for (char& letter : text) letter = upper(letter);
  return text;
}

// But for the name of a program.
std::string upper_first(std::string text) {
  if (!text.empty() && !text.starts_with("guideway")) text.front() = upper(text.front());
  return text;
}

// "\fB\-\-pool\fP \fINAME\fP"
std::string tag(const ArgumentInfo& argument) {
  if (!argument.names.front().starts_with('-'))
    return "\\fI" + roff(argument.names.front()) + "\\fP";
  std::string out;
  for (const std::string& name : argument.names) out += (out.empty() ? "" : ", ") + bold(name);
  return argument.value.empty() ? out : out + " \\fI" + roff(argument.value) + "\\fP";
}

std::string sentence(const ArgumentInfo& argument) {
  std::string out = upper_first(argument.sentence());
  return out.empty() || out.ends_with('.') ? out : out + ".";
}

std::string arguments_text(const std::vector<ArgumentInfo>& arguments) {
  std::string out;
  for (const ArgumentInfo& argument : arguments)
    out += ".TP\n" + tag(argument) + "\n" + roff(sentence(argument)) + "\n";
  return out;
}

// Paragraphs, and what is indented as an example; but for the paragraph `left_out`.
std::string footer_text(const std::string& footer, const std::string& left_out) {
  std::string out, line;
  bool example = false, paragraph = true;
  const auto end_example = [&] {
    if (example) out += ".EE\n.RE\n";
    example = false;
  };
  for (std::istringstream lines(footer); std::getline(lines, line);) {
    if (!left_out.empty() && line == left_out) continue;
    const bool indented = line.starts_with("  ");
    if (indented != example && indented) out += ".PP\n.RS 4\n.EX\n";
    if (!indented) end_example();
    example = indented;
    if (!indented && !line.empty() && paragraph) out += ".PP\n";
    paragraph = line.empty();
    if (!line.empty()) out += roff(indented ? line.substr(2) : line) + "\n";
  }
  end_example();
  return out;
}

std::string command_text(CommandInfo command, const std::string& exit_codes) {
  // What each command has is said once.
  std::erase_if(command.options,
                [](const ArgumentInfo& option) { return option.names.back() == "--help"; });
  std::string description = upper_first(command.description);
  if (!description.ends_with('.')) description += ".";
  return ".SS " + bold(usage(command)) + "\n" + roff(description) + "\n" +
         arguments_text(command.positionals) + arguments_text(command.options) +
         footer_text(command.footer, exit_codes);
}

std::string exit_text(const std::string& exit_codes) {
  // "Exit codes: 0 done, 1 refused or failed (..), 2 wrong use, 3 .."
  std::string out = ".SH EXIT STATUS\n";
  const auto colon = exit_codes.find(": ");
  std::string codes = colon == std::string::npos ? exit_codes : exit_codes.substr(colon + 2);
  while (!codes.empty()) {
    const auto comma = codes.find(", ");
    std::string code = codes.substr(0, comma);
    codes.erase(0, comma == std::string::npos ? comma : comma + 2);
    const auto space = code.find(' ');
    std::string meaning = upper_first(code.substr(space + 1));
    out += ".TP\n\\fB" + code.substr(0, space) + "\\fP\n" + roff(meaning) +
           (meaning.ends_with('.') ? "\n" : ".\n");
  }
  return out + ".PP\nWhere a command has others, it says so above.\n";
}

std::string environment_text(const CommandInfo& program) {
  std::vector<std::string> seen;
  std::string out;
  for (const CommandInfo& command : program.commands) {
    for (const ArgumentInfo& option : command.options) {
      if (option.environment.empty() ||
          std::find(seen.begin(), seen.end(), option.environment) != seen.end())
        continue;
      seen.push_back(option.environment);
      out += ".TP\n" + bold(option.environment) + "\nWhat " + bold(option.names.back()) +
             " is where the command line does not say it.\n";
    }
  }
  return ".SH ENVIRONMENT\n" + out + kColours;
}

}  // namespace

std::string roff(std::string_view text) {
  std::string out;
  bool in_backquotes = false;
  if (!text.empty() && (text.front() == '.' || text.front() == '\'')) out += "\\&";
  for (const char letter : text) {
    switch (letter) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '\'': out += "\\(aq"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      case '`':
        out += in_backquotes ? "\\fP" : "\\fB";
        in_backquotes = !in_backquotes;
        break;
      default: out += letter;
    }
  }
  return out;
}

std::string manual_page(const CommandInfo& program, const ManualFacts& facts) {
  const std::string name = bold(program.name);
  std::string out = ".\\\" Made by `" + program.name + " manual`: not to be edited.\n.TH " +
                    upper(program.name) + " 1 \"" + facts.date + "\" \"" + program.name + " " +
                    facts.version + "\" \"Guideway\"\n.nh\n.ad l\n";
  out += ".SH NAME\n" + program.name + " \\- client of guidewayd, a layer\\-4 load balancer\n";
  out += ".SH SYNOPSIS\n" + name + " \\fICOMMAND\\fP [\\fIOPTIONS\\fP] [\\fIARGUMENTS\\fP]\n.br\n" +
         name + " \\fBhelp\\fP [\\fICOMMAND\\fP]\n";
  out += ".SH DESCRIPTION\n" + roff(program.description) + kDescription;
  out += ".SH OPTIONS\n" + arguments_text(program.options) + ".PP\nEach command has " +
         bold("--help") + ", too.\n.SH COMMANDS\n";
  for (const CommandInfo& command : program.commands)
    out += command_text(command, facts.exit_codes);
  return out + exit_text(facts.exit_codes) + environment_text(program) + kEnd;
}

}  // namespace guideway::cli
