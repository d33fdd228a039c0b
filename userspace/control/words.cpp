#include "control/words.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace guideway::control {
namespace {

constexpr std::size_t kMaxShown = 60;    // bytes of an operator's text in a message
constexpr std::size_t kMaxSimilar = 64;  // no key or name is longer

char folded(char character) {
  if (character >= 'A' && character <= 'Z') return static_cast<char>(character - 'A' + 'a');
  return character == '_' ? '-' : character;
}

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` ("optimal
// string alignment"). Three rows of the table suffice. REQUIRES: neither is longer than
// kMaxSimilar.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kMaxSimilar + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                           folded(a[i - 2]) == folded(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

// "warn" for "warning". Two letters could be the start of anything.
bool abbreviates(std::string_view text, std::string_view word) {
  return text.size() >= 3 && text.size() < word.size() &&
         std::ranges::equal(text, word.substr(0, text.size()), {}, folded, folded);
}

}  // namespace

std::string printable(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string result;
  std::size_t end = std::min(text.size(), kMaxShown);
  // Not through the middle of a UTF-8 character.
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  for (std::size_t i = 0; i < end; ++i) {
    const char character = text[i];
    const auto byte = static_cast<unsigned char>(character);
    // Second byte of U+0080 to U+009F: controls too, to terminals.
    const bool is_c1 = i > 0 && text[i - 1] == '\xc2' && byte < 0xa0;
    if (character == '"' || character == '\\') {
      result += '\\';
      result += character;
    } else if (byte < 0x20 || byte == 0x7f || is_c1) {
      if (is_c1) result.pop_back();
      result += "\\x";
      result += kDigits[byte >> 4];
      result += kDigits[byte & 0x0f];
    } else {
      result += character;
    }
  }
  if (end < text.size()) result += "...";
  return result;
}

std::string quoted(std::string_view text) { return '"' + printable(text) + '"'; }

std::string joined(std::span<const std::string_view> words, std::string_view last) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && i + 1 == words.size()) {
      result += ' ';
      result += last;
      result += ' ';
    } else if (i > 0) {
      result += ", ";
    }
    result += words[i];
  }
  return result;
}

std::optional<std::string_view> nearest(std::string_view text,
                                        std::span<const std::string_view> words) {
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  if (text.size() > kMaxSimilar) return best;
  for (const std::string_view word : words) {
    if (word.size() > kMaxSimilar) continue;
    const std::size_t changes = abbreviates(text, word) ? 1 : distance(text, word);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(text.size(), word.size()) / 3);
    if (changes > allowed || changes >= word.size()) continue;
    if (!best || changes < best_distance) {
      best = word;
      best_distance = changes;
    }
  }
  return best;
}

}  // namespace guideway::control
