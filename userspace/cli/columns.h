// How many columns of a terminal a text takes, and texts made to take so many: bytes of UTF-8 and
// the escape sequences of colours (cli/palette.h) are not columns. Pure.
//
// Widths are those of Unicode for the scripts that a name may be in: 2 for East Asian wide
// characters and emoji, 0 for what combines with the character before it. A byte that is no UTF-8
// counts as one column.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace guideway::cli {

[[nodiscard]] std::size_t columns_of(std::string_view text);

// As much of `text` as fits `columns`, with ".." at its end where something is missing. Colours end
// where they would have ended.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

// `text` with blanks behind it, or before it, up to `columns`; longer text as it is.
[[nodiscard]] std::string padded_right(std::string_view text, std::size_t columns);
[[nodiscard]] std::string padded_left(std::string_view text, std::size_t columns);

}  // namespace guideway::cli
