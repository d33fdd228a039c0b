// guideway doctor as a program: its exit codes, its file, its daemon. What it finds is tested where
// it is made (test/unit/doctor) and in the lab.
#include "example_status.h"
#include "program.h"
#include "support/catch.h"

#include "cli/json_view.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

const std::string kRight = R"(node:
  fleet_seed: test
interfaces:
  - name: gw-none
encapsulation:
  source: 10.255.255.1
pools:
  - name: web
    backends:
      - address: 10.255.255.2
services:
  - vip: 198.51.100.1
    ports: [tcp/80]
    pool: web
)";

std::string write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

// The findings of a check, in the document of --json.
std::vector<json::object> found(const Ended& ended, const std::string& check) {
  const auto document = read_document(ended.out, "findings", json::kind::array, "reading");
  REQUIRE(document);
  std::vector<json::object> out;
  for (const json::object* one : objects(*document, "findings"))
    if (text(*one, "check") == check) out.push_back(*one);
  return out;
}

TEST_CASE("guideway doctor with an interface that is not there is exit code 1, and says so") {
  const ScratchFolder folder;
  const std::string file = write(folder / "right.yaml", kRight);
  const Ended ended = run({"doctor", file, "--socket", folder / "s"});
  CHECK(ended.code == 1);
  CHECK(ended.err.empty());
  CHECK_THAT(ended.out, Contains("interface gw-none\n  error    there is no such interface\n") &&
                            Contains("guidewayd\n  note     guidewayd is not running") &&
                            !Contains("file " + file));
  const Ended all = run({"doctor", file, "--all", "--socket", folder / "s"});
  CHECK(all.code == 1);
  CHECK_THAT(all.out, Contains("file " + file + "\n  ok       it is right\n"));
}

TEST_CASE("guideway doctor with a wrong file tells its problems, and looks at the host") {
  const ScratchFolder folder;
  const std::string file = write(folder / "wrong.yaml", kRight + "pols: []\n");
  const Ended ended = run({"doctor", "--json", "--all", file, "--socket", folder / "s"});
  CHECK(ended.code == 1);
  CHECK(ended.err.empty());
  const auto problems = found(ended, "file");
  REQUIRE(problems.size() == 1);
  CHECK(text(problems[0], "severity") == "error");
  CHECK(text(problems[0], "subject") == "file " + file);
  CHECK_THAT(text(problems[0], "text"), StartsWith("15:1: pols: "));
  CHECK(found(ended, "kernel").size() == 1);
  CHECK_THAT(ended.out, Contains("\"worst\":\"error\""));
}

TEST_CASE("guideway doctor with no file at all tells that it cannot be opened") {
  const ScratchFolder folder;
  const Ended ended = run({"doctor", folder / "none.yaml", "--socket", folder / "s"});
  CHECK(ended.code == 1);
  CHECK_THAT(ended.out, Contains("cannot be opened: No such file") &&
                            Contains("mend: name yours: guideway doctor FILE"));
}

TEST_CASE("guideway doctor takes the file that the daemon names, and its status") {
  const ScratchFolder folder;
  const std::string file = write(folder / "right.yaml", kRight);
  observe::Status status = example_status();
  status.config_file = file;
  const ScriptedDaemon::Script script{
      {"GET /v1/status", http_answer(200, observe::to_json(status))}};
  const Ended ended = run_against(script, {"doctor", "--json", "--all"});
  CHECK(ended.code == 1);
  CHECK(found(ended, "file").size() == 1);
  const auto backends = found(ended, "backend");
  REQUIRE(backends.size() == 1);
  CHECK(text(backends[0], "text") ==
        "10.9.0.2 in pool blue is down: http port 80 path /healthz: status 503");
  const auto in_force = found(ended, "in_force");
  REQUIRE(in_force.size() == 1);
  CHECK_THAT(text(in_force[0], "mend"), StartsWith("guideway reload --socket /"));
  CHECK(found(ended, "progress").size() == 1);
}

TEST_CASE("guideway doctor --facts prints what the host is like, and is exit code 0") {
  const ScratchFolder folder;
  const Ended ended =
      run({"doctor", write(folder / "right.yaml", kRight), "--facts", "--socket", folder / "s"});
  CHECK(ended.code == 0);
  const auto document = read_document(ended.out, "host", json::kind::object, "reading");
  REQUIRE(document);
  CHECK(objects(*document, "interfaces").size() == 1);
}

TEST_CASE("guideway doctor tells a daemon that answers something else from one that is not there") {
  const ScratchFolder folder;
  const std::string file = write(folder / "right.yaml", kRight);
  const Ended ended =
      run_against({{"GET /v1/status", http_answer(500, "{}")}}, {"doctor", "--json", file});
  CHECK(ended.code == 1);
  const auto running = found(ended, "running");
  REQUIRE(running.size() == 1);
  CHECK(text(running[0], "severity") == "note");
  CHECK_THAT(text(running[0], "text"), Contains("answers 500"));
}

}  // namespace
}  // namespace guideway::cli
