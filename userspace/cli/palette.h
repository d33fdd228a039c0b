// The few colours of what `guideway` prints, as a value that views are given: good is green, bad is
// red, caution is yellow, headings are bold. Colour only repeats what the words say. A palette that
// is off gives text back as it is, so that views are pure and have one way for both.
//
// Which palette it is for an output: cli/terminal.h, output_palette(). How wide coloured text is:
// cli/columns.h.
//
// Threads: any; nothing in it changes.
#pragma once

#include <string>
#include <string_view>

namespace guideway::cli {

class Palette {
 public:
  constexpr Palette() = default;  // off
  constexpr explicit Palette(bool on) : on_(on) {}

  [[nodiscard]] constexpr bool on() const { return on_; }

  [[nodiscard]] std::string good(std::string_view text) const { return painted("\33[32m", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return painted("\33[31m", text); }
  [[nodiscard]] std::string caution(std::string_view text) const {
    return painted("\33[33m", text);
  }
  [[nodiscard]] std::string heading(std::string_view text) const { return painted("\33[1m", text); }

 private:
  // Each piece ends its colour itself, so that what comes behind it, or is cut off, has none.
  [[nodiscard]] std::string painted(std::string_view colour, std::string_view text) const {
    if (!on_ || text.empty()) return std::string(text);
    std::string out(colour);
    out += text;
    return out += "\33[0m";
  }

  bool on_ = false;
};

}  // namespace guideway::cli
