// A command line that cannot be understood, told in one line: what is wrong with it, what was
// probably meant, and where help is.
//
// Threads: one. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace guideway::cli {

// REQUIRES: `app` has just thrown `error` while it parsed.
[[nodiscard]] std::string wrong_use(const CLI::App& app, const CLI::ParseError& error);

// "unknown command stauts: did you mean status?"
[[nodiscard]] std::string unknown_command(const CLI::App& app, const std::string& word);

}  // namespace guideway::cli
