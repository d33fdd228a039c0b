// What `guideway` writes to: is it a terminal, and are colours wanted on it?
//
// Threads: any, as long as nobody changes the environment.
#pragma once

#include <string>

#include "cli/palette.h"

namespace guideway::cli {

// What decides about colours. An environment variable that is not set is empty.
struct ColourFacts {
  bool terminal = false;   // the output is one
  std::string term{};      // TERM
  std::string no_color{};  // NO_COLOR (https://no-color.org)
  std::string force{};     // CLICOLOR_FORCE
};

// Colours are wanted on a terminal that is not dumb, unless NO_COLOR is not empty. CLICOLOR_FORCE,
// unless it is empty or 0, wants them on any output, and is stronger.
[[nodiscard]] Palette palette_for(const ColourFacts& facts);

// The palettes of standard output and of standard error, each by what it is connected to.
[[nodiscard]] Palette output_palette();
[[nodiscard]] Palette error_palette();

// Standard output is a terminal whose cursor can be moved: not a dumb one.
[[nodiscard]] bool output_has_screen();

}  // namespace guideway::cli
