#include "cli/text_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "cli/columns.h"

namespace guideway::cli {
namespace {

constexpr std::string_view kIndent = "  ";
constexpr std::string_view kGap = "  ";

std::string one_decimal(double value) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.1f", value);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string pad(const std::string& cell, std::size_t width, TextTable::Align align) {
  return align == TextTable::Align::left ? padded_right(cell, width) : padded_left(cell, width);
}

}  // namespace

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out.push_back(columns_of(columns_[i].heading));
    for (const auto& row : rows_) out[i] = std::max(out[i], columns_of(row[i]));
  }
  return out;
}

std::vector<std::string> TextTable::lines(const Palette& palette) const {
  const auto width = widths();
  const auto line = [&](auto cell_at) {
    std::string out(kIndent);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i != 0) out += kGap;
      out += pad(cell_at(i), width[i], columns_[i].align);
    }
    return out.substr(0, out.find_last_not_of(' ') + 1);
  };
  std::vector<std::string> out = {
      palette.heading(line([&](std::size_t i) { return columns_[i].heading; }))};
  for (const auto& row : rows_) out.push_back(line([&](std::size_t i) { return row[i]; }));
  return out;
}

std::string TextTable::text(const Palette& palette) const {
  std::string out;
  for (const std::string& line : lines(palette)) out += line + "\n";
  return out;
}

void TextTable::fit(std::size_t column, std::size_t columns) {
  const auto width = widths();
  std::size_t all = kIndent.size() + kGap.size() * (width.size() - 1);
  for (const std::size_t one : width) all += one;
  if (all <= columns) return;
  const std::size_t least = std::min(width[column], kLeastColumns);
  const std::size_t most = std::max(least, width[column] - std::min(width[column], all - columns));
  columns_[column].heading = cut(columns_[column].heading, most);
  for (auto& row : rows_) row[column] = cut(row[column], most);
}

std::string wrapped(std::string_view label, const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string out, line = std::string(label) + ": ";
  const std::string indent(columns_of(line), ' ');
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : "");
    const bool first = line.ends_with(": ") || line == indent;
    if (!first && columns_of(line) + 1 + columns_of(item) > kTerminalColumns) {
      out += line + "\n";
      line = indent + item;
    } else {
      line += (first ? "" : " ") + item;
    }
  }
  return out + line + "\n";
}

std::string wrapped_words(std::string_view text, std::size_t column) {
  std::string out;
  std::size_t at = column;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string_view word = text.substr(start, end - start);
    const bool first = at == column;
    if (!first && at + 1 + columns_of(word) > kTerminalColumns) {
      out += "\n" + std::string(column, ' ');
      at = column;
    } else if (!first) {
      out += ' ';
      ++at;
    }
    out += word;
    at += columns_of(word);
    start = end + 1;
  }
  return out + "\n";
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  constexpr std::array kUnits = {" kB", " MB", " GB", " TB", " PB", " EB"};
  std::size_t unit = 0;
  // Up to where one decimal would be rounded to 1000.0.
  double value = static_cast<double>(bytes) / 1000;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return one_decimal(value) + kUnits[unit];
}

std::string rate_text(double per_second, std::string_view unit) {
  constexpr std::array kPrefixes = {"", "k", "M", "G", "T", "P", "E"};
  double value = per_second > 0 ? per_second : 0;
  std::size_t prefix = 0;
  // Up to where it would be rounded to 1000.
  for (; value >= 999.5 && prefix + 1 < kPrefixes.size(); ++prefix) value /= 1000;
  const bool whole = value >= 99.95 || value < 0.05 || (prefix == 0 && value >= 9.95);
  const std::string digits =
      whole ? std::to_string(std::llround(std::min(value, 999.0))) : one_decimal(value);
  const std::string tail = kPrefixes[prefix] + std::string(unit);
  return tail.empty() ? digits : digits + " " + tail;
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return one_decimal(100 * static_cast<double>(part) / static_cast<double>(whole)) + " %";
}

std::string duration_text(std::uint64_t seconds) {
  struct Unit {
    std::uint64_t seconds;
    char letter;
  };
  std::string out;
  for (const Unit unit : {Unit{86400, 'd'}, Unit{3600, 'h'}, Unit{60, 'm'}, Unit{1, 's'}}) {
    const std::string count = std::to_string(seconds / unit.seconds);
    seconds %= unit.seconds;
    if (out.empty() && count == "0" && unit.letter != 's') continue;
    if (!out.empty()) out += count.size() < 2 ? " 0" : " ";
    out += count + unit.letter;
  }
  return out;
}

std::string latency_text(std::uint64_t microseconds) {
  if (microseconds < 1000) return std::to_string(microseconds) + " us";
  const double milliseconds = static_cast<double>(microseconds) / 1000;
  // Up to where one decimal would be rounded to 1000.0.
  if (milliseconds < 999.95) return one_decimal(milliseconds) + " ms";
  return one_decimal(milliseconds / 1000) + " s";
}

std::string time_text(std::uint64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  std::array<char, 64> text{};
  if (::gmtime_r(&time, &parts) == nullptr) return "-";  // beyond the last year that an int holds
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace guideway::cli
