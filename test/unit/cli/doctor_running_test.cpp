// What the doctor takes of a daemon's status.
#include "cli/doctor_running.h"

#include "example_status.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

TEST_CASE("the doctor reads of a status what it judges") {
  observe::Status status = example_status();
  status.reloads = {.succeeded = 2, .failed = 1, .last_succeeded = false, .last_unix_seconds = 5};
  const auto running = read_running(observe::to_json(status));
  REQUIRE(running);
  CHECK(running->version == "0.1.0");
  CHECK(running->config_file == "/etc/guideway/guideway.yaml");
  CHECK(running->pid == 4711);
  CHECK(running->ready);
  CHECK(running->generation == 7);
  CHECK(running->config_digest == "0123456789ab");
  CHECK_FALSE(running->last_reload_succeeded);
  CHECK(doctor::count(running->counters, "received") == 1100);
  CHECK(doctor::count(running->counters, "transmit_errors") == 6);
  CHECK(doctor::count(running->drops, "no_next_hop") == 16);
  CHECK(doctor::count(running->drops, "nothing_of_this_name") == 0);
}

TEST_CASE("the doctor reads interfaces, queues, pools and backends of a status") {
  const auto running = read_running(observe::to_json(example_status()));
  REQUIRE(running);
  CHECK(running->last_reload_succeeded);
  REQUIRE(running->interfaces.size() == 1);
  const doctor::RunningInterface& eth1 = running->interfaces.front();
  CHECK(eth1.name == "eth1");
  CHECK(eth1.attachment == "native");
  CHECK(doctor::count(eth1.steering, "redirected") == 1105);
  REQUIRE(eth1.queues.size() == 2);
  CHECK(eth1.queues[1].mode == "copy");
  CHECK(eth1.queues[1].cpu == 3);
  CHECK(eth1.queues[1].generation == 6);
  CHECK(doctor::count(eth1.queues[1].socket, "rx_dropped") == 5);
  REQUIRE(running->pools.size() == 1);
  CHECK(running->pools[0].name == "blue");
  CHECK(running->pools[0].healthy_backends == 2);
  REQUIRE(running->backends.size() == 3);
  CHECK(running->backends[0].why.empty());
  CHECK(running->backends[1].health == "down");
  CHECK(running->backends[1].why == "http port 80 path /healthz: status 503");
  CHECK(running->backends[2].next_hop == "no route");
}

TEST_CASE("what is no status is an error, and a status that lacks much is none") {
  CHECK_FALSE(read_running("garbage"));
  CHECK_FALSE(read_running("{}"));
  const auto bare = read_running(R"({"node":{}})");
  REQUIRE(bare);
  CHECK(bare->last_reload_succeeded);
  CHECK(bare->interfaces.empty());
}

}  // namespace
}  // namespace guideway::cli
