// What is made of a command line: the description of it, help, manual and completion.
#include "cli/command_info.h"

#include <sstream>

#include "cli/completion.h"
#include "cli/help_text.h"
#include "cli/manual_page.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;

struct Values {
  std::string socket = "/run/s", pool, backend, level, interface, hidden;
  unsigned count = 0;
  bool json = false;
  std::vector<std::string> sources;
};

void add_commands(CLI::App& app, Values& values) {
  app.set_help_flag("-h,--help", "Print this help and exit");
  CLI::App* drain = app.add_subcommand("drain", "Gives a backend no new flows")->group("Change");
  drain->add_option("BACKEND", values.backend, "Its address")->required()->type_name("ADDR");
  drain->add_option("-p,--pool", values.pool, "Only in this pool")->type_name("NAME");
  drain->add_option("--socket", values.socket, "The daemon's socket")
      ->type_name("PATH")
      ->envname("SOCKET_OF_IT")
      ->capture_default_str();
  drain->add_option("--secret", values.hidden, "Not shown")->group("");
  drain->add_flag("--json", values.json, "It's JSON [really]");
  drain->footer("Example:\n  tool drain 10.0.0.1\n  .tool\n\nExit codes: 0 done, 1 failed.");
  CLI::App* log = app.add_subcommand("log", "Sets the level")->group("Change");
  log->add_option("LEVEL", values.level, "The level")->type_name("debug|info");
  CLI::App* decap = app.add_subcommand("decap", "Decapsulates")->group("On a backend");
  decap->add_option("--interface", values.interface, "Where")->required()->type_name("IF");
  decap->add_option("--from", values.sources, "Who. May be given again")->type_name("ADDR");
  decap->add_option("--count", values.count, "How many")->check(CLI::Range(1, 9));
  app.add_subcommand("names", "Not shown")->group("");
}

struct Tool {
  Values values;
  CLI::App app{"A tool.", "tool"};
  Tool() { add_commands(app, values); }
  [[nodiscard]] CommandInfo info() const { return command_info(app); }
};

TEST_CASE("hidden commands and options are in nothing that is made of a command line") {
  const CommandInfo info = Tool().info();
  REQUIRE(info.commands.size() == 3);
  for (const std::string& text :
       {help_text(info, 80), help_text(info.commands[0], 80), manual_page(info, {}),
        zsh_completion(info), fish_completion(info)})
    CHECK_THAT(text, !Contains("Not shown") && !Contains("secret"));
  CHECK_THAT(bash_completion(info), !Contains("secret"));
}

TEST_CASE("the kind of a value is known by the name and the type of its argument") {
  const CommandInfo info = Tool().info();
  const CommandInfo& drain = info.commands[0];
  CHECK(drain.positionals.at(0).kind == ValueKind::backend);
  CHECK(drain.options.at(0).kind == ValueKind::pool);
  CHECK(drain.options.at(1).kind == ValueKind::file);
  CHECK(drain.options.at(2).kind == ValueKind::none);
  CHECK(info.commands[1].positionals.at(0).kind == ValueKind::choice);
  CHECK(info.commands[1].positionals.at(0).choices == std::vector<std::string>{"debug", "info"});
  // Of a command that asks no daemon, it is this host's.
  CHECK(info.commands[2].options.at(0).kind == ValueKind::local_interface);
  CHECK(info.commands[2].options.at(1).repeats);
}

TEST_CASE("an argument's sentence has its default, its variable and its range") {
  const CommandInfo info = Tool().info();
  CHECK(info.commands[0].options.at(1).sentence() ==
        "The daemon's socket. Default: what the environment has in SOCKET_OF_IT, or else /run/s");
  CHECK(info.commands[2].options.at(2).sentence() == "How many (1 to 9)");
}

TEST_CASE("usage has what is required, and says where there is more") {
  const CommandInfo info = Tool().info();
  CHECK(usage(info) == "tool COMMAND [OPTIONS] [ARGUMENTS]");
  CHECK(usage(info.commands[0]) == "tool drain [OPTIONS] BACKEND");
  CHECK(usage(info.commands[1]) == "tool log [OPTIONS] [LEVEL]");
  CHECK(usage(info.commands[2]) == "tool decap [OPTIONS] --interface IF");
}

TEST_CASE("help keeps examples as they are and fills all else to the width") {
  const CommandInfo info = Tool().info();
  for (const std::size_t columns : {40U, 60U, 80U, 100U}) {
    const std::string text = help_text(info.commands[0], columns);
    CHECK_THAT(text, Contains("\nExample:\n  tool drain 10.0.0.1\n  .tool\n\nExit codes: 0 done"));
    std::string line;
    for (std::istringstream lines(text); std::getline(lines, line);) {
      INFO(line);
      CHECK(line.size() <= columns);
      CHECK_FALSE(line.ends_with(' '));
    }
  }
  CHECK_THAT(overview(info, 80), Contains("\nChange:\n  drain  Gives a backend no new flows\n") &&
                                     Contains("\nOn a backend:\n  decap  Decapsulates\n"));
}

TEST_CASE("text is filled to the width, a longer word on a line of its own") {
  CHECK(filled("one two three", 8, 2, 0) == "one two\n  three\n");
  CHECK(filled("one muchtoolong two", 8, 2, 0) == "one\n  muchtoolong\n  two\n");
  CHECK(filled("", 8, 2, 0) == "\n");
}

TEST_CASE("nothing in a text is a request or an escape of roff") {
  CHECK(roff(".SH a\\b-c 'd' `e`") == "\\&.SH a\\eb\\-c \\(aqd\\(aq \\fBe\\fP");
  CHECK(roff("'x") == "\\&\\(aqx");
}

TEST_CASE("the manual says once what is the same in each command") {
  const CommandInfo info = Tool().info();
  const std::string page = manual_page(
      info,
      {.version = "1.2", .date = "2026-01-31", .exit_codes = "Exit codes: 0 done, 1 failed."});
  CHECK_THAT(page, Contains(".TH TOOL 1 \"2026-01-31\" \"tool 1.2\""));
  CHECK_THAT(page, Contains(".SS \\fBtool drain [OPTIONS] BACKEND\\fP\n"));
  CHECK_THAT(page, Contains(".EX\ntool drain 10.0.0.1\n\\&.tool\n.EE\n"));
  CHECK_THAT(page, Contains(".SH EXIT STATUS\n.TP\n\\fB0\\fP\nDone.\n.TP\n\\fB1\\fP\nFailed.\n"));
  CHECK_THAT(page, !Contains("Exit codes"));
  CHECK_THAT(page, Contains(".SH ENVIRONMENT\n.TP\n\\fBSOCKET_OF_IT\\fP\n"));
}

TEST_CASE("descriptions are quoted as each shell wants it") {
  const CommandInfo info = Tool().info();
  CHECK_THAT(zsh_completion(info), Contains("--json[It'\\''s JSON \\[really\\]]"));
  CHECK_THAT(fish_completion(info), Contains("-l json -d 'It\\'s JSON [really]'"));
}

TEST_CASE("only the options that take a value swallow the word behind them") {
  CHECK(options_with_value(Tool().info()) ==
        std::vector<std::string>{"drain -p", "drain --pool", "drain --socket", "decap --interface",
                                 "decap --from", "decap --count"});
}

TEST_CASE("what is replaced is not looked at again") {
  CHECK(replaced("aXbXX", "X", "XY") == "aXYbXYXY");
  CHECK(replaced("", "X", "Y").empty());
}

}  // namespace
}  // namespace guideway::cli
