// guideway status, services, backends: what is printed of good answers.
#include "example_status.h"
#include "program.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE("guideway status shows a running daemon") {
  const std::string document = observe::to_json(example_status());
  const ScriptedDaemon::Script script{{"GET /v1/status", http_answer(200, document)}};
  const Ended text = run_against(script, {"status"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("guidewayd 0.1.0 on lb1: pid 4711") && Contains("\npool blue: "));
  CHECK(text.err.empty());
  const Ended json = run_against(script, {"status", "--json"});
  CHECK(json.code == 0);
  CHECK(json.out == document + "\n");
}

TEST_CASE("guideway services shows the services") {
  const std::string document = observe::services_to_json(example_status());
  const ScriptedDaemon::Script script{{"GET /v1/services", http_answer(200, document)}};
  const Ended text = run_against(script, {"services"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("services\n") && Contains("healthy     1080"));
  CHECK(text.err.empty());
  const Ended json = run_against(script, {"services", "--json"});
  CHECK(json.code == 0);
  CHECK(json.out == document + "\n");
}

TEST_CASE("guideway backends shows all pools, or the one that is named") {
  observe::Status status = example_status();
  const std::string blue = observe::pools_to_json(status);
  status.pools.push_back(empty_pool("red"));
  const std::string document = observe::pools_to_json(status);
  const ScriptedDaemon::Script script{{"GET /v1/backends", http_answer(200, document)}};
  const Ended all = run_against(script, {"backends"});
  CHECK(all.code == 0);
  CHECK_THAT(all.out, StartsWith("pool blue: ") && Contains("\n\npool red: "));
  CHECK(all.err.empty());
  CHECK(run_against(script, {"backends", "--json"}).out == document + "\n");
  const Ended one = run_against(script, {"backends", "--pool", "blue"});
  CHECK(one.code == 0);
  CHECK_THAT(one.out, StartsWith("pool blue: ") && !Contains("red"));
  CHECK(run_against(script, {"backends", "--pool", "blue", "--json"}).out == blue + "\n");
}

TEST_CASE(
    "guideway backends of a pool that there is not is exit code 1 and names those there are") {
  const ScriptedDaemon::Script script{
      {"GET /v1/backends", http_answer(200, observe::pools_to_json(example_status()))}};
  const Ended ended = run_against(script, {"backends", "--pool", "green"});
  CHECK(ended.code == 1);
  CHECK(ended.out.empty());
  CHECK(ended.err == "guideway: no pool is called \"green\" (there are: blue)\n");
}

}  // namespace
}  // namespace guideway::cli
