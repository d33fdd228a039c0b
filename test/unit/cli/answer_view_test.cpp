#include "cli/answer_view.h"

#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("a refusal is told in the daemon's words, without what moves the cursor") {
  CHECK(refusal("draining x", {404, R"({"error":"no such\u001b backend"})"}).text() ==
        "draining x: no such? backend");
}

TEST_CASE("a refusal without words of the daemon is told by its status and its beginning") {
  CHECK(refusal("asking", {500, "broken\n"}).text() == "asking: guidewayd answers 500: broken?");
  CHECK(refusal("asking", {502, R"({"error":7})"}).text() ==
        R"(asking: guidewayd answers 502: {"error":7})");
  const std::string begins = "asking: guidewayd answers 500: ";
  CHECK(refusal("asking", {500, std::string(100'000, 'x')}).text() ==
        begins + std::string(200, 'x'));
}

TEST_CASE("a reload is shown with its changes and warnings") {
  const auto reload = read_reload(
      R"({"succeeded":true,"generation":8,"changes":["pool web: added","x"],"warnings":["w\n"],"problems":[]})");
  REQUIRE(reload);
  CHECK(reload->succeeded);
  CHECK(reload_text(*reload) == "reloaded, generation 8\n  pool web: added\n  x\n  w? (warning)\n");
}

TEST_CASE("a reload that changed nothing says so") {
  const auto reload = read_reload(R"({"succeeded":true,"generation":7,"changes":[]})");
  REQUIRE(reload);
  CHECK(reload_text(*reload) == "reloaded, generation 7: nothing changed\n");
}

TEST_CASE("a reload that failed has its problems") {
  const auto reload =
      read_reload(R"({"succeeded":false,"generation":7,"problems":["f:1:2: a","f:3:4: b"]})");
  REQUIRE(reload);
  CHECK_FALSE(reload->succeeded);
  CHECK(reload->generation == "7");
  CHECK(reload->problems == std::vector<std::string>{"f:1:2: a", "f:3:4: b"});
}

TEST_CASE("a drain says what it did, where, and whether it was so before") {
  const auto said = [](const std::string& flags) {
    return drain_text(R"({"backend":"10.0.0.1","pools":["blue","web"],)" + flags + "}").value();
  };
  const std::string pools = " by operator (pools: blue, web)\n";
  CHECK(said(R"("drained":true,"changed":true)") == "10.0.0.1: drained" + pools);
  CHECK(said(R"("drained":true,"changed":false)") == "10.0.0.1: was drained already" + pools);
  CHECK(said(R"("drained":false,"changed":true)") == "10.0.0.1: no longer drained" + pools);
  CHECK(said(R"("drained":false,"changed":false)") == "10.0.0.1: was not drained" + pools);
}

TEST_CASE("the log level is shown alone") {
  CHECK(log_text(R"({"level":"debug"})").value() == "debug\n");
}

TEST_CASE("what is no answer to what was asked is an error") {
  for (const char* other : {"", "{", "[]", "{}", R"({"succeeded":1,"drained":"x","level":2})"}) {
    INFO(other);
    const auto reload = read_reload(other);
    REQUIRE_FALSE(reload);
    CHECK_THAT(reload.error().text(), Contains("reloading: the answer "));
    const auto drain = drain_text(other);
    REQUIRE_FALSE(drain);
    CHECK_THAT(drain.error().text(), Contains("reading the answer of guidewayd: the answer "));
    const auto level = log_text(other);
    REQUIRE_FALSE(level);
    CHECK_THAT(level.error().text(), Contains("reading the log level of guidewayd: the answer "));
  }
}

}  // namespace
}  // namespace guideway::cli
