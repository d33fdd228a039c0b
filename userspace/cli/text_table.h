// Text in columns for a terminal: as wide as what is in them, no lines. Cells may have colours
// (cli/palette.h): they take no room. Pure.
//
// Threads: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/palette.h"

namespace guideway::cli {

inline constexpr std::size_t kTerminalColumns = 80;

class TextTable {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string heading;
    Align align = Align::right;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: a cell for each column.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // Headings and rows, indented by two, each line ended, none with blanks at its end.
  [[nodiscard]] std::string text(const Palette& palette = {}) const;

  // The same as lines without their ends: the headings first.
  [[nodiscard]] std::vector<std::string> lines(const Palette& palette = {}) const;

  // Cuts the cells of one column (cli/columns.h) so that no line is wider than `columns`, but to no
  // less than kLeastColumns. REQUIRES: column < number of columns.
  static constexpr std::size_t kLeastColumns = 4;
  void fit(std::size_t column, std::size_t columns);

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "label: item, item, ..." in lines of up to kTerminalColumns where the items allow it, those
// behind the first indented below the first item. Empty if there are no items.
[[nodiscard]] std::string wrapped(std::string_view label, const std::vector<std::string>& items);

// `text` from `column` on, in lines of up to kTerminalColumns; words are not cut. The first line is
// not indented, each is ended.
[[nodiscard]] std::string wrapped_words(std::string_view text, std::size_t column);

// "0 B", "999 B", "1.0 kB", "12.3 GB": three to four digits, powers of 1000.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// "0", "0.5", "12", "999", "1.2 k", "12.3 k", "123 k", "1.2 M": so many a second, with `unit`
// behind it: "1.2 Mbit/s", "999 bit/s". What is negative or no number is 0.
[[nodiscard]] std::string rate_text(double per_second, std::string_view unit = "");

// "33.3 %" of `whole`; "-" of nothing.
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t whole);

// "59s", "1h 02m 03s", "12d 00h 00m 01s".
[[nodiscard]] std::string duration_text(std::uint64_t seconds);

// "850 us", "1.2 ms", "3.0 s": what an answer took.
[[nodiscard]] std::string latency_text(std::uint64_t microseconds);

// "2026-01-31T23:59:59Z".
[[nodiscard]] std::string time_text(std::uint64_t unix_seconds);

}  // namespace guideway::cli
