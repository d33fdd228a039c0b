#include "probe/probe.h"
#include "support/catch.h"

namespace guideway::probe {
namespace {

Question of(decltype(Question::kind) kind, std::uint16_t port) {
  Question question;
  question.kind = std::move(kind);
  question.port = port;
  return question;
}

}  // namespace

TEST_CASE("a question says its type and what it asks") {
  HttpQuestion http;
  http.path = "/healthz";
  HttpQuestion https;
  https.tls = true;
  DnsQuestion dns;
  dns.name = "example.com";
  dns.type = 28;
  ExecQuestion exec;
  exec.command = {"/usr/bin/check", "-v"};
  const auto [asked, type, text] = GENERATE_COPY(table<Question, std::string, std::string>({
      {of(TcpQuestion{}, 443), "tcp", "tcp port 443"},
      {of(http, 80), "http", "http port 80 path /healthz"},
      {of(https, 8443), "https", "https port 8443 path /"},
      {of(UdpQuestion{}, 514), "udp", "udp port 514"},
      {of(dns, 53), "dns", "dns port 53 name example.com type AAAA"},
      {of(exec, 0), "exec", "exec /usr/bin/check"},
      {of(exec, 25), "exec", "exec port 25 /usr/bin/check"},
  }));
  CHECK(asked.type() == type);
  CHECK(asked.text() == text);
}

TEST_CASE("a question through the tunnel says so") {
  Question asked = of(TcpQuestion{}, 443);
  asked.vip = Ipv4Address::parse("198.51.100.1");
  CHECK(asked.text() == "tcp port 443 through the tunnel to 198.51.100.1");
}

TEST_CASE("a DNS type without a name is a number") {
  DnsQuestion dns;
  dns.name = "a.example";
  dns.type = 65;
  CHECK(of(dns, 53).text() == "dns port 53 name a.example type TYPE65");
}

}  // namespace guideway::probe
