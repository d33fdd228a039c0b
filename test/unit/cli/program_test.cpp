// The program itself, whatever the command: its help, wrong use, and a daemon that cannot be asked.
#include "program.h"

#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Words = std::vector<std::string>;

// What asks the daemon, and what it asks.
struct Asking {
  Words words;
  std::string request;
};

const std::vector<Asking> kAsking = {
    {{"status"}, "GET /v1/status"},
    {{"services"}, "GET /v1/services"},
    {{"backends"}, "GET /v1/backends"},
    {{"backends", "--pool", "blue"}, "GET /v1/backends"},
    {{"drain", "10.0.0.1"}, "POST /v1/backends/10.0.0.1/drain"},
    {{"undrain", "10.0.0.1"}, "POST /v1/backends/10.0.0.1/undrain"},
    {{"reload"}, "POST /v1/reload"},
    {{"log"}, "GET /v1/log"},
    {{"log", "debug"}, "PUT /v1/log"},
    {{"bgp"}, "GET /v1/bgp"},
    {{"role"}, "GET /v1/bgp"},
    {{"role", "drain"}, "POST /v1/role/drain"},
};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_CASE("guideway --version prints its version") {
  const Ended ended = run({"--version"});
  CHECK(ended.code == 0);
  CHECK(ended.out == "guideway " GUIDEWAY_VERSION "\n");
}

TEST_CASE("every --help has an example and the exit codes") {
  for (const Words& words : std::vector<Words>{{},
                                               {"status"},
                                               {"services"},
                                               {"backends"},
                                               {"drain"},
                                               {"undrain"},
                                               {"reload"},
                                               {"log"},
                                               {"bgp"},
                                               {"role"},
                                               {"check"},
                                               {"decap"},
                                               {"help"},
                                               {"completion"}}) {
    const Ended ended = run(with(words, {"--help"}));
    CHECK(ended.code == 0);
    CHECK_THAT(ended.out,
               Contains("Example:\n  ") && Contains("guideway ") && Contains("Exit codes: 0 "));
    CHECK(ended.err.empty());
  }
}

TEST_CASE("wrong use is exit code 2 with a reason on standard error") {
  for (const Words& words :
       std::vector<Words>{{},
                          {"conjure"},
                          {"--conjure"},
                          {"status", "--socket"},
                          {"status", "extra"},
                          {"services", "extra"},
                          {"backends", "blue"},
                          {"backends", "--pool"},
                          {"backends", "--pool", ""},
                          {"drain"},
                          {"drain", "10.0.0"},
                          {"drain", "10.0.0.1", "10.0.0.2"},
                          {"drain", "10.0.0.1", "--pool", ""},
                          {"undrain"},
                          {"undrain", "::1"},
                          {"reload", "now"},
                          {"log", ""},
                          {"log", "info", "debug"},
                          {"bgp", "extra"},
                          {"role", "activ"},
                          {"role", "active", "drain"},
                          {"check", "a", "b"},
                          {"check", "a", "--socket", "/s"},
                          {"decap"},
                          {"decap", "--interface", "lo", "--local", "10.0.0"},
                          {"decap", "--interface", "lo", "--local", "10.0.0.1", "10.0.0.2"},
                          {"decap", "--interface", "lo", "--from", "::1"}}) {
    const Ended ended = run(words);
    INFO(Catch::Detail::stringify(words));
    CHECK(ended.code == 2);
    CHECK(ended.out.empty());
    CHECK_FALSE(ended.err.empty());
  }
}

TEST_CASE("a daemon that is not there is exit code 3, with nothing on standard output") {
  const ScratchFolder folder;
  for (const Asking& asking : kAsking) {
    const Ended ended = run(with(asking.words, {"--json", "--socket", folder / "s"}));
    INFO(asking.request);
    CHECK(ended.code == 3);
    CHECK(ended.out.empty());
    CHECK_THAT(ended.err,
               StartsWith("guideway: guidewayd is not running, or its socket is elsewhere: ") &&
                   Contains("start it: ") && Contains("--socket"));
  }
}

TEST_CASE("an answer that is no HTTP, or half of one, is exit code 3") {
  for (const Asking& asking : kAsking) {
    for (const char* answer : {"", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
                               "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"node\":"}) {
      const Ended ended = run_against({{asking.request, answer}}, asking.words);
      INFO(asking.request << " answered by " << answer);
      CHECK(ended.code == 3);
      CHECK(ended.out.empty());
      CHECK_THAT(ended.err, StartsWith("guideway: asking guidewayd at "));
    }
  }
}

TEST_CASE("an answer that is not what was asked for is exit code 1") {
  for (const Asking& asking : kAsking) {
    for (const char* body : {"", "garbage", "{\"pools\":[", "[]", "{\"hello\":\"world\"}"}) {
      const Ended ended = run_against({{asking.request, http_answer(200, body)}}, asking.words);
      INFO(asking.request << " answered by " << body);
      CHECK(ended.code == 1);
      CHECK(ended.out.empty());
      CHECK_THAT(ended.err, StartsWith("guideway: rea") || StartsWith("guideway: reloading: "));
      CHECK_THAT(ended.err, Contains("is it guidewayd that listens there?"));
    }
  }
}

TEST_CASE("what the daemon refuses is exit code 1 with the daemon's words") {
  for (const Asking& asking : kAsking) {
    for (const unsigned status : {400U, 404U, 422U, 500U}) {
      const Ended ended =
          run_against({{asking.request, http_answer(status, R"({"error":"for a reason\u001b"})")}},
                      with(asking.words, {"--json"}));
      INFO(asking.request << " answered by " << status);
      CHECK(ended.code == 1);
      CHECK(ended.out.empty());
      CHECK_THAT(ended.err,
                 StartsWith("guideway: ") && Contains("ing") && Contains(": for a reason?\n"));
    }
  }
}

TEST_CASE("a refusal that is no document is told by its status") {
  for (const Asking& asking : kAsking) {
    const Ended ended =
        run_against({{asking.request, http_answer(502, "Bad\x1b Gateway")}}, asking.words);
    INFO(asking.request);
    CHECK(ended.code == 1);
    CHECK(ended.out.empty());
    CHECK_THAT(ended.err, Contains(": guidewayd answers 502: Bad? Gateway\n"));
  }
}

TEST_CASE("standard output that cannot be written is exit code 1") {
  const ScratchFolder folder;
  const ScriptedDaemon daemon(folder / "s",
                              {{"GET /v1/log", http_answer(200, R"({"level":"info"})")}});
  const std::string command = "'" GUIDEWAY_PROGRAM "' log --socket '" + (folder / "s") +
                              "' >/dev/full 2>'" + (folder / "err") + "'";
  const int result = std::system(command.c_str());
  REQUIRE(WIFEXITED(result));
  CHECK(WEXITSTATUS(result) == 1);
  CHECK(contents(folder / "err") ==
        "guideway: writing to standard output: No space left on device\n");
}

TEST_CASE("guideway decap on an interface that is not there is exit code 1, and says so") {
  const Ended ended = run({"decap", "--interface", "gw-none"});
  CHECK(ended.code == 1);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err, Contains("guideway: ") && Contains("gw-none"));
}

}  // namespace
}  // namespace guideway::cli
