#include "cli/terminal.h"

#include <unistd.h>

#include <cstdlib>

namespace guideway::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Palette palette_of(int descriptor) {
  return palette_for({.terminal = ::isatty(descriptor) == 1,
                      .term = environment("TERM"),
                      .no_color = environment("NO_COLOR"),
                      .force = environment("CLICOLOR_FORCE")});
}

}  // namespace

Palette palette_for(const ColourFacts& facts) {
  if (!facts.force.empty() && facts.force != "0") return Palette(true);
  return Palette(facts.terminal && !facts.term.empty() && facts.term != "dumb" &&
                 facts.no_color.empty());
}

bool output_has_screen() {
  const std::string term = environment("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && !term.empty() && term != "dumb";
}

Palette output_palette() { return palette_of(STDOUT_FILENO); }
Palette error_palette() { return palette_of(STDERR_FILENO); }

}  // namespace guideway::cli
