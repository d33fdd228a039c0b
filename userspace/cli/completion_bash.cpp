#include "cli/completion.h"

namespace guideway::cli {
namespace {

// What is the same whatever the commands are. `cur` is the word that is completed, as typed.
constexpr const char* kHelpers = R"(# Bash completion of PROGRAM, made by `PROGRAM completion bash`.

# Offers each line of standard input that begins with what is typed, quoted for the shell.
_PROGRAM_offer() {
    local candidate quoted
    while IFS= read -r candidate; do
        [[ -n $candidate ]] || continue
        printf -v quoted %q "$candidate"
        [[ $candidate == "$cur"* || $quoted == "$cur"* ]] && COMPREPLY+=("$quoted")
    done
}

_PROGRAM_words() { _PROGRAM_offer < <(printf '%s\n' "$@"); }

_PROGRAM_files() {
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_PROGRAM_local_interfaces() {
    local folders=(/sys/class/net/*)
    _PROGRAM_words "${folders[@]##*/}"
}

# What the daemon knows: backends, pools, services or interfaces.
_PROGRAM_names() {
    local i socket=()
    for ((i = 1; i + 1 < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == --socket ]] || continue
        socket=(--socket "${COMP_WORDS[i + 1]}")
        [[ ${socket[1]} == = ]] && socket[1]=${COMP_WORDS[i + 2]}
    done
    _PROGRAM_offer < <("$program" names "$1" "${socket[@]}" 2> /dev/null)
}
)";

// Words are split at "=" as well: --pool=web is three of them.
constexpr const char* kBody = R"(
_PROGRAM() {
    local program=$1 cur=${COMP_WORDS[COMP_CWORD]} command='' option='' place=0 i word
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == = ]]; then
            continue
        elif [[ -n $option ]]; then
            option=''
        elif [[ $word == -* ]]; then
            _PROGRAM_takes_value "$command $word" && option=$word
        elif [[ -z $command ]]; then
            command=$word
        else
            place=$((place + 1))
        fi
    done
    [[ $cur == = ]] && cur=''
    if [[ -n $option ]]; then
        _PROGRAM_value "$command $option"
    elif [[ $cur == -* ]]; then
        _PROGRAM_options "$command"
    else
        _PROGRAM_value "$command $place"
        [[ -n $cur || ${#COMPREPLY[@]} -gt 0 ]] || _PROGRAM_options "$command"
    fi
}

complete -F _PROGRAM PROGRAM
)";

std::string words(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& word : list) out += " '" + replaced(word, "'", "'\\''") + "'";
  return out;
}

// What offers the values; empty where nothing is known about them.
std::string action(const ArgumentInfo& argument) {
  switch (argument.kind) {
    case ValueKind::none:
    case ValueKind::text: return {};
    case ValueKind::file: return "_PROGRAM_files";
    case ValueKind::choice: return "_PROGRAM_words" + words(argument.choices);
    case ValueKind::local_interface: return "_PROGRAM_local_interfaces";
    case ValueKind::backend:
    case ValueKind::pool:
    case ValueKind::service:
    case ValueKind::interface: return "_PROGRAM_names " + std::string(names_kind(argument.kind));
  }
  return {};
}

std::string one_case(const std::string& pattern, const std::string& what) {
  return what.empty() ? "" : "        " + pattern + ") " + what + " ;;\n";
}

std::string function(const std::string& name, const std::string& cases) {
  return "\n" + name + "() {\n    case $1 in\n" + cases + "    esac\n}\n";
}

std::string value_cases(const CommandInfo& command, const std::string& name) {
  std::string out;
  for (const ArgumentInfo& option : command.options)
    for (const std::string& alias : option.names)
      out += one_case("'" + name + " " + alias + "'", action(option));
  for (std::size_t i = 0; i < command.positionals.size(); ++i) {
    const ArgumentInfo& argument = command.positionals[i];
    const std::string place = argument.repeats ? "'*" : std::to_string(i) + "'";
    out += one_case("'" + name + " " + place, action(argument));
  }
  return out;
}

std::string long_names(const CommandInfo& command) {
  std::vector<std::string> names;
  for (const ArgumentInfo& option : command.options) names.push_back(option.names.back());
  return "_PROGRAM_words" + words(names);
}

}  // namespace

std::string_view names_kind(ValueKind kind) {
  switch (kind) {
    case ValueKind::backend: return "backends";
    case ValueKind::pool: return "pools";
    case ValueKind::service: return "services";
    case ValueKind::interface: return "interfaces";
    default: return {};
  }
}

std::string bash_completion(const CommandInfo& program) {
  std::string takes_value, values, options;
  for (const std::string& option : options_with_value(program))
    takes_value += one_case("'" + option + "'", "return 0");
  takes_value += one_case("*", "return 1");
  std::vector<std::string> names;
  for (const CommandInfo& command : program.commands) {
    names.push_back(command.name);
    values += value_cases(command, command.name);
    options += one_case(command.name, long_names(command));
  }
  values += value_cases(program, "") + one_case("' 0'", "_PROGRAM_words" + words(names));
  options += one_case("''", long_names(program));
  return replaced(kHelpers + function("_PROGRAM_takes_value", takes_value) +
                      function("_PROGRAM_value", values) + function("_PROGRAM_options", options) +
                      kBody,
                  "PROGRAM", program.name);
}

}  // namespace guideway::cli
