// SpeakerLog: one line for what happens, none for what goes on, few for what others repeat.
#include "bgp/speaker_log.h"

#include <algorithm>

#include "support/catch.h"
#include "unit/bgp/scripted_speaker.h"

namespace guideway::bgp {
namespace {

using namespace testing;
using Lines = std::vector<std::string>;
using Time = SpeakerLog::Time;

constexpr Time kStart{1000h};
const Error kRefused{"asking GoBGP: Connection refused", "start gobgpd"};
const Error kSilent{"asking GoBGP: no answer within 5 s"};

struct Logging {
  LogCapture capture;
  SpeakerLog log;

  Lines answered(const Report& report, Time now, SpeakerLog::Circumstances circumstances = {}) {
    log.answered("unix:/api", report, circumstances, now);
    return capture.take();
  }
  Lines failed(const Error& error, Time now) {
    log.failed(error, now);
    return capture.take();
  }
};

Report nothing() { return {.name = "GoBGP"}; }
Report done(Lines lines) { return {.name = "GoBGP", .done = std::move(lines)}; }
Report session(const char* state) {
  return {.name = "GoBGP", .sessions = {{.peer = "10.0.0.1", .asn = 64500, .state = state}}};
}

TEST_CASE("a call that found all as it was leaves no line") {
  Logging all;
  CHECK(all.answered(nothing(), kStart) == Lines{"info bgp: GoBGP at unix:/api answers"});
  for (int i = 1; i < 100; ++i)
    CHECK(all.answered(nothing(), kStart + i * 1s, {.unasked = true}).empty());
}

TEST_CASE("contact that is lost is one warning with the error, and one line when it is found") {
  Logging all;
  all.answered(nothing(), kStart);
  CHECK(all.failed(kRefused, kStart + 1s) ==
        Lines{"warning bgp: asking GoBGP: Connection refused (start gobgpd); tried again each "
              "second"});
  for (int i = 2; i < 12; ++i) CHECK(all.failed(kRefused, kStart + i * 1s).empty());
  CHECK(all.answered(nothing(), kStart + 13s) ==
        Lines{"info bgp: GoBGP at unix:/api answers, after 12 s"});
}

TEST_CASE("an error that becomes another one is told again") {
  Logging all;
  CHECK(all.failed(kRefused, kStart).size() == 1);
  CHECK(all.failed(kSilent, kStart + 1s) ==
        Lines{"warning bgp: asking GoBGP: no answer within 5 s; tried again each second"});
  CHECK(all.failed(kSilent, kStart + 2s).empty());
}

TEST_CASE("errors that take turns fill no log, and what was left out is said") {
  Logging all;
  Lines lines;
  for (int i = 0; i < 600; ++i)
    std::ranges::move(all.failed(i % 2 == 0 ? kRefused : kSilent, kStart + i * 1s),
                      std::back_inserter(lines));
  CHECK(lines.size() >= 20);
  CHECK(lines.size() <= 30);
  CHECK(std::ranges::any_of(lines, [](const std::string& line) {
    return line.find("times before it, not logged)") != std::string::npos;
  }));
}

TEST_CASE("a speaker that comes and goes fills no log") {
  Logging all;
  std::size_t lost = 0, found = 0;
  for (int i = 0; i < 600; ++i) {
    lost += all.failed(kRefused, kStart + i * 1s).size();
    found += all.answered(nothing(), kStart + i * 1s).size();
  }
  CHECK(lost >= 20);
  CHECK(lost <= 30);
  CHECK(found == lost);
}

TEST_CASE("what was done is told line by line up to a number") {
  Logging all;
  all.answered(nothing(), kStart);
  CHECK(all.answered(done({"added 198.51.100.1/32", "deleted 198.51.100.9/32"}), kStart) ==
        Lines{"info bgp: added 198.51.100.1/32", "info bgp: deleted 198.51.100.9/32"});
  CHECK(all.answered(done(Lines(20, "added one")), kStart).size() == 20);
  const Lines lines = all.answered(done(Lines(25, "added one")), kStart);
  REQUIRE(lines.size() == 21);
  CHECK(lines[19] == "info bgp: added one");
  CHECK(lines[20] == "info bgp: and 5 more");
}

TEST_CASE("a note is told, and is no correction of what others did") {
  Logging all;
  all.answered(nothing(), kStart);
  Report noted = nothing();
  noted.notes = {"gave up"};
  CHECK(all.answered(noted, kStart, {.unasked = true}) == Lines{"info bgp: gave up"});
}

TEST_CASE("what was done though nobody asked is told as a correction, and not each second") {
  Logging all;
  all.answered(nothing(), kStart);
  Lines lines;
  for (int i = 0; i < 600; ++i)
    std::ranges::move(all.answered(done({"added one"}), kStart + i * 1s, {.unasked = true}),
                      std::back_inserter(lines));
  CHECK(lines.front() == "info bgp: mended what others changed: added one");
  CHECK(lines.size() >= 20);
  CHECK(lines.size() <= 30);
  CHECK(lines.back() ==
        "info bgp: mended what others changed (and 29 times before it, not logged): added one");
}

TEST_CASE("a speaker that was restarted is a warning before what was done about it") {
  Logging all;
  all.answered(nothing(), kStart);
  Report report = done({"started BGP as AS 64512"});
  report.started = true;
  CHECK(all.answered(report, kStart, {.unasked = true, .restarted = true}) ==
        Lines{"warning bgp: GoBGP at unix:/api had lost all that it was given, as after a restart; "
              "it is given it again",
              "info bgp: started BGP as AS 64512"});
}

TEST_CASE("a speaker that is restarted again and again, or another's in turn, fills no log") {
  Logging all;
  all.answered(nothing(), kStart);
  Report report = done({"stopped BGP as AS 64512", "started BGP as AS 64512"});
  report.started = true;
  Lines lines;
  for (int i = 0; i < 600; ++i)
    std::ranges::move(all.answered(report, kStart + i * 1s, {.unasked = true, .restarted = true}),
                      std::back_inserter(lines));
  CHECK(lines.size() >= 60);
  CHECK(lines.size() <= 90);
  CHECK(lines[lines.size() - 3].ends_with("given it again (and 29 times before it, not logged)"));
}

TEST_CASE("a session is told when it comes up and when it goes down and not in between") {
  Logging all;
  all.answered(nothing(), kStart);
  CHECK(all.answered(session("idle"), kStart).empty());
  CHECK(all.answered(session("active"), kStart).empty());
  CHECK(all.answered(session("established"), kStart) ==
        Lines{"info bgp: session with 10.0.0.1 (AS 64500) is established"});
  CHECK(all.answered(session("established"), kStart).empty());
  CHECK(all.answered(session("idle"), kStart) ==
        Lines{"warning bgp: session with 10.0.0.1 (AS 64500) is down: idle"});
  CHECK(all.answered(session("active"), kStart).empty());
}

TEST_CASE("a session that flaps fills no log") {
  Logging all;
  all.answered(nothing(), kStart);
  std::size_t lines = 0;
  for (int i = 0; i < 1000; ++i)
    lines += all.answered(session(i % 2 == 0 ? "established" : "idle"), kStart + i * 100ms).size();
  CHECK(lines >= 50);
  CHECK(lines <= 80);
}

}  // namespace
}  // namespace guideway::bgp
