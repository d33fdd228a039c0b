#include "cli/json_view.h"

#include <boost/json/parse.hpp>

#include "support/catch.h"

namespace guideway::cli {
namespace {

const json::object kExample = json::parse(R"({
  "object": {"a": 1}, "list": [{"b": 2}, 7, "one", "t\u001bwo"], "number": 5, "negative": -5,
  "large": 18446744073709551615, "yes": true, "no": false, "empty": "", "half": 0.5
})")
                                  .as_object();

TEST_CASE("values are read as what they are") {
  CHECK(number(object(kExample, "object"), "a") == 1);
  REQUIRE(objects(kExample, "list").size() == 1);
  CHECK(number(*objects(kExample, "list")[0], "b") == 2);
  CHECK(strings(kExample, "list") == std::vector<std::string>{"one", "t?wo"});
  CHECK(number(kExample, "large") == UINT64_MAX);
  CHECK(flag(kExample, "yes"));
  CHECK(text(kExample, "number") == "5");
  CHECK(choice(kExample, "yes", "y", "n") == "y");
  CHECK(choice(kExample, "no", "y", "n") == "n");
}

TEST_CASE("what is missing or of another kind is shown as missing") {
  for (const char* key : {"absent", "half"}) {
    INFO(key);
    CHECK(object(kExample, key).empty());
    CHECK(objects(kExample, key).empty());
    CHECK(strings(kExample, key).empty());
    CHECK(number(kExample, key) == 0);
    CHECK_FALSE(flag(kExample, key));
    CHECK(choice(kExample, key, "y", "n") == "-");
  }
  CHECK(number(kExample, "negative") == 0);
  CHECK(text(kExample, "absent") == "-");
  CHECK(text(kExample, "empty") == "-");
}

TEST_CASE("no control character stays printable, and no other letter is lost") {
  CHECK(printable("a\x1b[2J\r\n\x7f") == "a?[2J???");
  CHECK(printable("\xc2\x9b"
                  "2J") == "?2J");  // CSI as one character
  CHECK(printable("gr\xc3\xbc\xc3\x9f \xc2\xa7 \xe2\x82\xac") ==
        "gr\xc3\xbc\xc3\x9f \xc2\xa7 \xe2\x82\xac");
  CHECK(printable(std::string_view("\0", 1)) == "?");
}

TEST_CASE("numbers that are not 0 are listed by printable names, but for the exceptions") {
  const auto document = json::parse(R"({"a": 1, "b": 0, "c\u001b": 3, "d": 4, "e": "x"})");
  CHECK(not_zero(document.as_object(), {"d"}) == std::vector<std::string>{"a 1", "c? 3"});
}

TEST_CASE("a document is one only with the value that was asked for") {
  const auto read = [](const char* text) {
    const auto document = read_document(text, "list", json::kind::array, "reading");
    return document ? "" : document.error().text();
  };
  CHECK(read(R"({"list": []})").empty());
  const std::string hint = " (is it guidewayd that listens there?)";
  for (const char* other : {"{}", "[]", "1", R"({"list": {}})"})
    CHECK(read(other) == "reading: the answer has no \"list\"" + hint);
  for (const char* broken : {"", "hello", R"({"list": [)"})
    CHECK_THAT(read(broken), Catch::Matchers::StartsWith("reading: the answer is no JSON: "));
}

}  // namespace
}  // namespace guideway::cli
