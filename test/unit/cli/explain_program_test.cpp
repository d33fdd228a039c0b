// guideway explain: what is asked of the daemon, and what is refused before it is asked.
#include "program.h"
#include "support/catch.h"
#include "support/example_answer.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

constexpr const char* kTarget =
    "GET /v1/explain?flow=tcp%20203.0.113.7%3A40000%20198.51.100.1%3A80";

ScriptedDaemon::Script answering(const std::string& line, const observe::PacketAnswer& answer) {
  return {{line, http_answer(200, observe::to_json(answer))}};
}

TEST_CASE("guideway explain takes a flow as three words or as one") {
  const auto script = answering(kTarget, observe::example_answer());
  const Ended words =
      run_against(script, {"explain", "tcp", "203.0.113.7:40000", "198.51.100.1:80"});
  CHECK(words.err.empty());
  CHECK(words.code == 0);
  CHECK_THAT(words.out, EndsWith("\nforwarded to 10.0.0.1 by eth1\n"));
  const Ended one = run_against(script, {"explain", "tcp 203.0.113.7:40000 198.51.100.1:80"});
  CHECK(one.out == words.out);
  const Ended json =
      run_against(script, {"explain", "tcp 203.0.113.7:40000 198.51.100.1:80", "--json"});
  CHECK(json.out == observe::to_json(observe::example_answer()) + "\n");
}

TEST_CASE("guideway explain asks with flags, size and interface") {
  const auto script = answering(std::string(kTarget) + "&flags=syn%2Cack&size=1500&interface=eth1",
                                observe::example_answer());
  const Ended ended =
      run_against(script, {"explain", "tcp", "203.0.113.7:40000", "198.51.100.1:80", "--flags",
                           "syn|ack", "--size", "1500", "--interface", "eth1"});
  CHECK(ended.err.empty());
  CHECK(ended.code == 0);
}

TEST_CASE("guideway explain takes a packet with blanks and colons") {
  const auto script = answering("GET /v1/explain?packet=4500aBcD", observe::example_answer());
  CHECK(run_against(script, {"explain", "--from-packet", "45:00 aB cD"}).code == 0);
}

TEST_CASE("guideway explain of a packet that would be dropped is exit code 0") {
  observe::PacketAnswer answer = observe::example_answer();
  answer.verdict = observe::PacketAnswer::Verdict::dropped;
  answer.reason = &observe::reason_text(DropReason::too_big);
  const Ended ended =
      run_against(answering(kTarget, answer), {"explain", "tcp 203.0.113.7:40000 198.51.100.1:80"});
  CHECK(ended.code == 0);
  CHECK_THAT(ended.out, Contains("\ndropped: too_big: with the 24 bytes"));
}

TEST_CASE("guideway explain says what is wrong with a question, with exit code 2") {
  struct Wrong {
    std::vector<std::string> words;
    std::string says;
  };
  const std::string flow = "tcp 203.0.113.7:40000 198.51.100.1:80";
  const Wrong all[] = {
      {{}, "name a flow or --from-packet, one of the two"},
      {{flow, "--from-packet", "45"}, "name a flow or --from-packet, one of the two"},
      {{"tcp", "203.0.113.7:40000"}, "three words"},
      {{"tcp 203.0.113.300:1 198.51.100.1:80"}, "IPv4 address"},
      {{"tcp 203.0.113.7:0 198.51.100.1:80"}, "1 to 65535, not \"0\""},
      {{"icmp 203.0.113.7:1 198.51.100.1:80"}, "must be tcp or udp"},
      {{flow, "--flags", "sin"}, "fin, syn, rst"},
      {{"udp 203.0.113.7:1 198.51.100.1:80", "--flags", "syn"}, "only a flow of tcp"},
      {{flow, "--size", "39"}, "40 (its headers) to 65535"},
      {{"--from-packet", "450"}, "two for each byte"},
      {{"--from-packet", "45 0g"}, "character 5 is \"g\""},
      {{"--from-packet", std::string(8194, '0')}, "4096 at most"},
      {{"--from-packet", "45", "--size", "100"}, "a packet has its own"},
      {{"--from-packet", "-"}, "no bytes"},
  };
  for (const Wrong& wrong : all) {
    std::vector<std::string> words{"explain"};
    words.insert(words.end(), wrong.words.begin(), wrong.words.end());
    const Ended ended = run(words);
    INFO(wrong.says);
    CHECK(ended.code == 2);
    CHECK(ended.out.empty());
    CHECK_THAT(ended.err, Contains(wrong.says));
  }
}

TEST_CASE("guideway explain passes on what the daemon refuses, with exit code 1") {
  const ScriptedDaemon::Script script{
      {std::string(kTarget) + "&interface=x",
       http_answer(404, R"j({"error":"no interface in service is called x (there are: eth1)"})j")}};
  const Ended ended =
      run_against(script, {"explain", "tcp 203.0.113.7:40000 198.51.100.1:80", "--interface", "x"});
  CHECK(ended.code == 1);
  CHECK(ended.err ==
        "guideway: explaining what becomes of the packet: no interface in service is called x "
        "(there are: eth1)\n");
}

}  // namespace
}  // namespace guideway::cli
