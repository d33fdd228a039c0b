#include "cli/status_view.h"

#include <sstream>

#include "example_status.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

std::string shown(const observe::Status& status) {
  const auto text = status_text(observe::to_json(status));
  REQUIRE(text);
  return *text;
}

TEST_CASE("a status is shown as a page") {
  CHECK(shown(example_status()) ==
        R"(guidewayd 0.1.0 on lb1: pid 4711, up 1h 02m 03s, generation 7, ready
configuration: /etc/guideway/guideway.yaml, digest 0123456789ab
log: level info

interface eth1: virtio_net, MTU 1500, XDP native by libxdp's dispatcher
  steering: pass_not_vip 22, redirected 1105
  queue  mode       cpu  generation  received  transmitted  dropped  in flight
      0  zero-copy    2           7      1000          990       10          0
      1  copy         3           6       100           90       10          0
  socket of queue 1: rx_dropped 5

packets: received 1100 = transmitted 1080 + dropped 20 + in flight 0
drops: no_next_hop 16, tx_ring_full 4
flows: 24 of 2097152, opening 0, established 22, closing 0, udp 2
workers: batches 1100, transmit_errors 6

services
  service  address              pool  health   packets     bytes
  web      tcp 198.51.100.1:80  blue  healthy     1080  108.0 kB
  dns      udp 198.51.100.1:53  blue  healthy        0       0 B

pool blue: healthy, 2 of 3 backends healthy, 1 needed
  table of 65537 entries, digest fedcba987654
  backend     weight  health                     table  flows   share  packets     bytes  next hop
  10.0.0.1  3 (40 %)  up                       100.0 %     30  75.0 %     1000  100.0 kB  resolved, eth1
  10.9.0.2         1  down                       0.0 %     10  25.0 %       80    8.0 kB  resolving, eth1 via 10.0.0.254
  10.9.0.3         1  up, drained by operator    0.0 %      0   0.0 %        0       0 B  no route
  10.9.0.2: http port 80 path /healthz: status 503
)");
}

TEST_CASE("who a daemon runs as is shown, with its capabilities") {
  observe::Status status = example_status();
  status.user = "guideway";
  status.capabilities = {"cap_net_admin", "cap_bpf"};
  CHECK_THAT(shown(status), Contains("\nruns as guideway, with: cap_net_admin, cap_bpf\nlog: "));
  status.capabilities.clear();
  CHECK_THAT(shown(status), Contains("\nruns as guideway, with: no capabilities\n"));
}

TEST_CASE("a worker that hangs is shown below the queues") {
  observe::Status status = example_status();
  status.interfaces[0].queues[1].stalled = std::chrono::seconds(75);
  CHECK_THAT(shown(status), Contains("\n  queue 1: its worker hangs, for 1m 15s\n"));
}

TEST_CASE("a program that has the interface for itself is shown so") {
  observe::Status status = example_status();
  status.interfaces[0].attachment = "generic";
  status.interfaces[0].dispatcher = false;
  CHECK_THAT(shown(status), Contains("MTU 1500, XDP generic, not shared\n"));
}

TEST_CASE("a daemon without traffic shows neither verdicts nor drops") {
  observe::Status status = example_status();
  status.interfaces[0].steering = {{"redirected", 0}};
  for (auto& queue : status.interfaces[0].queues) queue.worker = {};
  const std::string text = shown(status);
  CHECK_THAT(text, !Contains("steering:") && !Contains("drops:") && !Contains("workers:"));
  CHECK_THAT(text, Contains("packets: received 0 = transmitted 0 + dropped 0 + in flight 0\n"));
}

TEST_CASE("a counter or a drop reason that this client does not know is shown all the same") {
  const auto text =
      status_text(R"({"node":{"name":"n"},"totals":{"new_counter":5,"drops":{"new_reason":6}}})");
  REQUIRE(text);
  CHECK_THAT(*text, Contains("workers: new_counter 5\n") && Contains("drops: new_reason 6\n"));
}

TEST_CASE("many verdicts stay within 80 columns") {
  observe::Status status = example_status();
  status.pools.clear();
  for (int i = 0; i < 40; ++i)
    status.interfaces[0].steering.emplace_back("verdict_" + std::to_string(i), 1'000'000'000);
  std::istringstream lines(shown(status));
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 80);
  }
}

TEST_CASE("a daemon that is not ready says so") {
  observe::Status status = example_status();
  status.ready = false;
  CHECK_THAT(shown(status), Contains(", generation 7, not ready\n"));
}

TEST_CASE("reloads are shown once there was one, with how and when the last one ended") {
  observe::Status status = example_status();
  CHECK_THAT(shown(status), !Contains("reloads: "));
  status.reloads = {
      .succeeded = 3, .failed = 1, .last_succeeded = false, .last_unix_seconds = 1767225599};
  CHECK_THAT(shown(status), Contains("\nreloads: 3 succeeded, 1 failed; the last one failed at "
                                     "2025-12-31T23:59:59Z\n"));
}

TEST_CASE("log lines that were suppressed are shown") {
  observe::Status status = example_status();
  status.log_level = "debug";
  status.suppressed_log_lines = 12;
  CHECK_THAT(shown(status), Contains("\nlog: level debug, 12 lines suppressed\n"));
}

TEST_CASE("workers that were taken out of service are shown as a part of the totals") {
  observe::Status status = example_status();
  status.retired = example_worker(500);
  CHECK_THAT(shown(status), Contains("packets: received 1600 = transmitted 1570 + dropped 30 + "));
  CHECK_THAT(shown(status), Contains("of these, workers out of service: received 500, "
                                     "transmitted 490, dropped 10\n"));
}

TEST_CASE("a check that fails shows its last answer, one that passes does not") {
  observe::Status status = example_status();
  status.pools[0].backends[1].checks[0].last = "connecting: refused\x1b";
  const std::string text = shown(status);
  CHECK_THAT(text, Contains("  10.9.0.2: http port 80 path /healthz: connecting: refused?\n"));
  CHECK_THAT(text, !Contains("10.0.0.1: http"));
}

TEST_CASE("more frames sent than received, as read while they pass, are shown with their sign") {
  observe::Status status = example_status();
  status.interfaces[0].queues[0].worker.received -= 3;
  CHECK_THAT(shown(status), Contains("+ dropped 20 + in flight -3\n"));
}

TEST_CASE("numbers above what a signed one can hold are shown") {
  observe::Status status = example_status();
  status.services[0].packets = UINT64_MAX;
  CHECK_THAT(shown(status), Contains("18446744073709551615"));
}

TEST_CASE("a daemon that has no services says so") {
  observe::Status status = example_status();
  status.services.clear();
  status.pools.clear();
  CHECK_THAT(shown(status), EndsWith("\n\nservices: none\n"));
}

TEST_CASE("what a document of another version does not have is shown as missing") {
  const auto text = status_text(
      R"({"node":{"name":"n"},"interfaces":[{"name":"e","queues":[{"queue":0}]}],"pools":[{"name":"p","backends":[{}]}],"services":"?"})");
  REQUIRE(text);
  CHECK_THAT(*text, Contains("guidewayd - on n: pid -, up 0s, generation -\nconfiguration: -\n\n"));
  CHECK_THAT(*text, Contains("interface e: -, MTU -, XDP -, not shared\n"));
}

TEST_CASE("a name with control characters does not move the cursor") {
  observe::Status status = example_status();
  status.node = "a\x1b[2Jb\n";
  status.interfaces[0].steering.emplace_back("v\x1b[2J", 1);
  CHECK_THAT(shown(status), Contains(" on a?[2Jb?: pid") && Contains("v?[2J 1"));
}

TEST_CASE("what is no status document is an error") {
  for (const char* document : {"", "hello", "[]", "{}", "{\"node\":1}", "{\"node\":"}) {
    INFO(document);
    const auto text = status_text(document);
    REQUIRE_FALSE(text);
    CHECK_THAT(text.error().what, Contains("reading the status of guidewayd: "));
  }
}

}  // namespace
}  // namespace guideway::cli
