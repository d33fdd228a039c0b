// guideway watch where there is no terminal: lines and JSON. On one:
// test/integration/test_watch.py.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <sstream>

#include "cli/watch_view.h"
#include "program.h"
#include "support/catch.h"
#include "watch_scene.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using std::chrono::seconds;

constexpr std::uint64_t kNoon = 1'767'268'800;  // 2026-01-01T12:00:00Z

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

double as_number(const json::value& value) { return value.to_number<double>(); }

observe::Status two_seconds_later() {
  observe::Status status = later(example_status(), seconds(2));
  WorkerTotals& worker = status.interfaces[0].queues[0].worker;
  worker.received += 2'000'001;
  worker.flow_inserted += 20;
  worker.drops[static_cast<std::size_t>(DropReason::no_backend)] += 3;
  status.services[0].packets += 50;
  status.services[0].bytes += 25'000;
  status.pools[0].backends[0].packets += 50;
  return status;
}

ScriptedDaemon::Script script() {
  return {{"GET /v1/status", http_answer(200, observe::to_json(example_status()))}};
}

TEST_CASE("a line has whole numbers below its headings, for programs that split at blanks") {
  const Reading before = reading(example_status()), now = reading(two_seconds_later());
  const Scene scene{.before = &before, .now = &now, .unix_seconds = kNoon};
  CHECK(watch_heading() ==
        "                time ready   packets/s         bit/s   drops/s new_flows/s      flows "
        "backends_up\n");
  CHECK(watch_line(scene) ==
        "2026-01-01T12:00:00Z   yes     1000001        100000         2          10         24 "
        "        1/3\n");
}

TEST_CASE("a line without rates has a dash for each, and one of a silent daemon nothing else") {
  const Reading now = reading(example_status());
  Scene scene{.now = &now, .unix_seconds = kNoon};
  CHECK(watch_line(scene) ==
        "2026-01-01T12:00:00Z   yes           -             -         -           -         24 "
        "        1/3\n");
  scene.silence = Silence{seconds(3), "why"};
  CHECK(watch_line(scene) ==
        "2026-01-01T12:00:00Z  gone           -             -         -           -          - "
        "          -\n");
}

TEST_CASE("JSON has the rates of everything") {
  const Reading before = reading(example_status()), now = reading(two_seconds_later());
  const std::string line = watch_json({.before = &before, .now = &now, .unix_seconds = kNoon});
  CHECK(std::ranges::count(line, '\n') == 1);
  const json::value document = json::parse(line);
  CHECK(document.at("time") == "2026-01-01T12:00:00Z");
  CHECK(document.at("reachable") == true);
  CHECK(document.at("ready") == true);
  CHECK(as_number(document.at("seconds")) == 2.0);
  CHECK(as_number(document.at("received_per_second")) == 1000000.5);
  CHECK(as_number(document.at("bits_per_second")) == 100'000.0);
  CHECK(as_number(document.at("dropped_per_second")) == 1.5);
  CHECK(as_number(document.at("drops_per_second").at("no_backend")) == 1.5);
  CHECK(as_number(document.at("drops_per_second").at("too_big")) == 0.0);
  CHECK(as_number(document.at("new_flows_per_second")) == 10.0);
  CHECK(as_number(document.at("flows")) == 24);
  CHECK(as_number(document.at("backends_up")) == 1);
  CHECK(as_number(document.at("services").at(0).at("packets_per_second")) == 25.0);
  CHECK(as_number(document.at("backends").at(0).at("packets_per_second")) == 25.0);
  CHECK(document.at("backends").at(1).at("why") == "status 503 (http port 80 path /healthz)");
}

TEST_CASE("JSON has null for rates that are not known, and the cause of a silence") {
  const Reading now = reading(example_status());
  Scene scene{.now = &now, .unix_seconds = kNoon};
  const json::value first = json::parse(watch_json(scene));
  CHECK(first.at("received_per_second").is_null());
  CHECK(first.at("drops_per_second").is_null());
  CHECK(first.at("backends").at(0).at("packets_per_second").is_null());
  scene.silence = Silence{seconds(3), "why"};
  CHECK(json::parse(watch_json(scene)) == json::value{{"time", "2026-01-01T12:00:00Z"},
                                                      {"unix_seconds", kNoon},
                                                      {"reachable", false},
                                                      {"unreachable_seconds", 3},
                                                      {"cause", "why"}});
}

TEST_CASE("guideway watch prints as many lines as it is asked for, below headings") {
  const Ended ended = run_against(script(), {"watch", "--interval", "0.1", "--count", "21"});
  CHECK(ended.code == 0);
  CHECK(ended.err.empty());
  const auto lines = lines_of(ended.out);
  REQUIRE(lines.size() == 23);
  CHECK(lines[0] + "\n" == watch_heading());
  CHECK_THAT(lines[1], Contains("Z   yes ") && Contains(" 1/3"));
  CHECK(lines[21] == lines[0]);
  CHECK_THAT(ended.out, !Contains("\33"));
}

TEST_CASE("guideway watch --json prints an object a line") {
  const Ended ended =
      run_against(script(), {"watch", "--json", "--interval", "0.1", "--count", "2"});
  CHECK(ended.code == 0);
  const auto lines = lines_of(ended.out);
  REQUIRE(lines.size() == 2);
  CHECK(json::parse(lines[1]).at("generation") == 7);
}

TEST_CASE("guideway watch without a daemon ends at once, with what every command says") {
  const Ended ended = run({"watch", "--socket", "/nowhere/s"});
  CHECK(ended.code == 3);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err,
             StartsWith("guideway: guidewayd is not running, or its socket is elsewhere"));
}

TEST_CASE("guideway watch of a pool that there is not names those there are") {
  const Ended ended = run_against(script(), {"watch", "--pool", "blue", "--pool", "green"});
  CHECK(ended.code == 1);
  CHECK(ended.err == "guideway: no pool is called \"green\" (there are: blue)\n");
}

TEST_CASE("guideway watch refuses an interval or a count that makes no sense") {
  for (const char* interval : {"0", "-1", "0.05", "3601", "soon", ""})
    CHECK(run({"watch", "--interval", interval}).code == 2);
  CHECK(run({"watch", "--count", "0"}).code == 2);
  CHECK(run({"watch", "--pool", ""}).code == 2);
}

}  // namespace
}  // namespace guideway::cli
