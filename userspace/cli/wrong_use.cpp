#include "cli/wrong_use.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "cli/command_info.h"
#include "cli/json_view.h"
#include "control/words.h"

namespace guideway::cli {
namespace {

using Words = std::vector<std::string_view>;

// ": did you mean X?", or else "; there are A, B and C".
std::string suggestion(const std::string& word, const Words& words) {
  if (const auto near = control::nearest(word, words))
    return ": did you mean " + std::string(*near) + "?";
  return words.empty() ? "" : "; there are " + control::joined(words, "and");
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word.front() == '-' && word != "--";
}

// The first word that the parser had no use for and that `wanted` takes.
template <class Wanted>
std::optional<std::string> left_over(const CLI::App& command, Wanted wanted) {
  const std::vector<std::string> words = command.remaining();
  const auto found = std::find_if(words.begin(), words.end(), wanted);
  return found == words.end() ? std::nullopt : std::optional(*found);
}

std::string unknown_option(const CLI::App& app, const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const CommandInfo program = command_info(app);
  if (&app == &command) {
    for (const CommandInfo& one : program.commands)
      for (const ArgumentInfo& option : one.options)
        if (std::find(option.names.begin(), option.names.end(), name) != option.names.end())
          return "the option " + name + " stands behind its command, as in " + one.path + " " +
                 name;
  }
  const CommandInfo info = command_info(command);
  Words names;
  for (const ArgumentInfo& option : info.options) names.push_back(option.names.back());
  return "unknown option " + printable(name) + suggestion(name, names);
}

std::string one_too_many(const CommandInfo& command, const std::string& word) {
  std::string takes;
  for (const ArgumentInfo& argument : command.positionals)
    takes += (takes.empty() ? "" : " ") + argument.names.front();
  return "\"" + printable(word) + "\" is one word too many: " + command.path + " takes " +
         (takes.empty() ? "options only" : takes + " and options");
}

// "BACKEND is required", "--socket: 1 required PATH missing"
std::string missing(const CommandInfo& command, const CLI::ParseError& error) {
  const std::string what = error.what();
  for (const auto* list : {&command.positionals, &command.options}) {
    for (const ArgumentInfo& argument : *list) {
      const std::string& name = argument.names.back();
      if (what == name + " is required" || what == heading(argument) + " is required")
        return name + " is missing: " + argument.description;
      if (what.starts_with(name + ": ") && what.ends_with(" missing"))
        return name + " needs a value, " + argument.value + ": " + argument.description;
    }
  }
  return printable(what);
}

std::string explained(const CLI::App& app, const CLI::App& command, const CLI::ParseError& error) {
  // An unknown option first: what stands behind it may be its value, and no argument.
  if (const auto option = left_over(command, is_option))
    return unknown_option(app, command, *option);
  const auto any = [](const std::string&) { return true; };
  if (const auto word = left_over(command, any))
    return &app == &command ? unknown_command(app, *word)
                            : one_too_many(command_info(command), *word);
  return missing(command_info(command), error);
}

}  // namespace

std::string unknown_command(const CLI::App& app, const std::string& word) {
  const CommandInfo program = command_info(app);
  Words names;
  for (const CommandInfo& command : program.commands) names.push_back(command.name);
  return "unknown command " + printable(word) + suggestion(word, names);
}

std::string wrong_use(const CLI::App& app, const CLI::ParseError& error) {
  const auto parsed = app.get_subcommands();
  // What stands before the command is the program's.
  const bool before = parsed.empty() || left_over(app, is_option);
  const CLI::App& command = before ? app : *parsed.back();
  const std::string path = command_info(command).path;
  const std::string in = &command == &app ? "" : command.get_name() + ": ";
  return in + explained(app, command, error) + " (see " + path + " --help)";
}

}  // namespace guideway::cli
