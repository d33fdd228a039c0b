#include "support/catch.h"
#include "unit/probe/probe_fixture.h"

namespace guideway::probe {
namespace {

UdpServer::Script saying(std::vector<std::string> answers) {
  return [answers = std::move(answers)](const std::string&) { return answers; };
}

Answer ask_udp(UdpServer::Script script, std::string payload, std::string expected,
               std::chrono::milliseconds timeout = kLong) {
  const UdpServer server(std::move(script));
  return ask_now(
      question(UdpQuestion{std::move(payload), std::move(expected)}, server.port(), timeout));
}

DnsQuestion a_record(std::string name, std::uint16_t rcode = 0) {
  return {.name = std::move(name), .type = 1, .rcode = rcode};
}

// The query turned into an answer with this response code.
std::string dns_answer(std::string query, unsigned char rcode) {
  query[2] = static_cast<char>(static_cast<unsigned char>(query[2]) | 0x80);
  query[3] = static_cast<char>(rcode);
  return query;
}

}  // namespace

TEST_CASE("a datagram that begins as expected passes") {
  std::string got;
  const Answer answer = ask_udp(
      [&](const std::string& datagram) {
        got = datagram;
        return std::vector<std::string>{"PONG and more"};
      },
      std::string("PI\0NG", 5), "PONG");
  CHECK(answer.passed);
  CHECK(answer.why == "answered");
  CHECK(got == std::string("PI\0NG", 5));
}

TEST_CASE("a datagram that begins otherwise fails and is shown in printable form, and short") {
  SECTION("other bytes") {
    const Answer answer = ask_udp(saying({"\x1b[2J\"no\"\n"}), "?", "PONG");
    CHECK_FALSE(answer.passed);
    CHECK(answer.why == R"(answer begins otherwise: "\x1b[2J\x22no\x22\x0a")");
  }
  SECTION("too few") {
    CHECK(ask_udp(saying({"PON"}), "?", "PONG").why == "answer begins otherwise: \"PON\"");
  }
  SECTION("many") {
    CHECK(ask_udp(saying({std::string(9000, 'x')}), "?", "PONG").why ==
          "answer begins otherwise: \"" + std::string(40, 'x') + "\"...");
  }
}

TEST_CASE("the first datagram decides") {
  CHECK_FALSE(ask_udp(saying({"no", "PONG"}), "?", "PONG").passed);
}

TEST_CASE("any datagram will do if nothing is expected") {
  CHECK(ask_udp(saying({"\xff\xff"}), "?", "").passed);
  CHECK(ask_udp(saying({""}), "?", "").passed);
}

TEST_CASE("an empty payload is an empty datagram") {
  std::size_t bytes = 99;
  const Answer answer = ask_udp(
      [&](const std::string& datagram) {
        bytes = datagram.size();
        return std::vector<std::string>{"x"};
      },
      "", "");
  CHECK(answer.passed);
  CHECK(bytes == 0);
}

TEST_CASE("a payload that no datagram can have is a failure") {
  const Answer answer = ask_udp(saying({"x"}), std::string(70'000, 'x'), "");
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "message too long, while sending the request");
}

TEST_CASE("a UDP port that is unreachable is a failure at once") {
  std::uint16_t port = 0;
  {
    const BoundSocket gone(SOCK_DGRAM);
    port = gone.port();
  }
  CHECK(ask_now(question(UdpQuestion{"?", ""}, port)).why == "port unreachable");
  CHECK(ask_now(question(a_record("a.example"), port)).why == "port unreachable");
}

TEST_CASE("a UDP backend that is silent fails at the deadline") {
  const BoundSocket silent(SOCK_DGRAM);
  CHECK(ask_now(question(UdpQuestion{"?", ""}, silent.port(), kShort)).why ==
        "no answer within 100 ms, while waiting for the answer");
  CHECK(ask_now(question(a_record("a.example"), silent.port(), kShort)).why ==
        "no answer within 100 ms, while waiting for the answer");
}

TEST_CASE("a UDP question through the tunnel enters it first") {
  const UdpServer server(saying({"x"}));
  Question asked = question(UdpQuestion{"?", ""}, server.port());
  asked.vip = kLoopback;
  const Ipv4Address backend = *Ipv4Address::parse("192.0.2.7");
  int entered = 0;
  const EnterTunnel enter_tunnel = [&](int, Protocol protocol, Ipv4Address to) -> Result<> {
    if (protocol == Protocol::udp && to == backend) ++entered;
    return {};
  };
  CHECK(ask_now(asked, enter_tunnel, backend).passed);
  CHECK(entered == 1);
  CHECK(ask_now(asked, {}, backend).why == "not asked: there is no tunnel to ask through");
}

TEST_CASE("a DNS answer passes by its response code") {
  const UdpServer server(
      [](const std::string& query) { return std::vector{dns_answer(query, 3)}; });
  const Answer passed = ask_now(question(a_record("gone.example", 3), server.port()));
  CHECK(passed.passed);
  CHECK(passed.why == "rcode NXDOMAIN");
  const Answer failed = ask_now(question(a_record("gone.example"), server.port()));
  CHECK_FALSE(failed.passed);
  CHECK(failed.why == "rcode NXDOMAIN, not NOERROR");
}

TEST_CASE("DNS datagrams that do not answer the query are ignored") {
  const UdpServer server([](const std::string& query) {
    std::string other_id = dns_answer(query, 2), other_name = dns_answer(query, 2);
    other_id[0] = static_cast<char>(other_id[0] ^ 1);
    other_name[13] = 'z';
    return std::vector<std::string>{"",
                                    other_id,
                                    std::string(600, '\xff'),
                                    query,
                                    query.substr(0, 5),
                                    other_name,
                                    dns_answer(query, 0)};
  });
  CHECK(ask_now(question(a_record("a.example"), server.port())).why == "rcode NOERROR");
}

TEST_CASE("DNS datagrams that never answer the query, without end, are not read without end") {
  const UdpServer server([](const std::string& query) {
    return std::vector<std::string>(1000, std::string(query.size(), '\0'));
  });
  CHECK(ask_now(question(a_record("a.example"), server.port())).why ==
        "only answers to other questions come");
}

TEST_CASE("DNS datagrams that never answer the query end at the deadline") {
  const UdpServer server([](const std::string& query) {
    return std::vector<std::string>(10, std::string(query.size(), '\0'));
  });
  CHECK(ask_now(question(a_record("a.example"), server.port(), kShort)).why ==
        "no answer within 100 ms, while waiting for the answer");
}

TEST_CASE("a name that is no domain name is a failure that shows it") {
  const Answer answer = ask_now(question(a_record("two..dots"), 53));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why ==
        "\"two..dots\" is not a domain name (labels of 1 to 63 bytes, 255 bytes in all)");
}

TEST_CASE("many datagram questions leave no descriptor behind") {
  const UdpServer server(
      [](const std::string& query) { return std::vector{dns_answer(query, 0)}; });
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 200; ++i) {
    REQUIRE(ask_now(question(a_record("a.example"), server.port())).passed);
    REQUIRE(ask_now(question(UdpQuestion{"four", "four"}, server.port())).why ==
            R"(answer begins otherwise: "fo\xf5\x00")");
  }
  CHECK(open_descriptors() == before);
}

}  // namespace guideway::probe
