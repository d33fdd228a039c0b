// Text in columns for a terminal: as wide as what is in them, no colours, no lines. Pure.
//
// Threads: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "label: item, item, ..." in lines of up to kTerminalColumns where the items allow it, those
// behind the first indented below the first item. Empty if there are no items.
[[nodiscard]] std::string wrapped(std::string_view label, const std::vector<std::string>& items);

// "0 B", "999 B", "1.0 kB", "12.3 GB": three to four digits, powers of 1000.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// "33.3 %" of `whole`; "-" of nothing.
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t whole);

// "59s", "1h 02m 03s", "12d 00h 00m 01s".
[[nodiscard]] std::string duration_text(std::uint64_t seconds);

// "850 us", "1.2 ms", "3.0 s": what an answer took.
[[nodiscard]] std::string latency_text(std::uint64_t microseconds);

// "2026-01-31T23:59:59Z".
[[nodiscard]] std::string time_text(std::uint64_t unix_seconds);

}  // namespace guideway::cli
