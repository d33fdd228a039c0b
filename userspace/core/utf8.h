// Text of unknown origin (a path, a host name, a part of a request) made fit for JSON and for the
// text format of Prometheus, which both are UTF-8 (RFC 3629) or nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace guideway {

// Bytes of the UTF-8 character that `text` starts with, 0 if it starts with none. No overlong
// forms, no surrogates, nothing above U+10FFFF (RFC 3629, section 4).
[[nodiscard]] inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t from, std::size_t end) {
    for (std::size_t i = from; i < end; ++i)
      if ((byte(i) & 0xc0U) != 0x80U) return false;
    return true;
  };
  const unsigned first = byte(0), second = byte(1);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1, 2) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
    return continues(1, 3) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return continues(1, 4) ? 4 : 0;
  }
  return 0;
}

// `text` with '?' for each byte that is no part of a character.
[[nodiscard]] inline std::string valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = utf8_length(text);
    if (bytes == 0)
      result += '?';
    else
      result += text.substr(0, bytes);
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return result;
}

}  // namespace guideway
