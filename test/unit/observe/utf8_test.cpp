// Text of unknown origin becomes text that JSON and Prometheus take.
#include "core/utf8.h"

#include <boost/json/parse.hpp>

#include "observe/http_message.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

TEST_CASE("characters of each length stay as they are") {
  const std::string_view text =
      "a\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
  CHECK(valid_utf8(text) == text);
  CHECK(valid_utf8("") == "");
}

TEST_CASE("each byte that is no part of a character is a question mark") {
  CHECK(valid_utf8("a\xff"
                   "b") == "a?b");
  CHECK(valid_utf8("\x80") == "?");
  CHECK(valid_utf8("\xc0\x80") == "??");       // overlong
  CHECK(valid_utf8("\xe0\x9f\xbf") == "???");  // overlong
  CHECK(valid_utf8("\xf0\x8f\xbf\xbf") == "????");
  CHECK(valid_utf8("\xed\xa0\x80") == "???");       // a surrogate
  CHECK(valid_utf8("\xf4\x90\x80\x80") == "????");  // beyond U+10FFFF
  CHECK(valid_utf8("\xe2\x82") == "??");            // cut off
  CHECK(valid_utf8("\xc3(") == "?(");
}

TEST_CASE("an error that quotes bytes of a request is JSON all the same") {
  const HttpAnswer answer = http_error(404, "no pool has the backend \xff\"\n");
  CHECK(boost::json::parse(answer.body).at("error").as_string() == "no pool has the backend ?\"\n");
}

}  // namespace
}  // namespace guideway::observe
