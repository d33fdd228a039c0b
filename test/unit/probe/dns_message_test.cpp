#include "probe/dns_message.h"

#include <random>

#include "support/catch.h"

namespace guideway::probe {
namespace {

using namespace std::string_literals;

std::string query_for(const std::string& name, std::uint16_t type = 1) {
  DnsQuestion question;
  question.name = name;
  question.type = type;
  return dns_query(question).value();
}

// A refusal (rcode 5) with the question.
std::string refusal(std::string query) {
  query[2] = '\x81';
  query[3] = '\x05';
  return query;
}

}  // namespace

TEST_CASE("a DNS query is the bytes that RFC 1035 says, behind a random id") {
  const std::string query = query_for("www.example.com", 28);
  CHECK(query.substr(2) ==
        "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
        "example\x03"
        "com\x00\x00\x1c\x00\x01"s);
  bool differs = false;
  for (int i = 0; i < 10; ++i)
    differs = differs || query_for("www.example.com", 28).substr(0, 2) != query.substr(0, 2);
  CHECK(differs);
}

TEST_CASE("a dot at the end of a name changes nothing, and a dot alone is the root") {
  CHECK(query_for("a.example.").substr(2) == query_for("a.example").substr(2));
  CHECK(query_for(".").substr(12) == "\x00\x00\x01\x00\x01"s);
}

TEST_CASE("what is no domain name makes no query") {
  DnsQuestion question;
  question.name = GENERATE(std::string("a..b"), std::string(64, 'x'), std::string(".a"), [] {
    std::string name;
    for (int i = 0; i < 130; ++i) name += "a.";
    return name;
  }());
  CHECK_FALSE(dns_query(question));
}

TEST_CASE("a DNS answer to the query gives its response code") {
  const std::string query = query_for("www.example.com");
  CHECK(dns_rcode(refusal(query), query) == 5);
  CHECK(dns_rcode(refusal(query) + "records, or anything else", query) == 5);
}

TEST_CASE("the name in a DNS answer may have another case") {
  const std::string query = query_for("www.example.com");
  std::string answer = refusal(query);
  answer[13] = 'W';
  CHECK(dns_rcode(answer, query) == 5);
}

TEST_CASE("a refusal may come without the question, an answer may not") {
  const std::string query = query_for("www.example.com");
  std::string header = refusal(query).substr(0, 12);
  header[5] = 0;
  CHECK(dns_rcode(header, query) == 5);
  header[3] = 0;
  CHECK_FALSE(dns_rcode(header, query));
}

TEST_CASE("what does not answer the query gives no response code") {
  const std::string query = query_for("www.example.com");
  std::string answer = refusal(query);
  SECTION("the query itself") { answer = query; }
  SECTION("another id") { answer[1] = static_cast<char>(answer[1] ^ 1); }
  SECTION("another operation") { answer[2] = '\xa8'; }
  SECTION("another name") { answer[14] = 'x'; }
  SECTION("another type") { answer[answer.size() - 3] = 2; }
  // The case of letters does not matter, but this is no letter.
  SECTION("another class") { answer.back() = 'a'; }
  SECTION("two questions") { answer[5] = 2; }
  CHECK_FALSE(dns_rcode(answer, query));
}

TEST_CASE("a DNS answer that is cut off anywhere gives no response code") {
  const std::string query = query_for("www.example.com");
  const std::string answer = refusal(query);
  for (std::size_t bytes = 0; bytes < answer.size(); ++bytes)
    CHECK_FALSE(dns_rcode(std::string(answer, 0, bytes), query));
}

TEST_CASE("random bytes behind the right id do no harm") {
  std::mt19937 random(1035);
  const std::string query = query_for("www.example.com");
  for (int round = 0; round < 20'000; ++round) {
    std::string message = query.substr(0, 2);
    for (std::size_t left = random() % 60; left > 0; --left)
      message += static_cast<char>(random() & 0xff);
    const auto rcode = dns_rcode(message, query);
    if (rcode) CHECK(*rcode < 16);
  }
}

}  // namespace guideway::probe
