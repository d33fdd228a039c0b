#include "cli/completion.h"

namespace guideway::cli {
namespace {

constexpr const char* kHelpers = R"sh(#compdef PROGRAM
# Zsh completion of PROGRAM, made by `PROGRAM completion zsh`.

# What the daemon knows: the last argument says what, those before it are for compadd.
_PROGRAM_names() {
    local -a names socket
    local i
    for ((i = 1; i < CURRENT; i++)); do
        case ${words[i]} in
        --socket=*) socket=(--socket "${(Q)words[i]#--socket=}") ;;
        --socket) ((i + 1 < CURRENT)) && socket=(--socket "${(Q)words[i + 1]}") ;;
        esac
    done
    names=(${(f)"$(command PROGRAM names "${@[-1]}" "${socket[@]}" 2> /dev/null)"})
    compadd "${@[1,-2]}" -a names
}

_PROGRAM_local_interfaces() {
    local -a names
    names=(/sys/class/net/*(N:t))
    compadd "$@" -a names
}

)sh";

// Read by `source <(..)` the file is no function that is called: it has to be named to the shell.
constexpr const char* kEnd = R"(
if [[ ${funcstack[1]} == _PROGRAM ]]; then
    _PROGRAM "$@"
else
    compdef _PROGRAM PROGRAM
fi
)";

std::string in_quotes(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

// For the parts of a specification of _arguments, and the names of _describe.
std::string escaped(std::string text) {
  for (const char* special : {"\\", ":", "[", "]"})
    text = replaced(std::move(text), special, std::string("\\") + special);
  return text;
}

std::string action(const ArgumentInfo& argument) {
  switch (argument.kind) {
    case ValueKind::none: return {};
    case ValueKind::text: return " ";
    case ValueKind::file: return "_files";
    case ValueKind::local_interface: return "_PROGRAM_local_interfaces";
    case ValueKind::choice: {
      std::string out;
      for (const std::string& choice : argument.choices) out += (out.empty() ? "" : " ") + choice;
      return "(" + out + ")";
    }
    case ValueKind::backend:
    case ValueKind::pool:
    case ValueKind::service:
    case ValueKind::interface: return "_PROGRAM_names " + std::string(names_kind(argument.kind));
  }
  return {};
}

std::string option_specs(const ArgumentInfo& option, const std::string& indent) {
  std::string others, out;
  for (const std::string& name : option.names) others += (others.empty() ? "" : " ") + name;
  for (const std::string& name : option.names) {
    const bool flag = option.kind == ValueKind::none;
    std::string spec = option.repeats ? "*" : "(" + others + ")";
    spec += name + (flag ? "" : name.starts_with("--") ? "=" : "+");
    spec += "[" + escaped(option.description) + "]";
    if (!flag) spec += ":" + escaped(option.value) + ":" + action(option);
    out += indent + in_quotes(spec);
  }
  return out;
}

std::string positional_spec(const ArgumentInfo& argument, std::size_t place) {
  const std::string where =
      argument.repeats ? "*" : std::to_string(place + 1) + (argument.required ? "" : ":");
  return in_quotes(where + ":" + escaped(argument.names.front()) + ":" + action(argument));
}

std::string command_case(const CommandInfo& command) {
  const std::string indent = " \\\n            ";
  std::string out = "        " + command.name + ")\n        _arguments -s";
  for (const ArgumentInfo& option : command.options) out += option_specs(option, indent);
  for (std::size_t i = 0; i < command.positionals.size(); ++i)
    out += indent + positional_spec(command.positionals[i], i);
  return out + " ;;\n";
}

}  // namespace

std::string zsh_completion(const CommandInfo& program) {
  std::string out = std::string(kHelpers) +
                    "_PROGRAM() {\n    local curcontext=\"$curcontext\" state line\n"
                    "    local -A opt_args\n    local -a commands\n    _arguments -C -s";
  for (const ArgumentInfo& option : program.options) out += option_specs(option, " \\\n        ");
  out +=
      " \\\n        '1:COMMAND:->command' \\\n        '*::ARGUMENT:->arguments' && return 0\n"
      "    case $state in\n    command)\n        commands=(\n";
  for (const CommandInfo& command : program.commands)
    out += "            " + in_quotes(escaped(command.name) + ":" + command.description) + "\n";
  out +=
      "        )\n        _describe COMMAND commands ;;\n    arguments)\n        case ${line[1]} "
      "in\n";
  for (const CommandInfo& command : program.commands) out += command_case(command);
  out += std::string("        esac ;;\n    esac\n}\n") + kEnd;
  return replaced(std::move(out), "PROGRAM", program.name);
}

}  // namespace guideway::cli
