#include "cli/columns.h"

#include "cli/palette.h"
#include "cli/text_table.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Align = TextTable::Align;

TEST_CASE("a character of UTF-8 takes its columns, whatever its bytes") {
  CHECK(columns_of("") == 0);
  CHECK(columns_of("web") == 3);
  CHECK(columns_of("Zürich") == 6);
  CHECK(columns_of("Київ") == 4);
  CHECK(columns_of("東京") == 4);
  CHECK(columns_of("서울") == 4);
  CHECK(columns_of("🚀") == 2);
  CHECK(columns_of("e\u0301") == 1);
  CHECK(columns_of("\xff\xfe") == 2);
}

TEST_CASE("colours take no columns") {
  const Palette palette(true);
  CHECK(columns_of(palette.good("up")) == 2);
  CHECK(columns_of(palette.heading("a") + palette.bad("東京") + "b") == 6);
}

TEST_CASE("text is cut to its columns with dots for what is missing, no character in halves") {
  CHECK(cut("web", 3) == "web");
  CHECK(cut("webs", 3) == "w..");
  CHECK(cut("webs", 2) == "..");
  CHECK(cut("webs", 1) == ".");
  CHECK(cut("webs", 0).empty());
  CHECK(cut("東京都", 5) == "東..");
  CHECK(cut("東京都", 4) == "東..");
  CHECK(cut("東京都", 3) == "..");
  CHECK(cut("Zürich", 5) == "Zür..");
}

TEST_CASE("a colour that is cut off ends all the same") {
  const Palette palette(true);
  CHECK(cut(palette.bad("unhealthy"), 6) == "\33[31munhe..\33[0m");
  CHECK(cut("a " + palette.bad("unhealthy"), 3) == "a..\33[31m\33[0m");
}

TEST_CASE("text is padded to its columns on either side, and longer text stays") {
  CHECK(padded_left("東", 4) == "  東");
  CHECK(padded_right("東", 4) == "東  ");
  CHECK(padded_left(Palette(true).good("up"), 3) == " \33[32mup\33[0m");
  CHECK(padded_right("longer", 3) == "longer");
}

TEST_CASE("colours and wide characters do not disturb the columns of a table") {
  const Palette palette(true);
  TextTable table({{"name", Align::left}, {"health", Align::left}, {"count"}});
  table.add({"東京", palette.good("up"), "1"});
  table.add({"web", palette.bad("down"), palette.caution("12345")});
  CHECK(table.text() ==
        "  name  health  count\n"
        "  東京  \33[32mup\33[0m          1\n"
        "  web   \33[31mdown\33[0m    \33[33m12345\33[0m\n");
}

TEST_CASE("a table is made to fit by cutting one column, down to four columns of it") {
  const auto fitted = [](std::size_t columns) {
    TextTable table({{"name", Align::left}, {"count"}});
    table.add({"a name that is long", "12345"});
    table.fit(0, columns);
    return table.lines()[1];
  };
  CHECK(fitted(80) == "  a name that is long  12345");
  CHECK(fitted(28) == "  a name that is long  12345");
  CHECK(fitted(27) == "  a name that is l..  12345");
  CHECK(fitted(13) == "  a ..  12345");
  CHECK(fitted(5) == "  a ..  12345");
}

TEST_CASE("a rate has three digits or so, with a prefix before its unit") {
  CHECK(rate_text(0) == "0");
  CHECK(rate_text(0.04) == "0");
  CHECK(rate_text(0.5) == "0.5");
  CHECK(rate_text(9.94) == "9.9");
  CHECK(rate_text(12.3) == "12");
  CHECK(rate_text(999.4) == "999");
  CHECK(rate_text(999.5) == "1.0 k");
  CHECK(rate_text(12'340) == "12.3 k");
  CHECK(rate_text(99'949) == "99.9 k");
  CHECK(rate_text(99'950) == "100 k");
  CHECK(rate_text(999'499) == "999 k");
  CHECK(rate_text(999'500) == "1.0 M");
  CHECK(rate_text(9'800'000, "bit/s") == "9.8 Mbit/s");
  CHECK(rate_text(12, "bit/s") == "12 bit/s");
  CHECK(rate_text(-5) == "0");
  CHECK(rate_text(1e30) == "999 E");
}

}  // namespace
}  // namespace guideway::cli
