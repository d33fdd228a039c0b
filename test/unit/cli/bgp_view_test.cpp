// What is shown of BGP: by `guideway bgp` and `role`, and in status, watch, explain and doctor.
#include "cli/bgp_view.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sstream>

#include "cli/columns.h"
#include "cli/doctor_running.h"
#include "cli/explain_view.h"
#include "cli/status_view.h"
#include "cli/watch_view.h"
#include "support/catch.h"
#include "support/example_answer.h"
#include "support/example_bgp.h"
#include "watch_scene.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using observe::BgpStatus;
using observe::example_bgp;

std::string document(const BgpStatus& bgp) { return json::serialize(observe::to_json_object(bgp)); }

std::string shown(const BgpStatus& bgp, const Palette& palette = {}) {
  return bgp_text(document(bgp), palette).value();
}

observe::Status announcing(const BgpStatus& bgp) {
  observe::Status status = example_status();
  status.bgp = bgp;
  return status;
}

// Every session established, every route announced.
BgpStatus all_well() {
  BgpStatus bgp = example_bgp();
  bgp.sessions[1].state = "established";
  for (observe::BgpRouteStatus& route : bgp.routes) {
    route.state = "announced";
    route.why.clear();
    route.damped_for = {};
    route.held = true;
  }
  return bgp;
}

TEST_CASE("BGP is shown as role, speaker, sessions and routes, and why routes are not announced") {
  CHECK(shown(example_bgp()) ==
        R"(role: active, by the file
speaker: GoBGP, AS 64512, router id 10.0.0.10, managed
  unix:/run/guideway-bgp/api.sock: reached for 1h 02m 00s, holds what is wanted
  routes of others, left alone: 18

sessions: 1 of 2 established
  peer            AS  state               for  hold  GR   flaps  sent  received
  10.0.0.1     64500  established  1h 01m 40s    9s  yes      2    14        15
  2001:db8::1  64501  active           3m 05s     -  no       3    16        17

routes: 1 of 3 announced
  with med 50, communities 64512:100 no-export
  prefix           state      held  services
  198.51.100.1/32  announced  yes   web
  198.51.100.2/32  damped     no    dns, dns-tcp
  198.51.100.3/32  withdrawn  no    mail
  198.51.100.2/32: for 6s more: well, but not for long enough yet
  198.51.100.3/32: mail: pool mail: 0 of 3 backends usable, 1 needed
)");
}

TEST_CASE("a speaker that is not there is shown with the error, and is not in step") {
  BgpStatus bgp;
  bgp.mode = "managed";
  bgp.api = "unix:/s";
  bgp.role = "active";
  bgp.contact = "none yet";
  bgp.contact_for = std::chrono::seconds(3);
  bgp.error = "GoBGP at unix:/s: nobody answers";
  CHECK(shown(bgp) ==
        R"(role: active, by the file
speaker: not known yet, managed
  unix:/s: none yet for 3s, does not hold what is wanted
  GoBGP at unix:/s: nobody answers

sessions: 0 of 0 established
  none

routes: 0 of 0 announced
  none: the file has no services
)");
  const auto in_step = bgp_in_step(document(bgp));
  REQUIRE_FALSE(in_step);
  CHECK(in_step.error().text() ==
        "the BGP speaker does not hold what is wanted: GoBGP at unix:/s: nobody answers");
  bgp.error.clear();
  CHECK(bgp_in_step(document(bgp)).error().text() ==
        "the BGP speaker does not hold what is wanted yet (guideway doctor looks why)");
  CHECK(bgp_in_step(document(example_bgp())));
}

TEST_CASE("a role by an operator says until when it lasts") {
  BgpStatus bgp = example_bgp();
  bgp.role = "passive";
  bgp.role_by_operator = true;
  CHECK_THAT(shown(bgp), Contains("role: passive, by an operator (until a restart, or a reload "
                                  "whose file has another)\n"));
}

TEST_CASE("a route that the speaker should have and has not is told, and is not announced") {
  BgpStatus bgp = example_bgp();
  bgp.routes[0].held = false;
  CHECK_THAT(shown(bgp), Contains("routes: 0 of 3 announced\n") &&
                             Contains("198.51.100.1/32: the speaker does not have it\n"));
  bgp.contact = "lost";
  CHECK_THAT(shown(bgp), !Contains("the speaker does not have it"));
}

TEST_CASE("of a route that is announced it is told what is not well all the same") {
  BgpStatus bgp = example_bgp();
  bgp.routes[0].why = "api: pool api: no backend";
  CHECK_THAT(shown(bgp), Contains("\n  198.51.100.1/32: api: pool api: no backend\n"));
}

TEST_CASE("sentences about BGP are broken at 80 columns, with and without colours") {
  BgpStatus bgp = example_bgp();
  bgp.error =
      "GoBGP at unix:/run/guideway-bgp/api.sock: nobody answers: Connection refused (is "
      "gobgpd running? systemctl status guideway-gobgp)";
  bgp.routes[2].why =
      "mail: pool mail: 0 of 3 backends usable, 1 needed; web: pool web: 1 of 30 "
      "backends usable, 2 needed";
  for (const bool colours : {false, true}) {
    std::istringstream lines(shown(bgp, Palette(colours)));
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(columns_of(line) <= 80);
    }
  }
  CHECK_THAT(
      status_text(observe::to_json(announcing(bgp))).value(),
      Contains("\n  BGP: GoBGP at unix:/run/guideway-bgp/api.sock: nobody answers: Connection\n"
               "    refused (is gobgpd running? systemctl status guideway-gobgp)\n"));
  CHECK_THAT(shown(bgp),
             Contains("\n  198.51.100.3/32: mail: pool mail: 0 of 3 backends usable, 1 "
                      "needed; web:\n    pool web: 1 of 30 backends usable, 2 needed\n"));
}

TEST_CASE("a speaker without peers is told in the status, and is not well") {
  BgpStatus bgp = all_well();
  bgp.sessions.clear();
  CHECK_THAT(status_text(observe::to_json(announcing(bgp))).value(),
             Contains("\n  BGP: the speaker has no peer: no router hears of a VIP\n"));
  CHECK_THAT(shown(bgp, Palette(true)), Contains("\33[31m0 of 0\33[0m established"));
  bgp.contact = "none yet";
  CHECK_THAT(status_text(observe::to_json(announcing(bgp))).value(), !Contains("BGP:"));
}

TEST_CASE("attributes that differ are a column, and no line of a table is wider than 80 columns") {
  BgpStatus bgp = example_bgp();
  bgp.routes[1].services.assign(40, "a-service-with-a-name");
  const auto check_lines = [&] {
    std::istringstream lines(shown(bgp));
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(columns_of(line) <= 80);
    }
  };
  check_lines();
  bgp.routes[1].services = {"dns"};
  bgp.routes[1].attributes = "med 150, prepend 3";
  CHECK_THAT(shown(bgp), Contains("held  services  attributes\n") &&
                             Contains("yes   web       med 50, communities 64512:100 no..\n") &&
                             Contains("no    dns       med 150, prepend 3\n"));
  check_lines();
  for (observe::BgpRouteStatus& route : bgp.routes) route.attributes.clear();
  CHECK_THAT(shown(bgp), !Contains("\n  with ") && !Contains("attributes"));
}

TEST_CASE("colours of BGP repeat what the words say, and what is well is not red") {
  const Palette on(true);
  const std::string text = shown(example_bgp(), on);
  CHECK_THAT(text, Contains("\33[32mestablished\33[0m") && Contains("\33[31mactive\33[0m") &&
                       Contains("\33[31mwithdrawn\33[0m") && Contains("\33[33mdamped\33[0m"));
  CHECK_THAT(shown(all_well(), on), !Contains("\33[31m") && !Contains("\33[33m"));
}

TEST_CASE("what moves the cursor of a terminal is not printed of a session's or a route's words") {
  BgpStatus bgp = example_bgp();
  bgp.error = "a\33[2Jb";
  bgp.routes[2].why = "c\rd";
  CHECK_THAT(shown(bgp), Contains("a?[2Jb") && Contains("c?d"));
}

TEST_CASE("what is no document of BGP is an error, and one that lacks much is shown") {
  CHECK_FALSE(bgp_text("garbage"));
  CHECK_FALSE(bgp_text("{}"));
  CHECK_FALSE(bgp_in_step("{}"));
  CHECK_FALSE(role_text("{}"));
  CHECK(bgp_text(R"({"routes":[{}],"sessions":[{}]})"));
}

TEST_CASE("the role alone is printed for scripts, and of a change whether there was one") {
  CHECK(role_text(document(example_bgp())).value() == "active\n");
  CHECK(role_text(R"({"role":"passive","changed":true})").value() == "role: passive from now on\n");
  CHECK(role_text(R"({"role":"passive","changed":false})").value() ==
        "role: was passive already\n");
}

TEST_CASE("the status has a line of BGP, and one for each thing that is amiss with it") {
  CHECK_THAT(status_text(observe::to_json(announcing(example_bgp()))).value(),
             Contains("\nbgp: active, 1 of 2 sessions established, 1 of 3 routes announced\n"
                      "  BGP: the session with 2001:db8::1 is active\n"));
  BgpStatus lost = all_well();
  lost.in_step = false;
  CHECK_THAT(status_text(observe::to_json(announcing(lost))).value(),
             Contains("\n  BGP: the speaker does not hold what is wanted\n"));
  lost.error = "GoBGP at unix:/s: nobody answers";
  lost.sessions[0].state = "missing";
  CHECK_THAT(status_text(observe::to_json(announcing(lost))).value(),
             Contains("\n  BGP: GoBGP at unix:/s: nobody answers\n") && !Contains("missing"));
  CHECK_THAT(status_text(observe::to_json(announcing(all_well()))).value(), !Contains("BGP:"));
  CHECK_THAT(status_text(observe::to_json(example_status())).value(), !Contains("bgp"));
}

TEST_CASE("the watch has a line of BGP, and names what is amiss with it first") {
  const Reading now = reading(announcing(example_bgp()));
  const std::string screen = joined_lines(watch_screen({.now = &now}, {}, {}));
  CHECK_THAT(screen,
             Contains("\nbgp: active, 1 of 2 sessions established, 1 of 3 routes announced\n"
                      "trouble: BGP: the session with 2001:db8::1 is active; "));
  const Reading without = reading(example_status());
  CHECK_THAT(joined_lines(watch_screen({.now = &without}, {}, {})), !Contains("bgp"));
}

TEST_CASE("the watch's JSON has the numbers of BGP, or null") {
  const auto bgp_of = [](const observe::Status& status) {
    const Reading now = reading(status);
    return json::parse(watch_json({.now = &now})).at("bgp");
  };
  CHECK(bgp_of(announcing(example_bgp())) == json::value{{"role", "active"},
                                                         {"in_step", true},
                                                         {"sessions", 2},
                                                         {"sessions_established", 1},
                                                         {"routes", 3},
                                                         {"routes_announced", 1}});
  CHECK(bgp_of(example_status()).is_null());
}

// The row of the route in what is explained of a packet to this service.
std::string route_row(const BgpStatus& bgp, const std::string& service) {
  observe::PacketAnswer answer = observe::example_answer();
  answer.route = observe::route_of(bgp, service);
  std::string out, line;
  std::istringstream lines(explain_text(observe::to_json(answer)).value());
  while (std::getline(lines, line) && !line.starts_with("route ")) continue;
  for (; line.starts_with("route ") || line.starts_with(" "); std::getline(lines, line))
    out += line.substr(line.find_first_not_of(' ', line.starts_with("route ") ? 5 : 0)) + " ";
  return out;
}

TEST_CASE("of a packet it is explained whether routers know of the VIP, and why not") {
  BgpStatus bgp = example_bgp();
  CHECK(route_row(bgp, "web") ==
        "198.51.100.1/32 is announced over 1 of 2 sessions, role active, med 50, communities "
        "64512:100 no-export ");
  CHECK(route_row(bgp, "dns") ==
        "198.51.100.2/32 is not announced for 6s more: well, but not for long enough yet ");
  CHECK(route_row(bgp, "mail") ==
        "198.51.100.3/32 is not announced: mail: pool mail: 0 of 3 backends usable, 1 needed ");
  bgp.sessions[0].state = "idle";
  CHECK(route_row(bgp, "web") ==
        "198.51.100.1/32 is with the speaker, but 0 of 2 sessions are established: no router hears "
        "of it ");
  bgp.routes[0].held = false;
  CHECK(route_row(bgp, "web") ==
        "198.51.100.1/32 should be announced, and the speaker does not have it: see guideway bgp ");
  bgp.contact = "lost";
  CHECK(route_row(bgp, "web") ==
        "198.51.100.1/32 should be announced; the speaker does not answer: see guideway bgp ");
  CHECK_THAT(explain_text(observe::to_json(observe::example_answer())).value(),
             !Contains("\nroute "));
}

TEST_CASE("the doctor reads of a status what it judges of BGP") {
  const auto running = read_running(observe::to_json(announcing(example_bgp())));
  REQUIRE(running);
  REQUIRE(running->bgp);
  const doctor::RunningBgp& bgp = *running->bgp;
  CHECK(bgp.api == "unix:/run/guideway-bgp/api.sock");
  CHECK(bgp.role == "active");
  CHECK_FALSE(bgp.role_by_operator);
  CHECK(bgp.contact == "reached");
  CHECK(bgp.error.empty());
  REQUIRE(bgp.sessions.size() == 2);
  CHECK(bgp.sessions[0].graceful_restart);
  CHECK(bgp.sessions[1].peer == "2001:db8::1");
  CHECK(bgp.sessions[1].asn == 64501);
  CHECK(bgp.sessions[1].state == "active");
  CHECK(bgp.sessions[1].state_for_seconds == 185);
  REQUIRE(bgp.routes.size() == 3);
  CHECK(bgp.routes[0].held);
  CHECK(bgp.routes[2].prefix == "198.51.100.3/32");
  CHECK(bgp.routes[2].state == "withdrawn");
  CHECK(bgp.routes[2].why == "mail: pool mail: 0 of 3 backends usable, 1 needed");
  CHECK_FALSE(read_running(observe::to_json(example_status()))->bgp);
}

}  // namespace
}  // namespace guideway::cli
