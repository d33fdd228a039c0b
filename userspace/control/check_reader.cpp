#include "control/check_reader.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "control/check_values.h"
#include "control/config_values.h"
#include "control/words.h"

namespace guideway::control {
namespace {

using std::chrono::milliseconds;
using Word = std::string_view;

constexpr milliseconds kMinInterval{100}, kMinTimeout{10}, kMaxTime = std::chrono::hours(1);
constexpr std::uint64_t kMaxInARow = 100;

enum Type : unsigned { tcp, http, https, udp, dns, exec };
constexpr auto kTypes = std::to_array<Word>({"tcp", "http", "https", "udp", "dns", "exec"});

constexpr auto kKeys = std::to_array<Word>(
    {"type",   "port",     "via",    "vip",        "interval", "timeout",     "rise",   "fall",
     "method", "path",     "host",   "status",     "body",     "server_name", "verify", "ca_file",
     "send",   "send_hex", "expect", "expect_hex", "query",    "record",      "rcode",  "command"});

// Keys that not every check has.
struct OwnKey {
  Word name;
  unsigned types;  // one bit for each Type that has it
};
constexpr unsigned kHttp = 1U << http | 1U << https;
constexpr auto kOwnKeys = std::to_array<OwnKey>({{"method", kHttp},
                                                 {"path", kHttp},
                                                 {"host", kHttp},
                                                 {"status", kHttp},
                                                 {"body", kHttp},
                                                 {"server_name", 1U << https},
                                                 {"verify", 1U << https},
                                                 {"ca_file", 1U << https},
                                                 {"send", 1U << udp},
                                                 {"send_hex", 1U << udp},
                                                 {"expect", 1U << udp},
                                                 {"expect_hex", 1U << udp},
                                                 {"query", 1U << dns},
                                                 {"record", 1U << dns},
                                                 {"rcode", 1U << dns},
                                                 {"command", 1U << exec}});

void check_keys(const Mapping& section, const Cursor& at, Type type) {
  for (const OwnKey& key : kOwnKeys) {
    const Place place = section.key_place(key.name);
    if (!place || (key.types >> type & 1U) != 0) continue;
    std::vector<Word> owners;
    for (std::size_t i = 0; i < kTypes.size(); ++i)
      if ((key.types >> i & 1U) != 0) owners.push_back(kTypes.at(i));
    at.problems().error(place, "belongs to checks of type " + joined(owners, "or") + ", not " +
                                   std::string(kTypes.at(type)));
  }
}

// How often, how long, and how many in a row.
void read_rhythm(const Mapping& section, CheckConfig& check) {
  const auto interval_at = section.find("interval");
  const auto interval = interval_at ? read_duration(*interval_at, kMinInterval, kMaxTime)
                                    : std::optional(check.interval);
  check.interval = interval.value_or(kMaxTime);
  check.question.timeout = std::min(check.question.timeout, check.interval);
  if (const auto at = section.find("timeout")) {
    const auto timeout = read_duration(*at, kMinTimeout, kMaxTime);
    if (timeout && *timeout > check.interval)
      at->mismatch("at most interval, " + duration_text(check.interval));
    else if (timeout)
      check.question.timeout = *timeout;
  }
  const auto read_count = [&](Word key, std::uint32_t& count) {
    if (const auto at = section.find(key))
      count = static_cast<std::uint32_t>(at->number(1, kMaxInARow).value_or(count));
  };
  read_count("rise", check.rise);
  read_count("fall", check.fall);
}

void read_port(const Mapping& section, Type type, probe::Question& question) {
  const auto at = type == exec ? section.find("port")
                               : section.require("port", "a whole number from 1 to 65535");
  if (at) question.port = static_cast<std::uint16_t>(at->number(1, 65535).value_or(0));
}

// Straight to the backend, or through the tunnel.
void read_way(const Mapping& section, Type type, probe::Question& question, CheckPlaces& places) {
  static constexpr auto kWays = std::to_array<Word>({"direct", "tunnel"});
  const auto via = section.find("via");
  const auto way = via ? via->choice(kWays) : std::optional<std::size_t>(0);
  const auto vip = section.find("vip");
  if (!way) return;
  if (*way == 0) {
    if (vip) vip->problems().error(section.key_place("vip"), "belongs to checks with via: tunnel");
    return;
  }
  if (type == exec)
    return via->error(
        "a program runs on this host, nothing of it goes through the tunnel; leave "
        "the key out");
  if (!vip) {
    places.tunnel = via->place();
    return;
  }
  question.vip = read_address(*vip, "198.51.100.1");
  if (question.vip) places.vip = vip->place();
}

void read_statuses(const Cursor& at, std::vector<probe::StatusRange>& expected) {
  const auto items = at.is_scalar()
                         ? std::optional(std::vector{at})
                         : at.list("a list of statuses and ranges of them such as [200-299, 404]");
  if (!items) return;
  expected.clear();
  for (const Cursor& item : *items)
    if (const auto range = read_status(item)) expected.push_back(*range);
}

void read_body(const Cursor& at, probe::HttpQuestion& question) {
  static_assert(probe::kMaxBodyBytes == std::size_t{64} << 10, "kRule says so");
  static constexpr Word kRule = "a text of 1 byte to 64 KiB";
  question.body = at.text(kRule).value_or("");
  if (!at.is_scalar()) return;
  if (question.body.empty() || question.body.size() > probe::kMaxBodyBytes)
    at.mismatch(kRule);
  else if (question.method == "HEAD")
    at.error("the answer to a HEAD request has no body; use another method, or leave the key out");
}

// What is said of the certificate.
void read_tls(const Mapping& section, probe::HttpQuestion& question) {
  const auto name = section.find("server_name");
  if (name)
    question.server_name = read_server_name(*name).value_or("");
  else
    question.server_name = server_name_of(question.host);
  const auto verify_at = section.find("verify");
  const auto verify = verify_at ? verify_at->boolean() : std::optional(false);
  if (const auto ca_file = section.find("ca_file")) {
    question.ca_file =
        read_file_path(*ca_file, "the absolute path of a PEM file such as /etc/guideway/ca.pem")
            .value_or("");
    if (verify && !*verify)
      ca_file->problems().error(section.key_place("ca_file"),
                                "belongs to checks with verify: true");
  }
  question.verify = verify.value_or(false);
  const bool host_unreadable = section.find("host") && question.host.empty();
  if (question.verify && question.server_name.empty() && !name && !host_unreadable)
    verify_at->error(
        "there is no name that the certificate must be for; set server_name, or a host with a "
        "name");
}

probe::HttpQuestion read_http(const Mapping& section, bool tls) {
  probe::HttpQuestion question;
  question.tls = tls;
  if (const auto at = section.find("method"))
    question.method = read_method(*at).value_or(question.method);
  if (const auto at = section.find("path"))
    question.path = read_target(*at).value_or(question.path);
  if (const auto at = section.find("host")) question.host = read_host(*at).value_or("");
  if (const auto at = section.find("status")) read_statuses(*at, question.expected);
  if (const auto at = section.find("body")) read_body(*at, question);
  if (tls) read_tls(section, question);
  return question;
}

// The bytes of `key` or, as hex digits, of `hex_key`: one of both.
std::string read_datagram(const Mapping& section, Word key, Word hex_key, std::size_t min) {
  const auto text = section.find(key);
  const auto hex = section.find(hex_key);
  if (text && hex)
    hex->problems().error(section.key_place(hex_key),
                          "stands beside " + std::string(key) + "; leave one of both out");
  if (text) return read_bytes(*text, min).value_or("");
  return hex ? read_hex(*hex, min).value_or("") : std::string();
}

probe::UdpQuestion read_udp(const Mapping& section) {
  if (!section.find("send_hex"))
    static_cast<void>(section.require("send", "a text, or send_hex with hex digits"));
  return {.payload = read_datagram(section, "send", "send_hex", 0),
          .expected = read_datagram(section, "expect", "expect_hex", 1)};
}

// Numbers: IANA, "Domain Name System (DNS) Parameters"; RFC 1035, sections 3.2.2 and 4.1.1.
probe::DnsQuestion read_dns(const Mapping& section) {
  static constexpr auto kRecords =
      std::to_array<Word>({"A", "AAAA", "NS", "SOA", "TXT", "MX", "PTR", "SRV", "CNAME"});
  static constexpr auto kTypesOfRecords =
      std::to_array<std::uint16_t>({1, 28, 2, 6, 16, 15, 12, 33, 5});
  static constexpr auto kCodes = std::to_array<Word>(
      {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"});  // 0 to 5
  static_assert(kRecords.size() == kTypesOfRecords.size());
  probe::DnsQuestion question;
  if (const auto at = section.require("query", kDomainRule))
    question.name = read_domain(*at).value_or("");
  if (const auto at = section.find("record"))
    question.type = kTypesOfRecords.at(at->choice(kRecords).value_or(0));
  if (const auto at = section.find("rcode"))
    question.rcode = static_cast<std::uint16_t>(at->choice(kCodes).value_or(0));
  return question;
}

probe::ExecQuestion read_exec(const Mapping& section, const std::string& pool) {
  static constexpr Word kRule =
      "a list of a program's path and its arguments such as [/usr/local/bin/check, -v]";
  static constexpr Word kArgumentRule = "a text that is not empty and has no byte 0";
  probe::ExecQuestion question{.command = {}, .pool = pool};
  const auto at = section.require("command", kRule);
  const auto items = at ? at->list(kRule) : std::nullopt;
  if (!items) return question;
  question.command.push_back(
      read_file_path(items->front(), "the absolute path of a program").value_or(""));
  for (std::size_t i = 1; i < items->size(); ++i) {
    const Cursor& item = (*items)[i];
    question.command.push_back(item.text(kArgumentRule).value_or(""));
    const std::string& argument = question.command.back();
    if (item.is_scalar() && (argument.empty() || argument.find('\0') != std::string::npos))
      item.mismatch(kArgumentRule);
  }
  return question;
}

void read_check(const Cursor& at, const std::string& pool, CheckConfig& check,
                CheckPlaces& places) {
  const Mapping section(at, kKeys);
  read_rhythm(section, check);
  const auto type_at = section.require("type", joined(kTypes, "or"));
  const auto found = type_at ? type_at->choice(kTypes) : std::nullopt;
  // Without a type nothing can be said about the keys that depend on it.
  if (!found) return;
  const auto type = static_cast<Type>(*found);
  check_keys(section, at, type);
  read_port(section, type, check.question);
  read_way(section, type, check.question, places);
  switch (type) {
    case tcp: check.question.kind = probe::TcpQuestion{}; break;
    case http:
    case https: check.question.kind = read_http(section, type == https); break;
    case udp: check.question.kind = read_udp(section); break;
    case dns: check.question.kind = read_dns(section); break;
    case exec: check.question.kind = read_exec(section, pool); break;
  }
}

}  // namespace

void read_checks(const Cursor& at, PoolConfig& pool, PoolPlaces& places) {
  const auto items = at.list("a list with at least one check");
  if (!items) return;
  if (items->size() > kMaxChecks)
    return at.error("a pool has at most " + std::to_string(kMaxChecks) + " checks, not " +
                    std::to_string(items->size()));
  pool.checks.resize(items->size());
  places.checks.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i)
    read_check((*items)[i], pool.name, pool.checks[i], places.checks[i]);
}

}  // namespace guideway::control
