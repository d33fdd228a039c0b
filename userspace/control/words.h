// Words for error messages: what an operator wrote, shown safely, and what was probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace guideway::control {

// `text` in double quotes, cut where it is long, control characters and quotes escaped: safe for a
// terminal and a log, whatever it holds.
[[nodiscard]] std::string quoted(std::string_view text);

// The same without the quotes, for the path of a key.
[[nodiscard]] std::string printable(std::string_view text);

// "a, b or c", with `last` ("or", "and") before the last one.
[[nodiscard]] std::string joined(std::span<const std::string_view> words, std::string_view last);

// The one of `words` that `text` is probably a slip of the keyboard for. Letter case and the
// difference between '-' and '_' count for nothing; nullopt where none is near.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view text,
                                                      std::span<const std::string_view> words);

}  // namespace guideway::control
