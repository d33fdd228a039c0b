#include "cli/completion.h"

namespace guideway::cli {
namespace {

constexpr const char* kHead = R"(# Fish completion of PROGRAM, made by `PROGRAM completion fish`.

)";

constexpr const char* kHelpers = R"(
# Two lines: the command that is typed already, and how many arguments of it.
function __PROGRAM_place
    set -l words (commandline -opc)
    set -e words[1]
    set -l command ''
    set -l place 0
    set -l value no
    for word in $words
        if test $value = yes
            set value no
        else if string match -q -- '-*' $word
            contains -- "$command $word" $__PROGRAM_with_value
            and set value yes
        else if test -z "$command"
            set command $word
        else
            set place (math $place + 1)
        end
    end
    printf '%s\n' "$command" $place
end

# Whether this command is typed, and, where the second word says it, so many arguments of it.
function __PROGRAM_at
    set -l now (__PROGRAM_place)
    test "$now[1]" = "$argv[1]"
    and begin
        not set -q argv[2]
        or test $now[2] = $argv[2]
    end
end

# What the daemon knows: backends, pools, services or interfaces.
function __PROGRAM_names
    set -l words (commandline -opc)
    set -l socket
    for i in (seq 2 (count $words))
        if test "$words[$i]" = --socket
            and test $i -lt (count $words)
            set socket --socket $words[(math $i + 1)]
        else if string match -q -- '--socket=*' "$words[$i]"
            set socket --socket (string replace -- --socket= '' $words[$i])
        end
    end
    command PROGRAM names $argv[1] $socket 2>/dev/null
end

function __PROGRAM_local_interfaces
    string replace -r '.*/' '' -- /sys/class/net/*
end

complete -c PROGRAM -f
)";

std::string in_quotes(std::string text) {
  text = replaced(std::move(text), "\\", "\\\\");
  return "'" + replaced(std::move(text), "'", "\\'") + "'";
}

std::string values(const ArgumentInfo& argument) {
  switch (argument.kind) {
    case ValueKind::none:
    case ValueKind::text:
    case ValueKind::file: return {};
    case ValueKind::local_interface: return "(__PROGRAM_local_interfaces)";
    case ValueKind::choice: {
      std::string out;
      for (const std::string& choice : argument.choices) out += (out.empty() ? "" : " ") + choice;
      return out;
    }
    case ValueKind::backend:
    case ValueKind::pool:
    case ValueKind::service:
    case ValueKind::interface:
      return "(__PROGRAM_names " + std::string(names_kind(argument.kind)) + ")";
  }
  return {};
}

std::string rule(const std::string& condition) {
  return "complete -c PROGRAM -n " + in_quotes("__PROGRAM_at " + condition);
}

std::string option_rule(const std::string& condition, const ArgumentInfo& option) {
  std::string out = rule(condition);
  for (const std::string& name : option.names)
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (option.kind == ValueKind::file)
    out += " -r -F";
  else if (option.kind != ValueKind::none)
    out += " -x";
  if (const std::string offered = values(option); !offered.empty())
    out += " -a " + in_quotes(offered);
  return out + " -d " + in_quotes(option.description) + "\n";
}

std::string positional_rule(const CommandInfo& command, std::size_t place) {
  const ArgumentInfo& argument = command.positionals[place];
  std::string out = rule(command.name + (argument.repeats ? "" : " " + std::to_string(place)));
  if (argument.kind == ValueKind::file) return out + " -F\n";
  const std::string offered = values(argument);
  if (offered.empty()) return {};
  return out + " -a " + in_quotes(offered) + " -d " + in_quotes(argument.names.front()) + "\n";
}

}  // namespace

std::string fish_completion(const CommandInfo& program) {
  std::string out = std::string(kHead) + "set -g __PROGRAM_with_value";
  for (const std::string& option : options_with_value(program)) out += " " + in_quotes(option);
  out += std::string("\n") + kHelpers;
  for (const ArgumentInfo& option : program.options) out += option_rule("''", option);
  for (const CommandInfo& command : program.commands)
    out += rule("''") + " -a " + command.name + " -d " + in_quotes(command.description) + "\n";
  for (const CommandInfo& command : program.commands) {
    for (const ArgumentInfo& option : command.options) out += option_rule(command.name, option);
    for (std::size_t i = 0; i < command.positionals.size(); ++i) out += positional_rule(command, i);
  }
  return replaced(std::move(out), "PROGRAM", program.name);
}

}  // namespace guideway::cli
