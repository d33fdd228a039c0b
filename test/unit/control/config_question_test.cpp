// What each type of check asks and expects: its own keys, right and wrong.
#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

// Of a pool with one check, whose keys start at column 31 of line 1.
std::string check_file(const std::string& keys) {
  return file_with("pools",
                   "pools: [{name: web, checks: [{" + keys + "}], backends: [10.0.1.11]}]\n");
}

probe::Question question(const std::string& keys) {
  auto checks = right(check_file(keys)).model.pools[0].checks;
  REQUIRE(checks.size() == 1);
  return checks[0].question;
}

template <class Kind>
Kind ask(const std::string& keys) {
  const auto asked = question(keys);
  REQUIRE(std::holds_alternative<Kind>(asked.kind));
  return std::get<Kind>(asked.kind);
}

// All problems, each without the path that they have in common.
Lines problems(const std::string& keys) {
  static constexpr std::string_view kPath = "pools[0].checks[0].";
  Lines found = errors(check_file(keys));
  for (std::string& line : found)
    if (const auto at = line.find(kPath); at != std::string::npos)
      line = line.substr(at + kPath.size());
  return found;
}

const std::string kHttp = "type: http, port: 80, ";
const std::string kHttps = "type: https, port: 443, ";
const std::string kUdp = "type: udp, port: 53, ";
const std::string kDns = "type: dns, port: 53, ";

TEST_CASE("An HTTP check without keys of its own gets / and expects any 2xx") {
  CHECK(ask<probe::HttpQuestion>("type: http, port: 80") == probe::HttpQuestion{});
  probe::HttpQuestion https;
  https.tls = true;
  CHECK(ask<probe::HttpQuestion>("type: https, port: 443") == https);
}

TEST_CASE("The keys of an HTTP check arrive in its question") {
  const auto http =
      ask<probe::HttpQuestion>(kHttp +
                               "method: OPTIONS, path: '/a?b=%20', host: 'www.example.com:8080', "
                               "status: [200-204, 301, '404'], body: \"all is\\nwell\"");
  CHECK_FALSE(http.tls);
  CHECK(http.method == "OPTIONS");
  CHECK(http.path == "/a?b=%20");
  CHECK(http.host == "www.example.com:8080");
  CHECK(http.expected == std::vector<probe::StatusRange>{{200, 204}, {301, 301}, {404, 404}});
  CHECK(http.body == "all is\nwell");
  CHECK(http.server_name.empty());
}

TEST_CASE("The statuses of an HTTP check may be a single one or a single range") {
  CHECK(ask<probe::HttpQuestion>(kHttp + "status: 204").expected ==
        std::vector<probe::StatusRange>{{204, 204}});
  CHECK(ask<probe::HttpQuestion>(kHttp + "status: 100-599").expected ==
        std::vector<probe::StatusRange>{{100, 599}});
}

TEST_CASE("The keys of an HTTPS check arrive in its question") {
  const auto https =
      ask<probe::HttpQuestion>(kHttps +
                               "host: www.example.com, server_name: lb.example.com, verify: true, "
                               "ca_file: /etc/guideway/ca.pem");
  CHECK(https.tls);
  CHECK(https.host == "www.example.com");
  CHECK(https.server_name == "lb.example.com");
  CHECK(https.verify);
  CHECK(https.ca_file == "/etc/guideway/ca.pem");
}

TEST_CASE("The name in a TLS handshake is the host's where no other is given") {
  const auto name = [](const std::string& host) {
    return ask<probe::HttpQuestion>(kHttps + "host: '" + host + "'").server_name;
  };
  CHECK(name("www.example.com") == "www.example.com");
  CHECK(name("www.example.com:8443") == "www.example.com");
  CHECK(name("10.0.0.1:8443") == "10.0.0.1");
  CHECK(name("[2001:db8::1]:8443").empty());
}

TEST_CASE("The method of an HTTP check is in upper case letters") {
  const std::string rule = "method: must be an HTTP method in upper case letters such as GET, not ";
  for (const std::string method : {"get", "Get", "GE T", "GET1", "GET\\r\\nX"})
    CHECK(problems(kHttp + "method: \"" + method + "\"").at(0).starts_with(rule));
  CHECK(problems(kHttp + "method: ''") == Lines{rule + "\"\""});
  CHECK(problems(kHttp + "method: " + std::string(33, 'A')) ==
        Lines{rule + "\"" + std::string(33, 'A') + "\""});
  CHECK(problems(kHttp + "method: []") == Lines{rule.substr(0, rule.size() - 5) + " not a list"});
}

TEST_CASE("The path of an HTTP check can be sent as it is") {
  const std::string rule = "path: must be a path that starts with '/' such as /healthz, not ";
  const std::string hint =
      "; write spaces, control characters and what is not ASCII as % and two hex digits";
  CHECK(problems(kHttp + "path: healthz") == Lines{rule + "\"healthz\""});
  CHECK(problems(kHttp + "path: ''") == Lines{rule + "\"\""});
  CHECK(problems(kHttp + "path: 'http://a/'") ==
        Lines{rule + "\"http://a/\"; the host of the request is the key host"});
  CHECK(problems(kHttp + "path: /a b") == Lines{rule + "\"/a b\"" + hint});
  CHECK(problems(kHttp + "path: \"/a\\r\\nHost: b\"") ==
        Lines{rule + "\"/a\\x0d\\x0aHost: b\"" + hint});
  CHECK(problems(kHttp + "path: /\xc3\xa9").at(0).ends_with(hint));
  CHECK(problems(kHttp + "path: /" + std::string(2047, 'a')).empty());
  CHECK(problems(kHttp + "path: /" + std::string(2048, 'a'))
            .at(0)
            .ends_with("; it is longer than 2048 bytes"));
}

TEST_CASE("The host of an HTTP check can be sent as it is") {
  const std::string rule =
      "host: must be a host name or an address, with a port where one is needed, such as "
      "www.example.com, not ";
  CHECK(problems(kHttp + "host: ''") == Lines{rule + "\"\""});
  CHECK(problems(kHttp + "host: a b") == Lines{rule + "\"a b\""});
  CHECK(problems(kHttp + "host: \"a\\r\\nX: b\"") == Lines{rule + "\"a\\x0d\\x0aX: b\""});
}

TEST_CASE("A status is from 100 to 599, and a range of them ascends") {
  const std::string rule =
      "must be a status from 100 to 599 such as 200, or a range such as 200-299, not ";
  for (const std::string status : {"99", "600", "ok", "2xx", "200-", "-200", "200-600", ""})
    CHECK(problems(kHttp + "status: ['" + status + "']") ==
          Lines{"status[0]: " + rule + "\"" + status + "\""});
  CHECK(problems(kHttp + "status: 299-200") ==
        Lines{"status: " + rule + "\"299-200\"; the smaller one comes first"});
  CHECK(problems(kHttp + "status: []") ==
        Lines{"status: must be a list of statuses and ranges of them such as [200-299, 404], not "
              "an empty list"});
  CHECK(problems(kHttp + "status: [200, [201]]") ==
        Lines{"status[1]: " + rule.substr(0, rule.size() - 5) + " not a list"});
}

TEST_CASE("A body is a text that can be found, and a HEAD request has none") {
  CHECK(problems(kHttp + "body: ''") ==
        Lines{"body: must be a text of 1 byte to 64 KiB, not \"\""});
  CHECK(problems(kHttp + "body: " + std::string(65536, 'a')).empty());
  CHECK(problems(kHttp + "body: " + std::string(65537, 'a')).size() == 1);
  CHECK(problems(kHttp + "body: [ok]") ==
        Lines{"body: must be a text of 1 byte to 64 KiB, not a list"});
  CHECK(problems(kHttp + "method: HEAD, body: ok") ==
        Lines{"body: the answer to a HEAD request has no body; use another method, or leave the "
              "key out"});
}

TEST_CASE("A certificate is verified for a name, by the authorities of a file or of the system") {
  CHECK(problems(kHttps + "verify: true") ==
        Lines{"verify: there is no name that the certificate must be for; set server_name, or a "
              "host with a name"});
  CHECK(problems(kHttps + "verify: true, server_name: www.example.com").empty());
  CHECK(problems(kHttps + "verify: true, host: www.example.com").empty());
  CHECK(problems(kHttps + "verify: true, host: a b").size() == 1);
  CHECK(problems(kHttps + "verify: yes") == Lines{"verify: must be true or false, not \"yes\""});
  CHECK(problems(kHttps + "ca_file: /ca.pem") ==
        Lines{"ca_file: belongs to checks with verify: true"});
  const std::string verify = kHttps + "server_name: a, verify: true, ";
  for (const std::string path : {"ca.pem", "/etc/", ""})
    CHECK(problems(verify + "ca_file: '" + path + "'") ==
          Lines{"ca_file: must be the absolute path of a PEM file such as /etc/guideway/ca.pem, "
                "not \"" +
                path + "\""});
  for (const std::string name : {"a b", "a..b", "www.example.com:443", "-a", ""})
    CHECK(problems(kHttps + "server_name: '" + name + "'") ==
          Lines{"server_name: must be the name or IPv4 address that a certificate is for, such as "
                "www.example.com, not \"" +
                name + "\""});
}

TEST_CASE("A UDP check sends a text or bytes, and may expect some") {
  CHECK(ask<probe::UdpQuestion>(kUdp + "send: ping, expect: pong") ==
        probe::UdpQuestion{.payload = "ping", .expected = "pong"});
  CHECK(ask<probe::UdpQuestion>(kUdp + "send_hex: 00fFA5, expect_hex: '01'") ==
        probe::UdpQuestion{.payload = std::string("\0\xff\xa5", 3), .expected = "\x01"});
  CHECK(ask<probe::UdpQuestion>(kUdp + "send: ''") == probe::UdpQuestion{});
  CHECK(ask<probe::UdpQuestion>(kUdp + "send: a, expect_hex: 62").expected == "b");
}

TEST_CASE("What a UDP check sends and expects is said once and fits a packet") {
  CHECK(problems("type: udp, port: 53") ==
        Lines{"send: missing; must be a text, or send_hex with hex digits"});
  CHECK(problems(kUdp + "send: a, send_hex: 61") ==
        Lines{"send_hex: stands beside send; leave one of both out"});
  CHECK(problems(kUdp + "send: a, expect: b, expect_hex: 62") ==
        Lines{"expect_hex: stands beside expect; leave one of both out"});
  CHECK(problems(kUdp + "send: " + std::string(1400, 'a')).empty());
  CHECK(problems(kUdp + "send: " + std::string(1401, 'a')).size() == 1);
  CHECK(problems(kUdp + "send: []") ==
        Lines{"send: must be a text of 0 to 1400 bytes, not a list"});
  CHECK(problems(kUdp + "send: a, expect: ''") ==
        Lines{"expect: must be a text of 1 to 1400 bytes, not \"\""});
  const std::string hex =
      "must be 0 to 1400 bytes, each written as two hex digits, such as 0a1b, not ";
  for (const std::string digits : {"0", "0g", "00 11", "-1", "+1"})
    CHECK(problems(kUdp + "send_hex: '" + digits + "'") ==
          Lines{"send_hex: " + hex + "\"" + digits + "\""});
  CHECK(problems(kUdp + "send_hex: 0x00") == Lines{"send_hex: " + hex + "\"0x00\"; leave out 0x"});
  CHECK(problems(kUdp + "send_hex: '" + std::string(2802, '0') + "'").size() == 1);
}

TEST_CASE("A DNS check asks for a name, a type of record and a response code") {
  CHECK(ask<probe::DnsQuestion>(kDns + "query: www.example.com") ==
        probe::DnsQuestion{.name = "www.example.com", .type = 1, .rcode = 0});
  const std::vector<std::pair<std::string, int>> records{{"A", 1},    {"NS", 2},    {"CNAME", 5},
                                                         {"SOA", 6},  {"PTR", 12},  {"MX", 15},
                                                         {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}};
  for (const auto& [record, number] : records)
    CHECK(ask<probe::DnsQuestion>(kDns + "query: a, record: " + record).type == number);
  const std::vector<std::pair<std::string, int>> codes{{"NOERROR", 0},  {"FORMERR", 1},
                                                       {"SERVFAIL", 2}, {"NXDOMAIN", 3},
                                                       {"NOTIMP", 4},   {"REFUSED", 5}};
  for (const auto& [code, number] : codes)
    CHECK(ask<probe::DnsQuestion>(kDns + "query: a, rcode: " + code).rcode == number);
}

TEST_CASE("The name that a DNS check asks for is a domain name") {
  CHECK(ask<probe::DnsQuestion>(kDns + "query: Example.COM.").name == "Example.COM");
  CHECK(ask<probe::DnsQuestion>(kDns + "query: .").name == ".");
  CHECK(ask<probe::DnsQuestion>(kDns + "query: _sip._tcp.example.com").name ==
        "_sip._tcp.example.com");
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  CHECK(ask<probe::DnsQuestion>(kDns + "query: " + longest).name == longest);
  CHECK(problems("type: dns, port: 53") ==
        Lines{"query: missing; must be a domain name such as www.example.com"});
  for (const std::string& name : {std::string("a b"), std::string("a..b"), std::string(".a"),
                                  std::string(), std::string(".."), std::string("a-.b"),
                                  "a" + label, longest + "b", std::string("\xc3\xa9.example")})
    CHECK(problems(kDns + "query: '" + name + "'")
              .at(0)
              .starts_with("query: must be a domain name such as www.example.com, not \""));
  CHECK(problems(kDns + "query: a, record: a") ==
        Lines{"record: must be A, AAAA, NS, SOA, TXT, MX, PTR, SRV or CNAME, not \"a\"; did you "
              "mean \"A\"?"});
  CHECK(problems(kDns + "query: a, rcode: BADVERS") ==
        Lines{"rcode: must be NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP or REFUSED, not "
              "\"BADVERS\""});
}

TEST_CASE("An exec check runs a program with arguments and tells it the pool and the port") {
  const auto with_port = question("type: exec, port: 8080, command: [/bin/check, -v, 'a b']");
  CHECK(with_port.port == 8080);
  CHECK(with_port.kind == decltype(with_port.kind)(probe::ExecQuestion{
                              .command = {"/bin/check", "-v", "a b"}, .pool = "web"}));
  CHECK(question("type: exec, command: [/bin/true]").port == 0);
}

TEST_CASE("A command is a list of an absolute path and of texts that are not empty") {
  const std::string rule =
      "command: must be a list of a program's path and its arguments such as "
      "[/usr/local/bin/check, -v]";
  CHECK(problems("type: exec") == Lines{"command: missing" + rule.substr(8).replace(0, 1, "; ")});
  CHECK(problems("type: exec, command: /bin/true") == Lines{rule + ", not \"/bin/true\""});
  CHECK(problems("type: exec, command: []") == Lines{rule + ", not an empty list"});
  for (const std::string path : {"true", "./true", "/bin/", ""})
    CHECK(problems("type: exec, command: ['" + path + "']") ==
          Lines{"command[0]: must be the absolute path of a program, not \"" + path + "\""});
  const std::string text = "command[1]: must be a text that is not empty and has no byte 0, not ";
  CHECK(problems("type: exec, command: [/bin/true, '']") == Lines{text + "\"\""});
  CHECK(problems("type: exec, command: [/bin/true, \"a\\0b\"]") == Lines{text + "\"a\\x00b\""});
  CHECK(problems("type: exec, command: [/bin/true, [a]]") ==
        Lines{text.substr(0, text.size() - 1) + " a list"});
  CHECK(problems("type: exec, command: [/bin/true], port: 0").size() == 1);
}

TEST_CASE("A key of another type of check is an error that names that type") {
  struct Key {
    std::string text;
    std::string types;  // that have it
  };
  const std::vector<Key> keys{{"method: GET", "http or https"},
                              {"path: /", "http or https"},
                              {"host: a", "http or https"},
                              {"status: 200", "http or https"},
                              {"body: ok", "http or https"},
                              {"server_name: a", "https"},
                              {"verify: false", "https"},
                              {"ca_file: /ca", "https"},
                              {"send: a", "udp"},
                              {"send_hex: 61", "udp"},
                              {"expect: a", "udp"},
                              {"expect_hex: 61", "udp"},
                              {"query: a", "dns"},
                              {"record: A", "dns"},
                              {"rcode: REFUSED", "dns"},
                              {"command: [/bin/true]", "exec"}};
  for (const Key& key : keys) {
    const std::string name = key.text.substr(0, key.text.find(':'));
    CHECK(errors(check_file("type: tcp, port: 1, " + key.text)) ==
          Lines{"f:1:51: pools[0].checks[0]." + name + ": belongs to checks of type " + key.types +
                ", not tcp"});
  }
  CHECK(problems(kHttp + "verify: true") ==
        Lines{"verify: belongs to checks of type https, not http"});
  CHECK(problems("type: exec, command: [/bin/true], path: /") ==
        Lines{"path: belongs to checks of type http or https, not exec"});
  CHECK(problems("type: udp, port: 1, send: a, body:") ==
        Lines{"body: belongs to checks of type http or https, not udp"});
}

TEST_CASE("An unknown key of a check is named with the nearest known one") {
  CHECK(problems(kHttp + "pfad: /").at(0).starts_with("pfad: unknown key; "));
  CHECK(problems(kHttp + "expcet: a") == Lines{"expcet: unknown key; did you mean \"expect\"?"});
  CHECK(problems(kHttp + "path: /, path: /b") ==
        Lines{"path: the key is already at line 1; a mapping has a key once"});
}

}  // namespace
}  // namespace guideway::control
