// What is told of BGP: as a document, over the API, and as metrics.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "example_status.h"
#include "http_fixture.h"
#include "observe/api.h"
#include "observe/metrics.h"
#include "prometheus_text.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;

const json::object kShown{{"mode", "managed"},
                          {"api", "unix:/run/guideway-bgp/api.sock"},
                          {"role", "active"},
                          {"role_by_operator", false},
                          {"contact", "reached"},
                          {"contact_for_seconds", 3720},
                          {"error", ""},
                          {"in_step", true},
                          {"speaker", "GoBGP"},
                          {"asn", 64512},
                          {"router_id", "10.0.0.10"},
                          {"sessions",
                           {{{"peer", "10.0.0.1"},
                             {"asn", 64500},
                             {"state", "established"},
                             {"state_for_seconds", 3700},
                             {"hold_time_seconds", 9},
                             {"flaps", 2},
                             {"graceful_restart", true},
                             {"updates_sent", 14},
                             {"updates_received", 15}},
                            {{"peer", "2001:db8::1"},
                             {"asn", 64501},
                             {"state", "active"},
                             {"state_for_seconds", 185},
                             {"hold_time_seconds", 0},
                             {"flaps", 3},
                             {"graceful_restart", false},
                             {"updates_sent", 16},
                             {"updates_received", 17}}}},
                          {"routes",
                           {{{"prefix", "198.51.100.1/32"},
                             {"services", {"web"}},
                             {"state", "announced"},
                             {"why", ""},
                             {"damped_for_seconds", 0},
                             {"withdrawals", 1},
                             {"held", true},
                             {"attributes", "med 50, communities 64512:100 no-export"}},
                            {{"prefix", "198.51.100.2/32"},
                             {"services", {"dns", "dns-tcp"}},
                             {"state", "damped"},
                             {"why", "well, but not for long enough yet"},
                             {"damped_for_seconds", 6},
                             {"withdrawals", 4},
                             {"held", false},
                             {"attributes", "med 50, communities 64512:100 no-export"}},
                            {{"prefix", "198.51.100.3/32"},
                             {"services", {"mail"}},
                             {"state", "withdrawn"},
                             {"why", "mail: pool mail: 0 of 3 backends usable, 1 needed"},
                             {"damped_for_seconds", 0},
                             {"withdrawals", 5},
                             {"held", false},
                             {"attributes", "med 50, communities 64512:100 no-export"}}}},
                          {"foreign", 18},
                          {"calls", 3721},
                          {"failures", 19},
                          {"starts", 20},
                          {"added", 21},
                          {"deleted", 22},
                          {"changed", 23},
                          {"corrected", 24}};

TEST_CASE("all that is known of BGP is in its document, and that in the status") {
  // Through text, as numbers have another kind in what was read than in what was written.
  CHECK(json::parse(json::serialize(to_json_object(example_bgp()))) == json::value(kShown));
  CHECK(json::parse(to_json(example_status())).at("bgp") == json::value(kShown));
}

TEST_CASE("where nothing is announced the status says null") {
  Status status = example_status();
  status.bgp.reset();
  CHECK(json::parse(to_json(status)).at("bgp").is_null());
}

TEST_CASE("the route of a service is found by the service's name, with the sessions that hear it") {
  const BgpStatus bgp = example_bgp();
  const auto found = route_of(bgp, "dns-tcp");
  REQUIRE(found);
  CHECK(found->route.prefix == "198.51.100.2/32");
  CHECK(found->role == "active");
  CHECK(found->sessions == 2);
  CHECK(found->established == 1);
  CHECK_FALSE(route_of(bgp, "dns-tc"));
  CHECK_FALSE(route_of({}, "web"));
}

// A daemon that remembers which role it was asked for. Only asked while a client waits.
struct BgpApi {
  Status shown = example_status();
  RoleOutcome outcome{};
  std::vector<std::string> asked{};
  Operations operations() {
    Operations all{};
    all.status = [this] { return shown; };
    all.set_role = [this](const std::string& role) {
      asked.push_back(role);
      return outcome;
    };
    return all;
  }
  RunningServer server{Kind::unix_socket, api(operations())};

  std::string error(unsigned status, const std::string& method_and_target) {
    const Answer answer = observe::ask(server, method_and_target);
    CHECK(answer.status() == status);
    return std::string(json::parse(answer.body).at("error").as_string());
  }
};

TEST_CASE("GET /v1/bgp is the part of the status, and 404 where nothing is announced") {
  BgpApi daemon;
  const Answer answer = observe::ask(daemon.server, "GET /v1/bgp");
  CHECK(answer.status() == 200);
  CHECK(json::parse(answer.body) == json::value(kShown));
  daemon.shown.bgp.reset();
  CHECK(daemon.error(404, "GET /v1/bgp") ==
        "nothing is announced: the configuration has no bgp: section");
}

TEST_CASE("a role is taken, and the answer says whether it was so before") {
  BgpApi daemon;
  for (const bool changed : {true, false}) {
    daemon.outcome.changed = changed;
    const Answer answer = observe::ask(daemon.server, "POST /v1/role/passive");
    CHECK(answer.status() == 200);
    CHECK(json::parse(answer.body) == json::value{{"role", "passive"}, {"changed", changed}});
  }
  CHECK(daemon.asked == std::vector<std::string>{"passive", "passive"});
}

TEST_CASE("a role that there is not is 404 with those that there are") {
  BgpApi daemon;
  daemon.outcome.kind = RoleOutcome::Kind::no_such_role;
  CHECK(daemon.error(404, "POST /v1/role/pas%22ive") ==
        R"(role: must be active, passive or drain, not "pas\"ive")");
}

TEST_CASE("a role where nothing is announced is 409") {
  BgpApi daemon;
  daemon.outcome.kind = RoleOutcome::Kind::no_bgp;
  CHECK(daemon.error(409, "POST /v1/role/drain") ==
        "nothing is announced: the configuration has no bgp: section");
  CHECK(observe::ask(daemon.server, "GET /v1/role/drain").status() == 405);
}

using Labels = PrometheusLabels;

std::map<std::string, PrometheusFamily> metrics_of(const std::optional<BgpStatus>& bgp) {
  Status status;
  status.bgp = bgp;
  return PrometheusReader::read(prometheus_text(status));
}

// As it is written; "" where there is no such sample.
std::string value(const std::optional<BgpStatus>& bgp, const std::string& name,
                  const Labels& labels = {}) {
  const auto families = metrics_of(bgp);
  const auto family = families.find("guideway_bgp_" + name);
  if (family == families.end()) return "";
  const auto sample = family->second.samples.find(labels);
  return sample == family->second.samples.end() ? "" : sample->second;
}

TEST_CASE("what was done with the speaker is counted") {
  const std::vector<std::pair<std::string, std::string>> expected{
      {"calls_total", "3721"},          {"call_failures_total", "19"},
      {"speaker_starts_total", "20"},   {"routes_added_total", "21"},
      {"routes_deleted_total", "22"},   {"routes_changed_total", "23"},
      {"routes_corrected_total", "24"}, {"foreign_routes", "18"}};
  for (const auto& [name, number] : expected) {
    INFO(name);
    CHECK(value(example_bgp(), name) == number);
  }
}

TEST_CASE("the speaker is up while it was reached last, and in step by itself") {
  BgpStatus bgp = example_bgp();
  CHECK(value(bgp, "speaker_up") == "1");
  CHECK(value(bgp, "in_step") == "1");
  bgp.in_step = false;
  CHECK(value(bgp, "speaker_up") == "1");
  CHECK(value(bgp, "in_step") == "0");
  for (const char* contact : {"lost", "none yet"}) {
    bgp.contact = contact;
    CHECK(value(bgp, "speaker_up") == "0");
  }
}

TEST_CASE("the role is a label, and only the one that it is") {
  BgpStatus bgp = example_bgp();
  bgp.role = "passive";
  CHECK(value(bgp, "role", {{"role", "passive"}}) == "1");
  CHECK(metrics_of(bgp).at("guideway_bgp_role").samples.size() == 1);
}

TEST_CASE("a session tells whether it is established, its flaps and its updates") {
  const BgpStatus bgp = example_bgp();
  CHECK(value(bgp, "session_up", {{"peer", "10.0.0.1"}, {"asn", "64500"}}) == "1");
  CHECK(value(bgp, "session_up", {{"peer", "2001:db8::1"}, {"asn", "64501"}}) == "0");
  const Labels second{{"peer", "2001:db8::1"}};
  CHECK(value(bgp, "session_flaps_total", second) == "3");
  CHECK(value(bgp, "updates_sent_total", second) == "16");
  CHECK(value(bgp, "updates_received_total", second) == "17");
}

TEST_CASE("a session that the speaker does not tell of is down, and has no counters meanwhile") {
  BgpStatus bgp = example_bgp();
  const Labels first{{"peer", "10.0.0.1"}}, second{{"peer", "2001:db8::1"}};
  for (const char* state : {"unknown", "missing"}) {
    bgp.sessions[0] = {.peer = "10.0.0.1", .asn = 64500, .state = state};
    CHECK(value(bgp, "session_up", {{"peer", "10.0.0.1"}, {"asn", "64500"}}) == "0");
    for (const char* counter :
         {"session_flaps_total", "updates_sent_total", "updates_received_total"}) {
      CHECK(value(bgp, counter, first).empty());
      CHECK_FALSE(value(bgp, counter, second).empty());
    }
  }
}

TEST_CASE("a route is announced only where it is wanted and the speaker holds it") {
  BgpStatus bgp = example_bgp();
  const auto route = [&](std::size_t index) {
    const Labels labels{{"prefix", bgp.routes[index].prefix}};
    return value(bgp, "route_wanted", labels) + value(bgp, "route_announced", labels) +
           value(bgp, "route_damped", labels);
  };
  CHECK(route(0) == "110");
  CHECK(route(1) == "001");
  CHECK(route(2) == "000");
  bgp.routes[0].held = false;  // wanted, and not there yet
  bgp.routes[2].held = true;   // not wanted, and still there
  CHECK(route(0) == "100");
  CHECK(route(2) == "000");
}

TEST_CASE("where nothing is announced there is no metric of BGP") {
  for (const auto& [name, family] : metrics_of(std::nullopt)) {
    INFO(name);
    CHECK_FALSE(name.starts_with("guideway_bgp"));
  }
}

}  // namespace
}  // namespace guideway::observe
