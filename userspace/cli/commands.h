// The commands of `guideway`: each add_ function declares one to the command line, with its help,
// and sets `chosen` to what runs it when it is the one on the command line.
//
// Threads: one.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/failure.h"

namespace guideway::cli {

using Command = std::function<Outcome<>()>;

void add_status(CLI::App& app, Command& chosen);
void add_services(CLI::App& app, Command& chosen);
void add_backends(CLI::App& app, Command& chosen);
void add_drain(CLI::App& app, Command& chosen);
void add_undrain(CLI::App& app, Command& chosen);
void add_reload(CLI::App& app, Command& chosen);
void add_bgp(CLI::App& app, Command& chosen);
void add_role(CLI::App& app, Command& chosen);
void add_log(CLI::App& app, Command& chosen);
void add_check(CLI::App& app, Command& chosen);
void add_decap(CLI::App& app, Command& chosen);
void add_explain(CLI::App& app, Command& chosen);
void add_flows(CLI::App& app, Command& chosen);
void add_interfaces(CLI::App& app, Command& chosen);
void add_watch(CLI::App& app, Command& chosen);
void add_doctor(CLI::App& app, Command& chosen);
void add_help(CLI::App& app, Command& chosen);
void add_completion(CLI::App& app, Command& chosen);
void add_names(CLI::App& app, Command& chosen);

// Of a daemon of the package.
inline constexpr const char* kDefaultFile = "/etc/guideway/guideway.yaml";

// What CLI11 prints of a value that is wrong; empty: it is right.
[[nodiscard]] std::string checked_address(const std::string& text);
[[nodiscard]] std::string checked_not_empty(const std::string& text);

// Writes to standard output.
[[nodiscard]] Outcome<> print(const std::string& text);

}  // namespace guideway::cli
