#include "cli/explain_view.h"

#include <algorithm>

#include "support/catch.h"
#include "support/example_answer.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using observe::PacketAnswer;

std::string shown(const PacketAnswer& answer) {
  return explain_text(observe::to_json(answer)).value();
}

std::string last_line(const std::string& text) {
  return text.substr(text.rfind('\n', text.size() - 2) + 1);
}

PacketAnswer dropped(DropReason reason) {
  PacketAnswer answer = observe::example_answer();
  answer.verdict = PacketAnswer::Verdict::dropped;
  answer.reason = &observe::reason_text(reason);
  return answer;
}

TEST_CASE("a flow that is kept is shown from the wire to the next hop, the verdict last") {
  CHECK(shown(observe::example_answer()) ==
        R"(packet    tcp 203.0.113.7:40000 198.51.100.1:80, flags ack, 40 bytes of IP
steering  eth1: a service of a VIP: taken from the kernel, to the worker
service   web: tcp 198.51.100.1:80, pool blue, generation 7
table     hash 00123456789abcde: slot 18 of 65537 is of 10.0.0.2
entry     eth1 queue 1: established to 10.0.0.1, idle 3s, expires in 14m 57s
choice    kept: the flow is known, and its backend may keep it
backend   10.0.0.1 in pool blue: weight 3, up for 3m 02s
check     http port 80 path /healthz: up, status 200 (1.2 ms)
next hop  resolved, by eth1 via 10.77.1.1 at 02:00:00:00:00:01
size      40 bytes, 64 with the tunnel's headers, of an egress MTU of 1600:
          packets of up to 1576 bytes fit
if down   10.0.0.2 would get the flow
forwarded to 10.0.0.1 by eth1
)");
}

TEST_CASE("a flow that no worker knows is chosen by the Maglev table") {
  PacketAnswer answer = observe::example_answer();
  answer.entries.clear();
  answer.choice = "chosen";
  CHECK_THAT(shown(answer), Contains("entry     none: the flow is new to each worker\n") &&
                                Contains("choice    chosen: the flow is new, "));
}

TEST_CASE("how a flow comes by another backend than its entry's is told in words") {
  PacketAnswer answer = observe::example_answer();
  answer.choice = "moved";
  CHECK_THAT(shown(answer), Contains("moved: the flow is known, its backend may not keep it"));
  answer.choice = "reopened";
  CHECK_THAT(shown(answer), Contains("reopened: the flow is closing, and this SYN begins a new"));
}

TEST_CASE("of a flow that is closing it is told where a SYN would go") {
  PacketAnswer answer = observe::example_answer();
  answer.entries[0].state = "closing";
  CHECK_THAT(shown(answer), Contains("a SYN would\n          begin a new one, to 10.0.0.2\n"));
  answer.queue = 0;  // whose entry is not the one that is closing
  CHECK_THAT(shown(answer), !Contains("a SYN would"));
}

TEST_CASE("drain, slow start and what may not keep its flows are shown of the backend") {
  PacketAnswer answer = observe::example_answer();
  answer.backend->drain = "operator";
  answer.backend->weight_percent = 40;
  answer.backend->usable = false;
  const std::string text = shown(answer);
  CHECK_THAT(text, Contains("(40 % of it, in a slow start)") && Contains("drained by operator"));
  CHECK_THAT(text, Contains("may not keep its"));
}

TEST_CASE("a check without an answer says so, and of many checks the rest is counted") {
  PacketAnswer answer = observe::example_answer();
  answer.backend->checks[0].last.clear();
  CHECK_THAT(shown(answer), Contains("up, no answer yet\n"));
  answer.backend->checks.resize(9, answer.backend->checks[0]);
  CHECK_THAT(shown(answer), Contains("and 4 more: see guideway backends\n"));
}

TEST_CASE("each worker that knows the flow is shown, and of very many the rest is counted") {
  PacketAnswer answer = observe::example_answer();
  answer.entries.push_back(answer.entries[0]);
  answer.entries[1].queue = 3;
  CHECK_THAT(shown(answer),
             Contains("entry     eth1 queue 1: ") && Contains("entry     eth1 queue 3: "));
  answer.entries.resize(64, answer.entries[0]);
  CHECK_THAT(shown(answer), Contains("and 59 more: see --json"));
}

TEST_CASE("a packet that is dropped says why and what to do, and ends with the verdict") {
  const std::string text = shown(dropped(DropReason::no_next_hop));
  CHECK_THAT(text, Contains("\nto do     ip route get BACKEND"));
  CHECK_THAT(last_line(text), Contains("dropped: no_next_hop: the next hop of its backend"));
}

TEST_CASE("interfaces that say the same share a line, others have their own") {
  PacketAnswer answer = observe::example_answer();
  answer.steering = {{.interface = "eth1", .attached = true, .verdict = "redirected"},
                     {.interface = "eth2", .attached = true, .verdict = "redirected"},
                     {.interface = "eth3", .attached = false, .verdict = "redirected"},
                     {.interface = "eth4", .attached = true, .verdict = "pass_not_vip"},
                     {.interface = "eth5", .attached = true, .verdict = "no_service"}};
  CHECK_THAT(shown(answer), Contains("steering  eth1, eth2: a service of a VIP"));
  CHECK_THAT(shown(answer), Contains("steering  eth3: the steering program is not attached"));
  CHECK_THAT(shown(answer), Contains("steering  eth4: not to a VIP: left to the kernel"));
  CHECK_THAT(shown(answer), Contains("steering  eth5: to a VIP, and dropped before it reaches"));
}

TEST_CASE("queues without a worker are told of where the packet is for one") {
  PacketAnswer answer = observe::example_answer();
  answer.steering.front().queues = 4;
  answer.steering.front().unserved_queues = 1;
  CHECK_THAT(shown(answer), Contains("of 4 receive queues are without one"));
  CHECK_THAT(shown(answer), Contains("(no_socket)"));
  answer.steering.front().verdict = "no_service";
  CHECK_THAT(shown(answer), !Contains("no_socket"));
}

TEST_CASE("interfaces by which the packet would be dropped are told with the reason") {
  PacketAnswer answer = observe::example_answer();
  CHECK_THAT(shown(answer), !Contains("elsewhere"));
  answer.elsewhere = {{"eth2", "no_next_hop"}};
  CHECK_THAT(shown(answer),
             Contains("\nelsewhere eth2: one that comes in by it is dropped (no_next_hop)\n"));
}

TEST_CASE("a packet that the kernel keeps is shown as far as it gets") {
  PacketAnswer answer;
  answer.frame_bytes = 20;
  answer.steering = {{.interface = "eth1", .attached = true, .verdict = "pass_truncated"}};
  answer.interface = "eth1";
  answer.verdict = PacketAnswer::Verdict::passed;
  answer.reason = &observe::reason_text(GW_VERDICT_pass_truncated);
  const std::string text = shown(answer);
  CHECK_THAT(text, Contains("packet    a frame of 20 bytes, without a TCP or UDP packet"));
  CHECK_THAT(text, Contains("steering  eth1: left to the kernel (pass_truncated)\n"));
  CHECK_THAT(last_line(text), Contains("passed to the kernel: pass_truncated: it is too short"));
  CHECK(std::ranges::count(text, '\n') <= 6);
}

TEST_CASE("a table that is empty, and nobody to take over, are told") {
  PacketAnswer answer = dropped(DropReason::no_backend);
  answer.table.reset();
  answer.backend.reset();
  answer.size.reset();
  answer.if_down.reset();
  answer.choice.clear();
  CHECK_THAT(shown(answer), Contains("the pool's Maglev table is empty\n"));
  answer = observe::example_answer();
  answer.if_down = "";
  CHECK_THAT(shown(answer), Contains("if down   nobody would get the flow"));
  answer.if_down = "10.0.0.1";
  CHECK_THAT(shown(answer),
             Contains("if down   10.0.0.1 would have it all the same (on_empty: all)"));
}

TEST_CASE("a usual packet that would not fit is told, whatever the size asked for") {
  PacketAnswer answer = observe::example_answer();
  answer.size->egress_mtu = 1500;
  answer.size->largest_ip_bytes = 1476;
  CHECK_THAT(shown(answer), Contains("up to 1476 bytes fit, those of 1500 do not"));
}

TEST_CASE("workers that hang are named") {
  PacketAnswer answer = observe::example_answer();
  answer.hanging = {"eth1 queue 0", "eth1 queue 3"};
  CHECK_THAT(shown(answer), Contains("hanging   eth1 queue 0, eth1 queue 3: no answer"));
}

TEST_CASE("the most that is shown fits a screen, and each line but the verdict 80 columns") {
  PacketAnswer answer = dropped(DropReason::no_next_hop);
  answer.entries.resize(5, answer.entries[0]);
  answer.backend->checks.resize(5, answer.backend->checks[0]);
  answer.hanging = {"eth1 queue 0"};
  const std::string text = shown(answer);
  CHECK(std::ranges::count(text, '\n') <= 25);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end + 1 < text.size()) CHECK(end - at <= 80);
    at = end + 1;
  }
}

TEST_CASE("what is no explanation is no text") {
  CHECK_FALSE(explain_text("{}").has_value());
  CHECK_FALSE(explain_text("x").has_value());
  CHECK_FALSE(explain_text(R"({"verdict":1})").has_value());
  CHECK(explain_text(R"({"verdict":"forwarded"})").has_value());  // of another version
}

TEST_CASE("what comes from the network cannot move the terminal's cursor") {
  PacketAnswer answer = observe::example_answer();
  answer.backend->checks[0].last = "status \x1b[2J";
  CHECK(shown(answer).find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace guideway::cli
