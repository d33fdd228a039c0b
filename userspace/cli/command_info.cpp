#include "cli/command_info.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace guideway::cli {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::string::size_type begin = 0;
  for (auto end = text.find(separator); end != std::string::npos;
       end = text.find(separator, begin)) {
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  out.push_back(text.substr(begin));
  return out;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  if (option.get_positional() && !option.nonpositional()) return {option.get_name(true)};
  std::vector<std::string> out;
  for (const std::string& name : option.get_snames()) out.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.push_back("--" + name);
  return out;
}

// CLI11 has the type and what its validators say in one text: "TEXT:{a,b}", "UINT:INT in [1 - 9]".
void read_type(const CLI::Option& option, ArgumentInfo& argument) {
  if (option.get_type_size() == 0 || option.get_expected_max() == 0) return;
  const std::string type = option.get_type_name();
  argument.value = type.substr(0, type.find(':'));
  const std::string rule = type.substr(std::min(type.size(), argument.value.size() + 1));
  if (const auto open = rule.find('{'); open != std::string::npos) {
    argument.choices = split(rule.substr(open + 1, rule.rfind('}') - open - 1), ',');
  } else if (const auto range = rule.find(" in ["); range != std::string::npos) {
    const std::string bounds = rule.substr(range + 5, rule.rfind(']') - range - 5);
    argument.description += " (" + replaced(bounds, " - ", " to ") + ")";
  }
  if (argument.value.find('|') != std::string::npos) {
    argument.choices = split(argument.value, '|');
    argument.value = "WORD";
  }
  if (argument.value == "UINT" || argument.value == "INT" || argument.value == "FLOAT")
    argument.value = "NUMBER";
  if (argument.value.empty()) argument.value = "TEXT";
}

ValueKind kind_of(const ArgumentInfo& argument, const std::string& command, bool asks_daemon) {
  if (argument.value.empty()) return ValueKind::none;
  if (!argument.choices.empty()) return ValueKind::choice;
  if (argument.value == "PATH" || argument.value == "FILE") return ValueKind::file;
  std::string name = lower(argument.names.back());
  name.erase(0, name.find_first_not_of('-'));
  if (name == "name" && command.ends_with('s')) name = command.substr(0, command.size() - 1);
  if (name == "backend") return ValueKind::backend;
  if (name == "pool") return ValueKind::pool;
  if (name == "service") return ValueKind::service;
  if (name == "file") return ValueKind::file;
  if (name == "interface") return asks_daemon ? ValueKind::interface : ValueKind::local_interface;
  return ValueKind::text;
}

ArgumentInfo argument_info(const CLI::Option& option, const std::string& command,
                           bool asks_daemon) {
  ArgumentInfo out;
  out.names = names_of(option);
  out.description = option.get_description();
  out.preset = option.get_default_str();
  out.environment = option.get_envname();
  out.required = option.get_required();
  out.repeats = option.get_expected_max() >= CLI::detail::expected_max_vector_size;
  read_type(option, out);
  out.kind = kind_of(out, command, asks_daemon);
  return out;
}

std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

// An argument called COMMAND is one of the commands that the program has.
void offer_commands(CommandInfo& program) {
  std::vector<std::string> names;
  for (const CommandInfo& command : program.commands) names.push_back(command.name);
  for (CommandInfo& command : program.commands) {
    for (ArgumentInfo& argument : command.positionals) {
      if (argument.names.front() != "COMMAND" || !argument.choices.empty()) continue;
      argument.choices = names;
      argument.kind = ValueKind::choice;
    }
  }
}

}  // namespace

std::string ArgumentInfo::sentence() const {
  std::string out = description;
  const auto add = [&out](const std::string& more) {
    const bool ended = out.empty() || out.ends_with('.');
    out += (ended ? (out.empty() ? "" : " ") : ". ") + more;
  };
  if (!preset.empty() && !environment.empty())
    add("Default: what the environment has in " + environment + ", or else " + preset);
  else if (!preset.empty())
    add("Default: " + preset);
  else if (!environment.empty())
    add("Default: what the environment has in " + environment);
  return out;
}

CommandInfo command_info(const CLI::App& app) {
  CommandInfo out{.name = app.get_name(),
                  .path = path_of(app),
                  .group = app.get_group(),
                  .description = app.get_description(),
                  .footer = app.get_footer(),
                  .positionals = {},
                  .options = {},
                  .commands = {}};
  const auto options = app.get_options({});
  const bool asks_daemon = std::any_of(options.begin(), options.end(), [](const auto* option) {
    return option->check_lname("socket");
  });
  for (const CLI::Option* option : options) {
    if (option->get_group().empty()) continue;
    auto& list = option->nonpositional() ? out.options : out.positionals;
    list.push_back(argument_info(*option, app.get_name(), asks_daemon));
  }
  // --help first is what CLI11 does; last is what reads well.
  if (!out.options.empty() && app.get_help_ptr() != nullptr)
    std::rotate(out.options.begin(), out.options.begin() + 1, out.options.end());
  for (const CLI::App* command : app.get_subcommands(std::function<bool(const CLI::App*)>()))
    if (!command->get_group().empty()) out.commands.push_back(command_info(*command));
  offer_commands(out);
  return out;
}

std::string usage(const CommandInfo& command) {
  if (!command.commands.empty()) return command.path + " COMMAND [OPTIONS] [ARGUMENTS]";
  std::string out = command.path;
  bool all_shown = true;
  for (const ArgumentInfo& option : command.options) all_shown = all_shown && option.required;
  if (!all_shown) out += " [OPTIONS]";
  for (const ArgumentInfo& option : command.options)
    if (option.required) out += " " + heading(option);
  for (const ArgumentInfo& argument : command.positionals) {
    const std::string name = argument.names.front() + (argument.repeats ? "..." : "");
    out += argument.required ? " " + name : " [" + name + "]";
  }
  return out;
}

std::string heading(const ArgumentInfo& argument) {
  std::string out;
  for (const std::string& name : argument.names) out += (out.empty() ? "" : ", ") + name;
  const bool option = argument.names.front().starts_with('-');
  return option && !argument.value.empty() ? out + " " + argument.value : out;
}

std::vector<std::string> options_with_value(const CommandInfo& program) {
  std::vector<std::string> out;
  const auto add = [&out](const std::string& command, const std::vector<ArgumentInfo>& options) {
    for (const ArgumentInfo& option : options)
      if (option.kind != ValueKind::none)
        for (const std::string& name : option.names) out.push_back(command + " " + name);
  };
  add("", program.options);
  for (const CommandInfo& command : program.commands) add(command.name, command.options);
  return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace guideway::cli
