// guideway bgp and role: what is asked, what is printed, and how they exit.
#include <boost/json/serialize.hpp>

#include "program.h"
#include "support/catch.h"
#include "support/example_bgp.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Heard = std::vector<ScriptedDaemon::Heard>;

std::string document(const observe::BgpStatus& bgp) {
  return boost::json::serialize(observe::to_json_object(bgp));
}

constexpr const char* kNoBgp =
    R"({"error":"nothing is announced: the configuration has no bgp: section"})";

TEST_CASE("guideway bgp shows it, and is exit code 0 while the speaker holds what is wanted") {
  const std::string said = document(observe::example_bgp());
  const ScriptedDaemon::Script script{{"GET /v1/bgp", http_answer(200, said)}};
  const Ended text = run_against(script, {"bgp"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("role: active, by the file\n") && Contains("\nroutes: 1 of 3"));
  CHECK(text.err.empty());
  const Ended json = run_against(script, {"bgp", "--json"});
  CHECK(json.code == 0);
  CHECK(json.out == said + "\n");
}

TEST_CASE("guideway bgp shows a speaker that is not in step, and is exit code 1 with the reason") {
  observe::BgpStatus bgp = observe::example_bgp();
  bgp.in_step = false;
  bgp.error = "GoBGP: nobody answers";
  const std::string said = document(bgp);
  for (const bool json : {false, true}) {
    std::vector<std::string> words{"bgp"};
    if (json) words.emplace_back("--json");
    const Ended ended = run_against({{"GET /v1/bgp", http_answer(200, said)}}, words);
    CHECK(ended.code == 1);
    CHECK_THAT(ended.out, Contains("GoBGP: nobody answers"));
    CHECK(ended.err ==
          "guideway: the BGP speaker does not hold what is wanted: GoBGP: nobody answers\n");
  }
}

TEST_CASE("where nothing is announced, bgp and role say so and are exit code 1") {
  const ScriptedDaemon::Script script{{"GET /v1/bgp", http_answer(404, kNoBgp)},
                                      {"POST /v1/role/drain", http_answer(409, kNoBgp)}};
  const std::string why = "nothing is announced: the configuration has no bgp: section\n";
  const Ended bgp = run_against(script, {"bgp"});
  CHECK(bgp.code == 1);
  CHECK(bgp.out.empty());
  CHECK(bgp.err == "guideway: asking for BGP: " + why);
  CHECK(run_against(script, {"role"}).err == "guideway: asking for the role: " + why);
  const Ended set = run_against(script, {"role", "drain"});
  CHECK(set.code == 1);
  CHECK(set.err == "guideway: setting the role: " + why);
}

TEST_CASE("guideway role prints the role, or sets it") {
  const std::string changed = R"({"role":"passive","changed":true})";
  const ScriptedDaemon::Script script{
      {"GET /v1/bgp", http_answer(200, document(observe::example_bgp()))},
      {"POST /v1/role/passive", http_answer(200, changed)}};
  CHECK(run_against(script, {"role"}).out == "active\n");
  Heard heard;
  const Ended set = run_against(script, {"role", "passive"}, &heard);
  CHECK(set.code == 0);
  CHECK(set.out == "role: passive from now on\n");
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].line == "POST /v1/role/passive");
  CHECK(run_against(script, {"role", "passive", "--json"}).out == changed + "\n");
}

TEST_CASE(
    "a role that there is not is wrong use, with what was probably meant, and not asked for") {
  Heard heard;
  const Ended near = run_against({}, {"role", "pasive"}, &heard);
  CHECK(near.code == 2);
  CHECK_THAT(near.err, Contains("unknown role \"pasive\": did you mean passive?"));
  CHECK(heard.empty());
  CHECK_THAT(run_against({}, {"role", "x"}).err,
             Contains("unknown role \"x\"; there are active, passive and drain"));
  CHECK(run_against({}, {"role", ""}).code == 2);
}

TEST_CASE("the completion offers the roles") {
  CHECK_THAT(run({"completion", "bash"}).out, Contains("'role 0') _guideway_words 'active' "
                                                       "'passive' 'drain'"));
  for (const std::string shell : {"zsh", "fish"}) {
    INFO(shell);
    CHECK_THAT(run({"completion", shell}).out, Contains("active passive drain"));
  }
}

}  // namespace
}  // namespace guideway::cli
