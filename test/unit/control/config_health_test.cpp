// What decides that backends and pools are well: the keys that all checks have, and those of a pool
// around them. Also the sections `metrics` and `shutdown`.
#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// The keys of a pool, from column 3 of line 3 on.
std::string pool_with(const std::string& keys) {
  return file_with("pools", "pools:\n- name: web\n  " + keys + "\n  backends: [10.0.1.11]\n");
}

Lines pool_errors(const std::string& keys) { return errors(pool_with(keys)); }

// Of a tcp check with more `keys`; they start at column 28 of line 3.
Lines check_errors(const std::string& keys) {
  return pool_errors("checks: [{type: tcp, port: 80, " + keys + "}]");
}

CheckConfig check_of(const std::string& keys) {
  auto checks = right(pool_with("checks: [{" + keys + "}]")).model.pools[0].checks;
  REQUIRE(checks.size() == 1);
  return checks[0];
}

TEST_CASE("A check that says its type and port gets the defaults of the documentation") {
  const CheckConfig check = check_of("type: tcp, port: 80");
  CHECK(std::holds_alternative<probe::TcpQuestion>(check.question.kind));
  CHECK(check.question.port == 80);
  CHECK(check.question.timeout == 1s);
  CHECK_FALSE(check.question.vip);
  CHECK(check.interval == 2s);
  CHECK(check.rise == 2);
  CHECK(check.fall == 3);
}

TEST_CASE("The keys that all checks have arrive in the model") {
  const CheckConfig check = check_of(
      "type: tcp, port: 65535, via: direct, interval: 1h, timeout: 10ms, rise: 1, fall: 100");
  CHECK(check.question.port == 65535);
  CHECK(check.question.timeout == 10ms);
  CHECK(check.interval == 1h);
  CHECK(check.rise == 1);
  CHECK(check.fall == 100);
}

TEST_CASE("Without a timeout of its own a check waits a second, or an interval that is shorter") {
  CHECK(check_of("type: tcp, port: 80, interval: 100ms").question.timeout == 100ms);
  CHECK(check_of("type: tcp, port: 80, interval: 1m").question.timeout == 1s);
  CHECK(check_of("type: tcp, port: 80, interval: 1m, timeout: 60s").question.timeout == 60s);
}

TEST_CASE("A duration within a check may be a part of a second") {
  CHECK(check_of("type: tcp, port: 80, interval: 1500ms").interval == 1500ms);
  const std::string interval =
      "f:3:44: pools[0].checks[0].interval: must be a duration from 100ms to 1h such as 500ms, 2s "
      "or 1m, not ";
  for (const std::string text : {"99ms", "3601s", "0s", "2 s", "1.5s", "ms", "-1s", "1us",
                                 "18446744073709551615ms", "99999999999999999999h"})
    CHECK(check_errors("interval: " + text) == Lines{interval + "\"" + text + "\""});
  CHECK(check_errors("interval: 2") == Lines{interval + "\"2\"; write the unit: ms, s, m or h"});
  CHECK(check_errors("timeout: 9ms") ==
        Lines{"f:3:43: pools[0].checks[0].timeout: must be a duration from 10ms to 1h such as "
              "500ms, 2s or 1m, not \"9ms\""});
}

TEST_CASE("A timeout is at most as long as the interval") {
  CHECK(
      check_errors("interval: 500ms, timeout: 501ms") ==
      Lines{"f:3:60: pools[0].checks[0].timeout: must be at most interval, 500ms, not \"501ms\""});
  CHECK(check_errors("timeout: 3s") ==
        Lines{"f:3:43: pools[0].checks[0].timeout: must be at most interval, 2s, not \"3s\""});
  CHECK(check_errors("interval: 2, timeout: 3s").size() == 1);
}

TEST_CASE("Rise and fall are numbers from 1 to 100") {
  for (const std::string key : {"rise", "fall"})
    for (const std::string number : {"0", "101", "two"})
      CHECK(check_errors(key + ": " + number) ==
            Lines{"f:3:40: pools[0].checks[0]." + key +
                  ": must be a whole number from 1 to 100, not \"" + number + "\""});
}

TEST_CASE("A check has a type and a port") {
  CHECK(pool_errors("checks: [{port: 80}]") ==
        Lines{"f:3:12: pools[0].checks[0].type: missing; must be tcp, http, https, udp, dns or "
              "exec"});
  CHECK(pool_errors("checks: [{type: htttp, port: 80}]") ==
        Lines{"f:3:19: pools[0].checks[0].type: must be tcp, http, https, udp, dns or exec, not "
              "\"htttp\"; did you mean \"http\"?"});
  for (const std::string type : {"tcp", "http", "https"})
    CHECK(pool_errors("checks: [{type: " + type + "}]") ==
          Lines{"f:3:12: pools[0].checks[0].port: missing; must be a whole number from 1 to "
                "65535"});
  for (const std::string port : {"0", "65536", "http", "tcp/80"})
    CHECK(pool_errors("checks: [{type: tcp, port: " + port + "}]") ==
          Lines{"f:3:30: pools[0].checks[0].port: must be a whole number from 1 to 65535, not \"" +
                port + "\""});
}

TEST_CASE("Checks are a list of 1 to 16 mappings") {
  CHECK(
      pool_errors("checks: []") ==
      Lines{"f:3:11: pools[0].checks: must be a list with at least one check, not an empty list"});
  CHECK(pool_errors("checks: tcp") ==
        Lines{"f:3:11: pools[0].checks: must be a list with at least one check, not \"tcp\""});
  const Lines word = pool_errors("checks: [tcp]");
  REQUIRE(word.size() == 1);
  CHECK(word[0].starts_with(
      "f:3:12: pools[0].checks[0]: must be a mapping with the keys type, port, via, vip, interval, "
      "timeout, rise, fall, method, "));
  CHECK(word[0].ends_with(" and command, not \"tcp\""));
  const auto many = [](int count) {
    std::string list = "{type: tcp, port: 1}";
    for (int i = 2; i <= count; ++i) list += ", {type: tcp, port: " + std::to_string(i) + "}";
    return pool_with("checks: [" + list + "]");
  };
  CHECK(errors(many(17)) == Lines{"f:3:11: pools[0].checks: a pool has at most 16 checks, not 17"});
  const Config config = right(many(16));
  REQUIRE(config.model.pools[0].checks.size() == 16);
  CHECK(config.model.pools[0].checks[15].question.port == 16);
}

TEST_CASE("A pool says what it does when it is empty, and when it is healthy") {
  const PoolConfig pool =
      right(pool_with("on_empty: all\n  min_healthy: 1\n  slow_start: 30s")).model.pools[0];
  CHECK(pool.on_empty == OnEmpty::all);
  CHECK(pool.min_healthy == 1);
  CHECK(pool.slow_start == 30s);
  CHECK(right(pool_with("on_empty: drop")).model.pools[0].on_empty == OnEmpty::drop);
  CHECK(right(pool_with("slow_start: 0s")).model.pools[0].slow_start == 0s);
  const Config two = right(
      file_with("pools", "pools: [{name: web, min_healthy: 2, backends: [10.0.1.11, 10.0.1.12]}]"));
  CHECK(two.model.pools[0].min_healthy == 2);
  CHECK(right(pool_with("min_healthy: 0")).model.pools[0].min_healthy == 0);
}

TEST_CASE("The health keys of a pool have values within limits") {
  CHECK(pool_errors("on_empty: keep") ==
        Lines{"f:3:13: pools[0].on_empty: must be drop or all, not \"keep\""});
  for (const std::string number : {"-1", "65535", "all"})
    CHECK(pool_errors("min_healthy: " + number) ==
          Lines{"f:3:16: pools[0].min_healthy: must be a whole number from 0 to 65534, not \"" +
                number + "\""});
  const std::string rule =
      "f:3:15: pools[0].slow_start: must be a duration from 0s to 1h such as 30s, 15m or 1h, not ";
  CHECK(pool_errors("slow_start: 61m") == Lines{rule + "\"61m\""});
  CHECK(pool_errors("slow_start: 0") == Lines{rule + "\"0\"; write the unit: s, m or h"});
  CHECK(pool_errors("slow_start: 500ms") == Lines{rule + "\"500ms\"; write whole seconds"});
}

TEST_CASE("A backend is active or drained, whatever its weight") {
  const Config config = right(file_with("pools",
                                        "pools:\n- name: web\n  backends:\n"
                                        "  - {address: 10.0.1.11, state: active}\n"
                                        "  - {address: 10.0.1.12, state: drain, weight: 7}\n"));
  CHECK_FALSE(config.model.pools[0].backends[0].drain);
  CHECK(config.model.pools[0].backends[1].drain);
  CHECK(config.model.pools[0].backends[1].weight == 7);
  CHECK(config.warnings.empty());
}

TEST_CASE("Metrics are served at an IPv4 address and a port, loopback and all included") {
  const auto metrics = [](const std::string& listen) {
    return right(file_with("metrics", "metrics: {listen: '" + listen + "'}")).model.metrics;
  };
  CHECK(metrics("127.0.0.1:9477") == Metrics{Ipv4Address::parse("127.0.0.1").value(), 9477});
  CHECK(metrics("0.0.0.0:1") == Metrics{Ipv4Address(), 1});
  CHECK(metrics("10.0.0.10:65535") == Metrics{Ipv4Address::parse("10.0.0.10").value(), 65535});
  CHECK(right(file_with("metrics", "metrics: {}")).model.metrics == Metrics{});

  const auto problem = [](const std::string& listen) {
    return error_with("metrics", "metrics: {listen: '" + listen + "'}");
  };
  const auto wrong = [](const std::string& listen, const std::string& hint) {
    return "f:1:19: metrics.listen: must be ADDRESS:PORT such as 127.0.0.1:9477 or 0.0.0.0:9477, "
           "not \"" +
           listen + "\"" + hint;
  };
  const std::string port = "; a port is a whole number from 1 to 65535";
  CHECK(problem("127.0.0.1") == wrong("127.0.0.1", "; a port is missing"));
  CHECK(problem("9477") == wrong("9477", "; an address is missing"));
  CHECK(problem(":9477") == wrong(":9477", "; for all addresses of this host write 0.0.0.0"));
  CHECK(problem("127.0.0.1:0") == wrong("127.0.0.1:0", port));
  CHECK(problem("127.0.0.1:65536") == wrong("127.0.0.1:65536", port));
  CHECK(problem("127.0.0.1:") == wrong("127.0.0.1:", port));
  CHECK(problem("localhost:9477") == wrong("localhost:9477", ""));
  CHECK(problem("[::1]:9477") == wrong("[::1]:9477", "; IPv6 is not supported yet"));
  CHECK(problem("::1") == wrong("::1", "; IPv6 is not supported yet"));
  CHECK(problem("0.0.0.1:9477") == wrong("0.0.0.1:9477", "; that is no address of a host"));
  CHECK(problem("224.0.0.1:9477") ==
        wrong("224.0.0.1:9477", "; that is a multicast or reserved address"));
}

TEST_CASE("A shutdown may wait up to an hour for the routers") {
  const auto drain = [](const std::string& text) {
    return right(file_with("shutdown", "shutdown: {drain: " + text + "}")).model.shutdown.drain;
  };
  CHECK(drain("0s") == 0s);
  CHECK(drain("1h") == 1h);
  CHECK(right(file_with("shutdown", "shutdown: {}")).model.shutdown.drain == 0s);
  const std::string rule =
      "f:1:19: shutdown.drain: must be a duration from 0s to 1h such as 30s, 15m or 1h, not ";
  const auto problem = [](const std::string& text) {
    return error_with("shutdown", "shutdown: {drain: " + text + "}");
  };
  CHECK(problem("3601s") == rule + "\"3601s\"");
  CHECK(problem("10") == rule + "\"10\"; write the unit: s, m or h");
  CHECK(problem("-1s") == rule + "\"-1s\"");
}

}  // namespace
}  // namespace guideway::control
