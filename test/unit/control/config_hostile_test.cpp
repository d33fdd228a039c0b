// Files that are no configuration, by accident or by intent: one clear problem, in bounded time and
// memory, whatever they hold.
#include <random>

#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

std::string repeated(std::string_view part, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += part;
  return result;
}

TEST_CASE("A file without values is empty") {
  for (const char* file :
       {"", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "~", "\xef\xbb\xbf"})
    CHECK(errors(file) ==
          Lines{"f: is empty; must hold node, interfaces, encapsulation, pools and services"});
}

TEST_CASE("A file whose root is no mapping says what it must be") {
  const std::string rule =
      "must be a mapping with the keys node, interfaces, encapsulation, pools, services, "
      "flow_table, log, admin, metrics, bgp and shutdown, not ";
  CHECK(errors("- node\n") == Lines{"f:1:1: " + rule + "a list"});
  CHECK(errors("\n  hello") == Lines{"f:2:3: " + rule + "\"hello\""});
}

TEST_CASE("What is not YAML is one problem at the place of the mistake") {
  const std::string hint =
      "; check the indentation (spaces, no tabs), quotes and brackets here and above";
  CHECK(errors("node:\n  name: a: b\n") == Lines{"f:2:10: is not YAML: illegal map value" + hint});
  CHECK(errors("node: {name: a\n") ==
        Lines{"f:2:1: is not YAML: end of map flow not found" + hint});
  CHECK(errors("node:\n\tname: a\n") == Lines{"f:2:6: is not YAML: illegal map value" + hint});
  CHECK(errors("node:\n    name: a\n  fleet_seed: b\n") ==
        Lines{"f:3:3: is not YAML: end of map not found" + hint});
  CHECK(errors("node: {name: *a}\n") ==
        Lines{"f:1:14: is not YAML: the referenced anchor is not defined" + hint});
  CHECK(errors("node: \"\\q\"\n") ==
        Lines{"f:1:10: is not YAML: unknown escape character: q" + hint});
}

TEST_CASE("A quote that is not closed does not end with the file") {
  const std::string what = "is not YAML: a quote above is not closed";
  for (const std::string end : {"", "\n", "\n\n", "\r\n", "\n# text", "\n# text\n"}) {
    INFO(end);
    for (const std::string quote : {"\"", "'"}) {
      const Lines found =
          errors(file_with("node", "").append("node:\n  fleet_seed: " + quote + "a" + end));
      REQUIRE(found.size() == 1);
      CHECK(found[0].find(what) != std::string::npos);
    }
  }
  CHECK(errors("node: 'a\n---\n'\n") == Lines{"f:2:1: " + what});
}

TEST_CASE("A block text is the same at the end of the file as in its middle") {
  const auto seed = [](const std::string& end) {
    return right(file_with("node", "").append("node:\n  fleet_seed: |\n    a" + end))
        .model.node.fleet_seed;
  };
  CHECK(seed("") == "a\n");
  CHECK(seed("\n") == "a\n");
  CHECK(seed("\n\n\n") == "a\n");
  CHECK(seed("\n...\n") == "a\n");
  CHECK(seed("\nlog: {level: info}\n") == "a\n");
}

TEST_CASE("A second document is refused where it starts") {
  CHECK(errors(file_with("", "") + "---\nnode: {}\n") ==
        Lines{"f:6:1: a second YAML document starts here; a configuration is one document: put it "
              "into a "
              "file of its own"});
  CHECK(errors("---\n" + file_with("", "") + "...\n").empty());
}

TEST_CASE("A tag is refused, but for the core ones of YAML") {
  CHECK(errors_with("node", "node: !lb {fleet_seed: a}") ==
        Lines{"f:1:7: the tag \"!lb\" means nothing here; leave it out"});
  CHECK(errors_with("node", "node: !!map {fleet_seed: !!str 12}").empty());
}

TEST_CASE("Bytes that are no UTF-8 are refused at their place") {
  const std::string end = " is not UTF-8; save the file as UTF-8 text";
  CHECK(errors("node:\n  name: \xff\n") == Lines{"f:2:9: byte 0xff" + end});
  CHECK(errors("\xff\xfen\0o\0") == Lines{"f:1:1: byte 0xff" + end});
  for (const char* bytes :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    const Lines found = errors(std::string("a") + bytes);
    REQUIRE(found.size() == 1);
    CHECK(found[0].starts_with("f:1:2: byte 0x"));
    CHECK(found[0].ends_with(end));
  }
  CHECK(
      errors_with("node", "node: {fleet_seed: \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x82\"}").empty());
}

TEST_CASE("Control characters are refused at their place") {
  const std::string end = " is a control character; the file must be text";
  CHECK(errors(std::string_view("a\0b", 3)) == Lines{"f:1:2: byte 0x00" + end});
  CHECK(errors("node: \x1b[31m") == Lines{"f:1:7: byte 0x1b" + end});
  CHECK(errors("a\n\x7f") == Lines{"f:2:1: byte 0x7f" + end});
}

TEST_CASE("What an operator's text does to a terminal is not repeated in a message") {
  CHECK(errors_with("log", R"(log: {level: "\e[31m\"\\\n\u009b"})") ==
        Lines{"f:1:14: log.level: must be trace, debug, info, warning or error, not "
              "\"\\x1b[31m\\\"\\\\\\x0a\\x9b\""});
  CHECK(errors_with("log", R"(log: {"\e]0;x": 1})") ==
        Lines{"f:1:7: log.\\x1b]0;x: unknown key; the keys here are level"});
  CHECK(errors_with("log", "log: {level: " + repeated("\xe2\x82\xac", 50) + "}") ==
        Lines{"f:1:14: log.level: must be trace, debug, info, warning or error, not \"" +
              repeated("\xe2\x82\xac", 20) + "...\""});
}

TEST_CASE("Deep nesting is one problem") {
  CHECK(errors(repeated("[", 100'000)) == Lines{"f:1:1001: more than 1000 brackets are open here"});
  CHECK(errors(repeated("{a: ", 100'000)) ==
        Lines{"f:1:4001: more than 1000 brackets are open here"});
  const std::string deep = "lists and mappings are nested deeper than 32 levels";
  CHECK(errors(repeated("[", 33) + repeated("]", 33)) == Lines{"f:1:33: " + deep});
  CHECK(errors(repeated("[", 500) + repeated("]", 500)) == Lines{"f:1:33: " + deep});
  CHECK(errors(repeated("- ", 100'000)) == Lines{"f:1:65: " + deep});
  CHECK(errors(repeated("? ", 100'000)) == Lines{"f:1:65: " + deep});
}

TEST_CASE("Aliases that grow a file beyond a million values are one problem") {
  std::string file = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    file += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
    for (int j = 1; j < 10; ++j) file += ", " + alias;
    file += "]\n";
  }
  CHECK(errors(file) == Lines{"f:6:55: the file holds more than 1000000 values, each alias counted "
                              "as what it stands for"});
  std::string pools =
      "pools:\n- &p {name: p, backends: &b [10.0.1.11" + repeated(", 10.0.1.11", 999) + "]}\n";
  pools += repeated("- *p\n", 2000);
  CHECK(
      errors_with("pools", pools) ==
      Lines{
          "f:997:3: the file holds more than 1000000 values, each alias counted as what it stands "
          "for"});
}

TEST_CASE("An alias within its own value is one problem") {
  CHECK(errors("node: &n {name: *n}\n") ==
        Lines{"f:1:17: this alias stands within the value that it stands for"});
  CHECK(errors("&a [*a]\n") ==
        Lines{"f:1:5: this alias stands within the value that it stands for"});
}

TEST_CASE("More than a million values are one problem") {
  CHECK(errors("pools:\n" + repeated("- 1\n", 1'000'001)) ==
        Lines{"f:999999:3: the file holds more than 1000000 values, each alias counted as what it "
              "stands "
              "for"});
}

TEST_CASE("After a thousand problems the others are only counted") {
  std::string log = "log:\n";
  for (int i = 0; i < 3000; ++i) log += "  key" + std::to_string(i) + ": 1\n";
  const Lines found = errors_with("log", log);
  REQUIRE(found.size() == 1001);
  CHECK(found[0] == "f:2:3: log.key0: unknown key; the keys here are level");
  CHECK(found[999] == "f:1001:3: log.key999: unknown key; the keys here are level");
  CHECK(found[1000] == "f: and 2000 more");
}

// What a model promises, however odd the file is that it came from.
void check_promises(const Model& model) {
  for (const PoolConfig& pool : model.pools) {
    REQUIRE_FALSE(pool.backends.empty());
    REQUIRE(pool.min_healthy <= pool.backends.size());
    for (const CheckConfig& check : pool.checks) {
      REQUIRE(check.question.timeout <= check.interval);
      REQUIRE(check.question.timeout > std::chrono::milliseconds(0));
      const auto* exec = std::get_if<probe::ExecQuestion>(&check.question.kind);
      if (exec != nullptr) REQUIRE_FALSE(exec->command.empty());
      if (exec == nullptr) REQUIRE(check.question.port > 0);
      if (const auto* http = std::get_if<probe::HttpQuestion>(&check.question.kind)) {
        REQUIRE_FALSE(http->expected.empty());
        REQUIRE(http->path.starts_with('/'));
        REQUIRE((!http->verify || !http->server_name.empty()));
      }
    }
  }
  if (!model.bgp) return;
  const bgp::SpeakerConfig& speaker = model.bgp->speaker;
  const bool managed = speaker.mode == bgp::Mode::managed;
  REQUIRE(speaker.peers.empty() != managed);
  REQUIRE(speaker.router_id.empty() != managed);
  REQUIRE((speaker.asn > 0 || !managed));
  for (const bgp::Peer& peer : speaker.peers) {
    REQUIRE_FALSE(peer.address.is_unspecified());
    REQUIRE(peer.asn > 0);
    REQUIRE(peer.hold_time >= std::chrono::seconds(3));
  }
  const bgp::Policy& policy = model.bgp->policy;
  REQUIRE(std::ranges::is_sorted(policy.active.communities));
  REQUIRE(policy.damping.first <= policy.damping.most);
}

// Bytes of a right file replaced, removed, repeated: always a model or problems, never a crash.
void damage(const std::string& whole, std::uint_fast32_t seed) {
  static constexpr std::string_view kBytes = "[]{}:,-?&*!|>'\"%@`#\\ \n\t\r~<=a0./\xc3\x80";
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    std::string file = whole;
    for (auto changes = random() % 6; changes <= 6; ++changes) {
      const std::size_t at = random() % file.size();
      const char byte = kBytes[random() % kBytes.size()];
      switch (random() % 4) {
        case 0: file[at] = byte; break;
        case 1: file.insert(at, 1, byte); break;
        case 2: file.erase(at, 1 + random() % 4); break;
        default: file.insert(at, file.substr(random() % file.size(), random() % 20));
      }
      if (file.empty()) file = whole;
    }
    INFO(file);
    const auto config = parse_config(file, "f");
    if (config) {
      check_promises(config->model);
      continue;
    }
    REQUIRE_FALSE(config.error().empty());
    for (const Problem& problem : config.error()) REQUIRE_FALSE(problem.what.empty());
  }
}

TEST_CASE("A damaged file is a model or problems") {
  damage(file_with("flow_table",
                   "flow_table: &f\n  entries: 4096\n  timeouts: {udp: 10s}\n"
                   "log:\n- *f\n- \"a\\x41\"\n- |\n  text\n- ? [a, b]\n  : !!str c\n"),
         2);
}

TEST_CASE("A damaged file with checks is a model or problems") {
  const std::string whole = file_with(
      "pools",
      "pools:\n- name: web\n  min_healthy: 2\n  slow_start: 3s\n  on_empty: all\n  checks:\n"
      "  - {type: https, port: 443, via: tunnel, host: a.example, verify: true, status: "
      "[200-299]}\n"
      "  - {type: udp, port: 53, send_hex: 00ff, expect: ab, interval: 500ms, timeout: 20ms}\n"
      "  - {type: dns, port: 53, query: a.example., record: MX, rise: 1}\n"
      "  - {type: exec, command: [/bin/true, a], fall: 9}\n"
      "  backends: [10.0.1.11, {address: 10.0.1.12, state: drain}]\n"
      "metrics: {listen: 127.0.0.1:9477}\nshutdown: {drain: 5s}\n");
  CHECK(errors(whole).empty());
  damage(whole, 3);
}

TEST_CASE("A damaged file with bgp is a model or problems") {
  const std::string whole = file_with(
      "bgp",
      "bgp:\n  mode: managed\n  api: '[::1]:50051'\n  local_asn: 64512\n  router_id: 10.0.0.10\n"
      "  listen_port: 0\n  graceful_restart: 0s\n  role: passive\n  announce: any\n  peers:\n"
      "  - {address: 10.0.0.1, asn: 64500, hold_time: 9s, multihop: 2, port: 179}\n"
      "  - {address: '2001:db8::1', asn: 4200000000, local_address: '2001:db8::2'}\n"
      "  prefixes: [198.51.100.0/24, 198.51.101.0/24]\n  next_hop: 10.0.0.10\n"
      "  communities: ['64512:100', no-export, '64512:1:2']\n  med: 50\n"
      "  passive: {med: 150, prepend: 3}\n  damping: {first: 1s, most: 60s, window: 5m}\n");
  CHECK(errors(whole).empty());
  damage(whole, 4);
}

}  // namespace
}  // namespace guideway::control
