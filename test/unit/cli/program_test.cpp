// The program itself: what it prints and how it exits.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "example_status.h"
#include "observe/status.h"
#include "support/catch.h"
#include "unit/observe/admin_fixture.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using observe::RunningServer;
using observe::ScratchFolder;

struct Outcome {
  int code = -1;
  std::string out, err;
};

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// REQUIRES: no word has a quote.
Outcome run(const std::vector<std::string>& words) {
  const ScratchFolder folder;
  std::string command = "'" GUIDEWAY_PROGRAM "'";
  for (const std::string& word : words) command += " '" + word + "'";
  command += " >'" + (folder / "out") + "' 2>'" + (folder / "err") + "' </dev/null";
  const int result = std::system(command.c_str());
  return {WIFEXITED(result) ? WEXITSTATUS(result) : -1, contents(folder / "out"),
          contents(folder / "err")};
}

TEST_CASE("guideway --version prints its version") {
  const Outcome outcome = run({"--version"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "guideway " GUIDEWAY_VERSION "\n");
}

TEST_CASE("every --help has an example") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"status", "--help"}, {"decap", "--help"}}) {
    const Outcome outcome = run(words);
    CHECK(outcome.code == 0);
    CHECK_THAT(outcome.out, Contains("Example:\n  guideway "));
    CHECK(outcome.err.empty());
  }
}

TEST_CASE("wrong use is exit code 2 with a reason on standard error") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {},
           {"conjure"},
           {"--conjure"},
           {"status", "--socket"},
           {"status", "extra"},
           {"decap"},
           {"decap", "--interface", "lo", "--local", "10.0.0"},
           {"decap", "--interface", "lo", "--local", "10.0.0.1", "10.0.0.2"},
           {"decap", "--interface", "lo", "--from", "::1"}}) {
    const Outcome outcome = run(words);
    INFO(outcome.out);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK_FALSE(outcome.err.empty());
  }
}

TEST_CASE("guideway status shows a running daemon") {
  const ScratchFolder folder;
  const std::string document = observe::to_json(example_status());
  const RunningServer server(folder / "s", {}, [&] { return document; });
  const Outcome text = run({"status", "--socket", folder / "s"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("guidewayd 0.1.0 on lb1: pid 4711"));
  CHECK(text.err.empty());
  const Outcome json = run({"status", "--json", "--socket", folder / "s"});
  CHECK(json.code == 0);
  CHECK(json.out == document + "\n");
}

TEST_CASE("guideway status without a daemon is exit code 1, with nothing on standard output") {
  const ScratchFolder folder;
  const Outcome outcome = run({"status", "--json", "--socket", folder / "s"});
  CHECK(outcome.code == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err,
             StartsWith("guideway: guidewayd is not running, or its socket is elsewhere: "));
}

TEST_CASE("guideway status of something that is no daemon is exit code 1") {
  const ScratchFolder folder;
  const RunningServer server(folder / "s");
  const Outcome outcome = run({"status", "--socket", folder / "s"});
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err,
             StartsWith("guideway: reading the status of guidewayd: no status document"));
}

TEST_CASE("guideway decap on an interface that is not there is exit code 1, and says so") {
  const Outcome outcome = run({"decap", "--interface", "gw-none"});
  CHECK(outcome.code == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("guideway: ") && Contains("gw-none"));
}

}  // namespace
}  // namespace guideway::cli
