#include "cli/columns.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "core/utf8.h"

namespace guideway::cli {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Unicode 15: general categories Mn, Me and Cf, as far as names have them.
constexpr Range kCombining[] = {
    {0x0300, 0x036F},   {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x06D6, 0x06DC},   {0x093A, 0x093A}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
    {0x0E31, 0x0E31},   {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F},   {0x202A, 0x202E}, {0x2060, 0x2064}, {0x2066, 0x206F}, {0x20D0, 0x20FF},
    {0x302A, 0x302D},   {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF},
    {0xE0001, 0xE01EF},
};
// Unicode 15, EastAsianWidth.txt: W and F; emoji are among them.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26A1, 0x26A1},   {0x26AA, 0x26AB},
    {0x2705, 0x2705},   {0x270A, 0x270B},   {0x274C, 0x274C},   {0x2753, 0x2757},
    {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x16FE0, 0x18CFF}, {0x1AFF0, 0x1B2FF}, {0x1F1E6, 0x1F1FF}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD},
};

template <std::size_t N>
bool in(const Range (&ranges)[N], std::uint32_t character) {
  const auto* found = std::find_if(std::begin(ranges), std::end(ranges),
                                   [&](const Range& range) { return character <= range.last; });
  return found != std::end(ranges) && character >= found->first;
}

std::uint32_t decoded(std::string_view character) {
  constexpr std::uint32_t kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t value = static_cast<unsigned char>(character[0]) & kLeadBits[character.size()];
  for (const char next : character.substr(1))
    value = value << 6 | (static_cast<unsigned char>(next) & 0x3FU);
  return value;
}

// What `text` begins with: so many bytes that stay together, and the columns that they take.
struct Piece {
  std::size_t bytes, columns;
  bool colour = false;
};

// REQUIRES: `text` is not empty.
Piece first_piece(std::string_view text) {
  if (text.starts_with("\33[")) {
    const std::size_t end = text.find('m');
    if (end != std::string_view::npos) return {end + 1, 0, true};
  }
  const std::size_t bytes = utf8_length(text);
  if (bytes <= 1) return {1, 1};
  const std::uint32_t character = decoded(text.substr(0, bytes));
  if (in(kCombining, character)) return {bytes, 0};
  return {bytes, in(kWide, character) ? std::size_t{2} : std::size_t{1}};
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    columns += piece.columns;
    text.remove_prefix(piece.bytes);
  }
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  constexpr std::string_view kMissing = "..";
  const std::string_view mark = kMissing.substr(0, std::min(columns, kMissing.size()));
  const std::size_t room = columns - mark.size();
  std::string out;
  std::size_t used = 0;
  bool full = false;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    if (!piece.colour && !full && used + piece.columns > room) {
      full = true;
      out += mark;
    }
    if (piece.colour || !full) out += text.substr(0, piece.bytes);
    used += piece.columns;
    text.remove_prefix(piece.bytes);
  }
  return out;
}

std::string padded_right(std::string_view text, std::size_t columns) {
  return std::string(text) + std::string(columns - std::min(columns, columns_of(text)), ' ');
}

std::string padded_left(std::string_view text, std::size_t columns) {
  return std::string(columns - std::min(columns, columns_of(text)), ' ') + std::string(text);
}

}  // namespace guideway::cli
