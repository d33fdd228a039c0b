// When there are colours, and what they are for.
#include <string>

#include "cli/answer_view.h"
#include "cli/palette.h"
#include "cli/pool_view.h"
#include "cli/status_view.h"
#include "cli/terminal.h"
#include "example_status.h"
#include "program.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;

std::string without_colours(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 2, "\33[") == 0)
      at = text.find('m', at) + 1;
    else
      out += text[at++];
  }
  return out;
}

observe::Status troubled() {
  observe::Status status = example_status();
  status.interfaces[0].attachment = "lost";
  status.reloads = {.succeeded = 1, .failed = 1, .last_succeeded = false, .last_unix_seconds = 60};
  status.services[0].healthy = false;
  status.pools[0].empty = true;
  return status;
}

TEST_CASE("there are colours on a terminal that can show them, unless NO_COLOR says no") {
  CHECK(palette_for({.terminal = true, .term = "xterm"}).on());
  CHECK_FALSE(palette_for({.terminal = false, .term = "xterm"}).on());
  CHECK_FALSE(palette_for({.terminal = true, .term = "dumb"}).on());
  CHECK_FALSE(palette_for({.terminal = true, .term = ""}).on());
  CHECK_FALSE(palette_for({.terminal = true, .term = "xterm", .no_color = "1"}).on());
  CHECK_FALSE(palette_for({.terminal = true, .term = "xterm", .no_color = "0"}).on());
}

TEST_CASE("CLICOLOR_FORCE has colours anywhere, but for an empty one and 0") {
  CHECK(palette_for({.terminal = false, .term = "dumb", .no_color = "1", .force = "1"}).on());
  CHECK_FALSE(palette_for({.terminal = false, .term = "xterm", .force = "0"}).on());
  CHECK_FALSE(palette_for({.terminal = false, .term = "xterm", .force = ""}).on());
}

TEST_CASE("a palette that is off gives text back as it is, one that is on ends each colour") {
  CHECK(Palette().good("up") == "up");
  CHECK(Palette(true).good("up") == "\33[32mup\33[0m");
  CHECK(Palette(true).bad("down") == "\33[31mdown\33[0m");
  CHECK(Palette(true).caution("drained") == "\33[33mdrained\33[0m");
  CHECK(Palette(true).heading("pool") == "\33[1mpool\33[0m");
  CHECK(Palette(true).good("").empty());
}

TEST_CASE("colours add nothing to the text of a status, of services and of backends") {
  const observe::Status status = troubled();
  const Palette palette(true);
  CHECK(without_colours(status_text(to_json(status), palette).value()) ==
        status_text(to_json(status)).value());
  CHECK(without_colours(services_text(services_to_json(status), palette).value()) ==
        services_text(services_to_json(status)).value());
  CHECK(without_colours(backends_text(pools_to_json(status), palette).value()) ==
        backends_text(pools_to_json(status)).value());
}

TEST_CASE("what is up is green, what is down or lost red, what is drained or slow yellow") {
  const Palette palette(true);
  const std::string well = status_text(to_json(example_status()), palette).value();
  CHECK_THAT(well, Contains(palette.good("ready")) && Contains(palette.good("healthy")) &&
                       Contains(palette.good("up")) && Contains(palette.bad("down")) &&
                       Contains(palette.caution("up, drained by operator")) &&
                       Contains(palette.caution("3 (40 %)")) &&
                       Contains(palette.caution("no_next_hop 16")) &&
                       Contains(palette.caution("no route")));
  observe::Status status = troubled();
  status.ready = false;
  status.pools[0].healthy = false;
  const std::string ill = status_text(to_json(status), palette).value();
  CHECK_THAT(ill, Contains(palette.bad("lost")) && Contains(palette.bad("not ready")) &&
                      Contains(palette.bad("unhealthy")) && Contains(palette.bad("failed")) &&
                      Contains("\33[31mno backend is usable"));
}

TEST_CASE("the warnings of a reload are yellow") {
  const Reload reload{
      .succeeded = true, .generation = "7", .changes = {}, .warnings = {"old"}, .problems = {}};
  CHECK_THAT(reload_text(reload, Palette(true)), Contains("\33[33mold (warning)\33[0m"));
}

TEST_CASE("guideway has no colours where it does not write to a terminal, unless it is forced") {
  const ScriptedDaemon::Script script{
      {"GET /v1/status", http_answer(200, observe::to_json(example_status()))}};
  CHECK_THAT(run_against(script, {"status"}).out, !Contains("\33["));
  ::setenv("CLICOLOR_FORCE", "1", 1);
  const Ended forced = run_against(script, {"status"});
  const Ended refused = run({"status", "--socket", "/nowhere/s"});
  ::unsetenv("CLICOLOR_FORCE");
  CHECK_THAT(forced.out, Contains("\33[32mready\33[0m"));
  CHECK_THAT(refused.err, Contains("\33[31mguideway:\33[0m "));
}

}  // namespace
}  // namespace guideway::cli
