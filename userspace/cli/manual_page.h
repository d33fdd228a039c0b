// guideway(1) as a page of man(7), made of what the command line takes (cli/command_info.h).
//
// Threads: none of its own. Pure.
#pragma once

#include <string>

#include "cli/command_info.h"

namespace guideway::cli {

struct ManualFacts {
  std::string version;
  std::string date;        // YYYY-MM-DD; empty: the page has none
  std::string exit_codes;  // what the footer of a command says about them: said once, not with each
};

[[nodiscard]] std::string manual_page(const CommandInfo& program, const ManualFacts& facts);

// `text` as roff shows it letter by letter: nothing in it is a request or an escape. Words in
// backquotes become bold.
[[nodiscard]] std::string roff(std::string_view text);

}  // namespace guideway::cli
