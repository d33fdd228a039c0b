#include "cli/text_table.h"

#include "support/catch.h"

namespace guideway::cli {
namespace {

using Align = TextTable::Align;

TEST_CASE("columns are as wide as their widest cell, numbers to the right, no blanks at the end") {
  TextTable table({{"name", Align::left}, {"count"}, {"note", Align::left}});
  table.add({"a", "7", ""});
  table.add({"longer name", "1234567", "x"});
  CHECK(table.text() ==
        "  name           count  note\n"
        "  a                  7\n"
        "  longer name  1234567  x\n");
}

TEST_CASE("a table without rows is its headings") {
  CHECK(TextTable({{"a"}, {"b", Align::left}}).text() == "  a  b\n");
}

TEST_CASE("items that do not fit into a line go on below the first one") {
  CHECK(wrapped("drops", {}).empty());
  CHECK(wrapped("drops", {"no_backend 1"}) == "drops: no_backend 1\n");
  const std::string item(30, 'x');
  CHECK(wrapped("drops", {item, item, item}) ==
        "drops: " + item + ", " + item + ",\n       " + item + "\n");
}

TEST_CASE("words that do not fit into a line go on below, whatever colours they have") {
  CHECK(wrapped_words("", 4) == "\n");
  const std::string word(38, 'x');
  CHECK(wrapped_words(word + " " + word + " y", 3) == word + " " + word + "\n   y\n");
  CHECK(wrapped_words("\33[31m" + word + " " + word + "\33[0m y", 1) ==
        "\33[31m" + word + " " + word + "\33[0m y\n");
  CHECK(wrapped_words("a " + std::string(100, 'w') + " b", 2) ==
        "a\n  " + std::string(100, 'w') + "\n  b\n");
}

TEST_CASE("an item that is wider than a line has a line of its own and is not cut") {
  const std::string wide(100, 'w');
  CHECK(wrapped("a", {wide, "b", wide}) == "a: " + wide + ",\n   b,\n   " + wide + "\n");
}

TEST_CASE("a line may fill the terminal and not a column more") {
  const std::string fits(kTerminalColumns - std::string("a: 1, ").size(), 'x');
  CHECK(wrapped("a", {"1", fits}) == "a: 1, " + fits + "\n");
  CHECK(wrapped("a", {"1", fits + "x"}) == "a: 1,\n   " + fits + "x\n");
}

TEST_CASE("bytes are shown with a unit that keeps them short") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(999) == "999 B");
  CHECK(bytes_text(1000) == "1.0 kB");
  CHECK(bytes_text(999'949) == "999.9 kB");
  CHECK(bytes_text(999'950) == "1.0 MB");
  CHECK(bytes_text(12'345'678'901) == "12.3 GB");
  CHECK(bytes_text(UINT64_MAX) == "18.4 EB");
}

TEST_CASE("a share is a percentage, and of nothing there is none") {
  CHECK(share_text(1, 3) == "33.3 %");
  CHECK(share_text(0, 3) == "0.0 %");
  CHECK(share_text(65537, 65537) == "100.0 %");
  CHECK(share_text(0, 0) == "-");
}

TEST_CASE("a duration has the units that it needs") {
  CHECK(duration_text(0) == "0s");
  CHECK(duration_text(59) == "59s");
  CHECK(duration_text(60) == "1m 00s");
  CHECK(duration_text(3723) == "1h 02m 03s");
  CHECK(duration_text(12 * 86400 + 1) == "12d 00h 00m 01s");
}

TEST_CASE("a latency has the unit that keeps it short") {
  CHECK(latency_text(0) == "0 us");
  CHECK(latency_text(999) == "999 us");
  CHECK(latency_text(1000) == "1.0 ms");
  CHECK(latency_text(999'949) == "999.9 ms");
  CHECK(latency_text(999'950) == "1.0 s");
  CHECK(latency_text(5'000'000) == "5.0 s");
}

TEST_CASE("a time is shown in UTC, and one that no calendar has as missing") {
  CHECK(time_text(0) == "1970-01-01T00:00:00Z");
  CHECK(time_text(1767225599) == "2025-12-31T23:59:59Z");
  CHECK(time_text(INT64_MAX) == "-");
}

}  // namespace
}  // namespace guideway::cli
