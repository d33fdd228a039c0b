// What a command line takes, as plain values: read out of the CLI11 tree that parses it, so that
// help, completion and manual cannot say anything else than the parser does. Hidden commands and
// options (of the group "") are left out.
//
// Conventions that the tree is read by:
// - the name of a positional argument, or else of an option, says what its values are:
//   BACKEND, POOL, SERVICE, INTERFACE, COMMAND, FILE, --backend, --pool, --service, --interface;
//   NAME is what its command shows: of `interfaces`, an interface
// - a value whose type is PATH or FILE is a file
// - a type such as "tcp|udp", or CLI::IsMember, lists the values that there are
//
// Threads: none of its own. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace guideway::cli {

enum class ValueKind : std::uint8_t {
  none,  // a flag
  text,  // nothing is known about it
  file,
  choice,           // one of ArgumentInfo::choices
  backend,          // an address, of those that guidewayd knows
  pool,             // a name, as above
  service,          // a name, as above
  interface,        // a name, of the interfaces that guidewayd serves
  local_interface,  // a name, of the interfaces of this host
};

struct ArgumentInfo {
  std::vector<std::string> names;  // "-h" before "--help"; of a positional argument its only one
  std::string value;               // the word for its value, "ADDR"; empty: a flag
  std::string description;
  std::string preset;       // the default; empty: none that is worth a word
  std::string environment;  // the variable that sets it; empty: none
  std::vector<std::string> choices;
  ValueKind kind = ValueKind::none;
  bool required = false;
  bool repeats = false;

  // The description, and behind it the default, the variable and the range where there are any.
  [[nodiscard]] std::string sentence() const;
};

struct CommandInfo {
  std::string name;
  std::string path;   // "guideway drain": as it is typed
  std::string group;  // the heading that it stands under
  std::string description;
  std::string footer;
  std::vector<ArgumentInfo> positionals, options;
  std::vector<CommandInfo> commands;
};

[[nodiscard]] CommandInfo command_info(const CLI::App& app);

// "guideway drain [OPTIONS] BACKEND"
[[nodiscard]] std::string usage(const CommandInfo& command);

// "-h, --help" or "--pool NAME"
[[nodiscard]] std::string heading(const ArgumentInfo& argument);

// The options that take a value, each with its command: "backends --pool". Of all
// commands of `program`, one for each name; options of the program itself begin with a space.
[[nodiscard]] std::vector<std::string> options_with_value(const CommandInfo& program);

// `text` with `what` replaced by `by` wherever it is.
[[nodiscard]] std::string replaced(std::string text, std::string_view what, std::string_view by);

}  // namespace guideway::cli
