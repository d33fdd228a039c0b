// guideway drain, undrain, reload, log: what is asked, and what is printed of the answers.
#include "program.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Heard = std::vector<ScriptedDaemon::Heard>;

TEST_CASE("guideway drain and undrain ask for it and say where it was done") {
  const std::string drained =
      R"({"backend":"10.0.0.1","pools":["blue","web"],"drained":true,"changed":true})";
  const std::string undrained =
      R"({"backend":"10.0.0.1","pools":["blue"],"drained":false,"changed":true})";
  const ScriptedDaemon::Script script{
      {"POST /v1/backends/10.0.0.1/drain", http_answer(200, drained)},
      {"POST /v1/backends/10.0.0.1/undrain", http_answer(200, undrained)}};
  const Ended drain = run_against(script, {"drain", "10.0.0.1"});
  CHECK(drain.code == 0);
  CHECK(drain.out == "10.0.0.1: drained by operator (pools: blue, web)\n");
  CHECK(drain.err.empty());
  const Ended undrain = run_against(script, {"undrain", "10.0.0.1"});
  CHECK(undrain.code == 0);
  CHECK(undrain.out == "10.0.0.1: no longer drained by operator (pools: blue)\n");
  CHECK(run_against(script, {"drain", "10.0.0.1", "--json"}).out == drained + "\n");
  CHECK(run_against(script, {"undrain", "10.0.0.1", "--json"}).out == undrained + "\n");
}

TEST_CASE("a pool's name reaches the daemon whatever is in it") {
  Heard heard;
  const Ended ended =
      run_against({}, {"drain", "10.0.0.1", "--pool", "a b/c&d?=%#\xc3\xa9"}, &heard);
  CHECK(ended.code == 1);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].line == "POST /v1/backends/10.0.0.1/drain?pool=a%20b%2Fc%26d%3F%3D%25%23%C3%A9");
  CHECK(heard[0].body.empty());
}

TEST_CASE("a backend that there is not is exit code 1") {
  for (const std::string verb : {"drain", "undrain"}) {
    const Ended ended = run_against(
        {{"POST /v1/backends/10.0.0.9/" + verb, http_answer(404, R"({"error":"no pool has it"})")}},
        {verb, "10.0.0.9"});
    CHECK(ended.code == 1);
    CHECK(ended.out.empty());
    CHECK(ended.err == "guideway: " + verb + "ing 10.0.0.9: no pool has it\n");
  }
}

TEST_CASE("guideway reload prints changes and warnings") {
  const std::string document =
      R"({"succeeded":true,"generation":8,"changes":["pool web: added"],"warnings":["admin.socket: keeps its old value"],"problems":[]})";
  const ScriptedDaemon::Script script{{"POST /v1/reload", http_answer(200, document)}};
  const Ended text = run_against(script, {"reload"});
  CHECK(text.code == 0);
  CHECK(text.out ==
        "reloaded, generation 8\n  pool web: added\n"
        "  admin.socket: keeps its old value (warning)\n");
  CHECK(text.err.empty());
  CHECK(run_against(script, {"reload", "--json"}).out == document + "\n");
}

TEST_CASE("a reload of a wrong file is exit code 1 with its problems on standard error") {
  const std::string document =
      R"({"succeeded":false,"generation":7,"changes":[],"warnings":[],"problems":["g.yaml:3:4: a\u001b: x","g.yaml:5:6: b: y"]})";
  const std::string said =
      "g.yaml:3:4: a?: x\ng.yaml:5:6: b: y\n"
      "guideway: reloading: refused, 2 problem(s); generation 7 stays in force (mend the file and "
      "reload again)\n";
  const ScriptedDaemon::Script script{{"POST /v1/reload", http_answer(422, document)}};
  const Ended text = run_against(script, {"reload"});
  CHECK(text.code == 1);
  CHECK(text.out.empty());
  CHECK(text.err == said);
  const Ended json = run_against(script, {"reload", "--json"});
  CHECK(json.code == 1);
  CHECK(json.out == document + "\n");
  CHECK(json.err == said);
}

TEST_CASE("guideway log prints the level, or sets it") {
  const ScriptedDaemon::Script script{{"GET /v1/log", http_answer(200, R"({"level":"info"})")},
                                      {"PUT /v1/log", http_answer(200, R"({"level":"debug"})")}};
  const Ended get = run_against(script, {"log"});
  CHECK(get.code == 0);
  CHECK(get.out == "info\n");
  CHECK(get.err.empty());
  CHECK(run_against(script, {"log", "--json"}).out == "{\"level\":\"info\"}\n");
  Heard heard;
  const Ended put = run_against(script, {"log", "debug"}, &heard);
  CHECK(put.code == 0);
  CHECK(put.out == "debug\n");
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].body == R"({"level":"debug"})");
}

TEST_CASE("a level that the daemon does not know is exit code 1 with the daemon's words") {
  Heard heard;
  const Ended ended =
      run_against({{"PUT /v1/log", http_answer(400, R"({"error":"must be trace, debug or so"})")}},
                  {"log", "lo\"ud"}, &heard);
  CHECK(ended.code == 1);
  CHECK(ended.out.empty());
  CHECK(ended.err == "guideway: setting the log level: must be trace, debug or so\n");
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].body == R"({"level":"lo\"ud"})");
}

}  // namespace
}  // namespace guideway::cli
