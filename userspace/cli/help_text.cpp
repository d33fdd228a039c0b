#include "cli/help_text.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace guideway::cli {
namespace {

constexpr std::size_t kUsualColumns = 80, kLeastColumns = 40, kMostColumns = 100;
constexpr std::size_t kIndent = 2, kGap = 2;
constexpr std::size_t kWidestHeading = 24;  // a longer one has its description below it
constexpr std::size_t kLeastForTwo = 60;    // columns; below, all descriptions are below
constexpr std::size_t kIndentBelow = 6;     // of a description below its heading

struct Entry {
  std::string heading, description;
};

std::string entries_text(const std::vector<Entry>& entries, std::size_t columns) {
  std::size_t widest = 0;
  for (const Entry& entry : entries)
    if (entry.heading.size() <= kWidestHeading) widest = std::max(widest, entry.heading.size());
  const bool below = columns < kLeastForTwo;
  const std::size_t indent = below ? kIndentBelow : kIndent + widest + kGap;
  std::string out;
  for (const Entry& entry : entries) {
    std::string line = std::string(kIndent, ' ') + entry.heading;
    if (entry.description.empty()) {
      out += line + "\n";
      continue;
    }
    if (below || line.size() + kGap > indent) {
      out += line + "\n";
      line.clear();
    }
    line.resize(indent, ' ');
    out += line + filled(entry.description, columns, indent, indent);
  }
  return out;
}

std::string arguments_text(const char* title, const std::vector<ArgumentInfo>& arguments,
                           std::size_t columns) {
  if (arguments.empty()) return {};
  std::vector<Entry> entries;
  for (const ArgumentInfo& argument : arguments)
    entries.push_back({heading(argument), argument.sentence()});
  return std::string("\n") + title + ":\n" + entries_text(entries, columns);
}

std::string commands_text(const CommandInfo& program, std::size_t columns) {
  std::vector<std::string> groups;
  for (const CommandInfo& command : program.commands)
    if (std::find(groups.begin(), groups.end(), command.group) == groups.end())
      groups.push_back(command.group);
  std::string out;
  for (const std::string& group : groups) {
    std::vector<Entry> entries;
    for (const CommandInfo& command : program.commands)
      if (command.group == group) entries.push_back({command.name, command.description});
    out += "\n" + group + ":\n" + entries_text(entries, columns);
  }
  return out;
}

// Paragraphs are filled; what is indented, such as an example, stays as it is.
std::string footer_text(const std::string& footer, std::size_t columns) {
  if (footer.empty()) return {};
  std::string out = "\n", line;
  for (std::istringstream lines(footer); std::getline(lines, line);)
    out += line.empty() || line.starts_with(' ') ? line + "\n" : filled(line, columns, 0, 0);
  return out;
}

}  // namespace

std::size_t terminal_columns() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 1 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
      size.ws_col == 0)
    return kUsualColumns;
  return std::clamp<std::size_t>(size.ws_col, kLeastColumns, kMostColumns);
}

std::string filled(std::string_view text, std::size_t columns, std::size_t indent,
                   std::size_t used) {
  std::string out, word;
  std::size_t column = used;
  bool first = true;
  for (std::istringstream words{std::string(text)}; words >> word; first = false) {
    if (!first && column + 1 + word.size() > columns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

std::string help_text(const CommandInfo& command, std::size_t columns) {
  constexpr std::string_view kUsage = "Usage: ";
  return filled(command.description, columns, 0, 0) + "\n" + std::string(kUsage) +
         filled(usage(command), columns, kUsage.size(), kUsage.size()) +
         arguments_text("Arguments", command.positionals, columns) +
         commands_text(command, columns) + arguments_text("Options", command.options, columns) +
         footer_text(command.footer, columns);
}

std::string overview(const CommandInfo& program, std::size_t columns) {
  return "Usage: " + usage(program) + "\n" + commands_text(program, columns) + "\n" +
         filled(program.path + " help COMMAND tells about one of them.", columns, 0, 0);
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string /*name*/,
                                     CLI::AppFormatMode /*mode*/) const {
  return help_text(command_info(*app), terminal_columns());
}

}  // namespace guideway::cli
