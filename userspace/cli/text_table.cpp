#include "cli/text_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

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
  const std::string blanks(width - std::min(width, cell.size()), ' ');
  return align == TextTable::Align::left ? cell + blanks : blanks + cell;
}

}  // namespace

std::string TextTable::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(columns_[i].heading.size());
    for (const auto& row : rows_) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](auto cell_at) {
    std::string out(kIndent);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i != 0) out += kGap;
      out += pad(cell_at(i), widths[i], columns_[i].align);
    }
    return out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  };
  std::string out = line([&](std::size_t i) { return columns_[i].heading; });
  for (const auto& row : rows_) out += line([&](std::size_t i) { return row[i]; });
  return out;
}

std::string wrapped(std::string_view label, const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string out, line = std::string(label) + ": ";
  const std::string indent(line.size(), ' ');
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : "");
    const bool first = line.ends_with(": ") || line == indent;
    if (!first && line.size() + 1 + item.size() > kTerminalColumns) {
      out += line + "\n";
      line = indent + item;
    } else {
      line += (first ? "" : " ") + item;
    }
  }
  return out + line + "\n";
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
