// What is said of a daemon that runs: of itself, its traffic and its pools.
#include <cerrno>

#include "judge_rows.h"

namespace guideway::doctor {
namespace {

RunningQueue& queue(World& world, std::size_t index) {
  return world.running->interfaces.front().queues[index];
}

TEST_CASE("what is amiss with the daemon is told with what mends it") {
  check_rows(
      with_daemon(),
      {{"another version", [](World& world) { world.version = "0.2.0"; }, Severity::note, "version",
        "it is 0.1.0, and this program 0.2.0", "systemctl restart guideway"},
       {"not ready", [](World& world) { world.running->ready = false; }, Severity::error, "ready",
        "not ready", "journalctl -u guideway -n 20"},
       {"a reload that was refused",
        [](World& world) { world.running->last_reload_succeeded = false; }, Severity::warning,
        "reload", "refused", "guideway check /etc/gw.yaml && guideway reload"},
       {"another file", [](World& world) { world.running->config_file = "/other.yaml"; },
        Severity::note, "in_force", "/other.yaml", "guideway doctor"},
       {"a pool that was changed",
        [](World& world) { world.model.pools.front().backends.pop_back(); }, Severity::warning,
        "in_force", "pools or services differ", "guideway reload"},
       {"an interface that was added",
        [](World& world) {
          world.model.interfaces.push_back({.name = "eth1", .queues = {}, .cpus = {}});
        },
        Severity::warning, "in_force", "interfaces differ", "guideway reload"},
       {"a program that was lost",
        [](World& world) { world.running->interfaces.front().attachment = "lost"; },
        Severity::error, "attachment", "eth0 has lost its XDP program", "guideway reload"},
       {"a worker behind", [](World& world) { queue(world, 1).generation = 6; }, Severity::error,
        "progress", "eth0 queue 1", "systemctl restart guideway"},
       {"a worker that stands still", [](World& world) { queue(world, 0).stalled_seconds = 9; },
        Severity::error, "progress", "eth0 queue 0", "systemctl restart guideway"}},
      "guidewayd");
}

TEST_CASE("a daemon not started is a note, one that died a warning, a silent one an error") {
  World world;
  const auto severity = [&](int number) {
    world.unreached.number = number;
    return amiss(world.findings(), "running").front().severity;
  };
  CHECK(severity(ENOENT) == Severity::note);
  CHECK(severity(EACCES) == Severity::note);
  CHECK(severity(ECONNREFUSED) == Severity::warning);
  CHECK(severity(ETIMEDOUT) == Severity::error);
}

TEST_CASE("a mode that is worse than it could be is told") {
  check_rows(
      with_daemon(),
      {{"generic", [](World& world) { world.running->interfaces.front().attachment = "generic"; },
        Severity::warning, "obtained",
        "got generic mode, where native mode with zero-copy was to be expected",
        "journalctl -u guideway -g 'trying the next mode'"},
       {"copies", [](World& world) { queue(world, 1).mode = "copy"; }, Severity::warning,
        "obtained", "got copies on queue 1", "journalctl -u guideway -g 'trying the next mode'"}},
      "interface eth0");
}

TEST_CASE("copies are right where the driver has no zero-copy") {
  World world = with_daemon();
  world.eth0().xdp = XdpFeatures{.native = true, .redirect = true};
  queue(world, 0).mode = queue(world, 1).mode = "copy";
  CHECK(amiss(world.findings(), "obtained").empty());
}

TEST_CASE("a loss of packets is a warning, and a trace of it a note") {
  const auto drop = [](const char* reason, std::uint64_t packets) {
    return [=](World& world) { world.running->drops = {{reason, packets}}; };
  };
  const auto count = [](const char* name, std::uint64_t times) {
    return [=](World& world) { world.running->counters.emplace_back(name, times); };
  };
  check_rows(
      with_daemon(),
      {{"queues without a worker",
        [](World& world) {
          world.running->interfaces.front().steering.emplace_back("no_socket", 1);
        },
        Severity::warning, "no_socket", "eth0: 1 packet of services", "queues: all"},
       {"too slow a worker",
        [](World& world) {
          queue(world, 1).socket = {{"rx_dropped", 5000}};
        },
        Severity::warning, "rx_dropped", "eth0 queue 1: 5000 packets (0.5 % of those taken)",
        "frames and ring higher"},
       {"a full ring once",
        [](World& world) {
          queue(world, 0).socket = {{"rx_ring_full", 7}};
        },
        Severity::note, "rx_dropped", "eth0 queue 0: 7 packets", "frames and ring higher"},
       {"no backend", drop("no_backend", 200), Severity::warning, "no_backend", "200 packets",
        "guideway backends"},
       {"no next hop at the start", drop("no_next_hop", 3), Severity::note, "no_next_hop",
        "3 packets", "guideway backends"},
       {"too big", drop("too_big", 101), Severity::warning, "too_big", "101 packets", "1524"},
       {"full to send", drop("tx_ring_full", 100), Severity::note, "tx_ring_full", "100 packets",
        "ring higher"},
       {"a full flow table", count("flow_table_full", 900), Severity::warning, "flow_table",
        "900 packets", "flow_table.entries"},
       {"refused to send", count("transmit_errors", 2), Severity::note, "transmit",
        "2 calls to send failed", ""}},
      "traffic since the start of guidewayd");
}

TEST_CASE("drops of broken packets are nobody's fault here") {
  World world = with_daemon();
  world.running->drops = {{"malformed_checksum", 500'000}, {"icmp_dropped", 9}};
  CHECK(amiss(world.findings()).empty());
}

TEST_CASE("what is amiss with pools and backends is told") {
  check_rows(
      with_daemon(),
      {{"an empty pool", [](World& world) { world.running->pools.front().empty = true; },
        Severity::error, "pool", "they are dropped", "guideway backends --pool web"},
       {"an empty pool that uses all",
        [](World& world) {
          world.running->pools.front().empty = true;
          world.running->pools.front().on_empty = "all";
        },
        Severity::warning, "pool", "as if it were up", "guideway backends --pool web"},
       {"too few",
        [](World& world) {
          world.running->pools.front().healthy = false;
          world.running->pools.front().healthy_backends = 1;
          world.running->pools.front().min_healthy = 2;
        },
        Severity::warning, "pool", "1 healthy backend, fewer than min_healthy, which is 2",
        "guideway backends --pool web"},
       {"a backend that is down",
        [](World& world) {
          world.running->backends[1].health = "down";
          world.running->backends[1].why = "tcp port 80: connection refused";
        },
        Severity::warning, "backend",
        "10.0.1.12 in pool web is down: tcp port 80: connection refused", "on that host"},
       {"a backend that was not asked",
        [](World& world) { world.running->backends[0].health = "unknown"; }, Severity::note,
        "backend", "10.0.1.11 in pool web has not been asked", ""},
       {"a next hop that is not known",
        [](World& world) { world.running->backends[1].next_hop = "no route"; }, Severity::error,
        "resolved", "10.0.1.12 is not known (no route)", "ip route get 10.0.1.12; ip neigh"}},
      "pools");
}

TEST_CASE("many backends that are down for the same reason are one finding") {
  World world = with_daemon();
  for (int i = 1; i <= 1000; ++i)
    world.running->backends.push_back(
        {.pool = "web",
         .address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1),
         .health = "down",
         .why = i % 2 == 0 ? "tcp port 80: connection refused" : "tcp port 80: no answer",
         .next_hop = "not resolved"});
  const Findings found = amiss(world.findings(), "backend");
  REQUIRE(found.size() == 2);
  CHECK(found[0].text.find(" and 494 more in pool web are down: tcp port 80: connection refused") !=
        std::string::npos);
  CHECK(found[1].text.find("are down: tcp port 80: no answer") != std::string::npos);
}

TEST_CASE("no packets are dropped for the next hop of a backend that is down") {
  World world = with_daemon();
  world.running->backends[1].health = "down";
  world.running->backends[1].next_hop = "not resolved";
  CHECK(amiss(world.findings(), "resolved").empty());
  world.running->pools.front().empty = true;
  world.running->pools.front().on_empty = "all";
  CHECK(amiss(world.findings(), "resolved").size() == 1);
}

TEST_CASE("commands are about the daemon that was asked, at whichever socket") {
  World world = with_daemon();
  world.socket = "/run/other daemon.sock";
  world.file = world.running->config_file = "/etc/it's mine.yaml";
  world.running->last_reload_succeeded = false;
  world.running->pools.front().empty = true;
  world.running->drops = {{"no_backend", 200}};
  const auto mend = [&](const std::string& check) {
    const Findings found = amiss(world.findings(), check);
    REQUIRE(found.size() == 1);
    return found.front().mend.text;
  };
  const std::string socket = " --socket '/run/other daemon.sock'";
  CHECK(mend("reload") == R"(guideway check '/etc/it'\''s mine.yaml' && guideway reload)" + socket);
  CHECK(mend("pool") == "guideway backends --pool web" + socket);
  CHECK(mend("no_backend") == "guideway backends" + socket);
}

TEST_CASE("queues that came after the daemon had started are not served, whatever the file says") {
  World world = with_daemon();
  world.eth0().receive_queues = world.eth0().transmit_queues = 4;
  world.eth0().indirection = Indirection{.entries = 128, .queues = {0, 1, 2, 3}};
  const Findings found = amiss(world.findings(), "unserved_queues");
  REQUIRE(found.size() == 1);
  CHECK(found.front().severity == Severity::error);
  CHECK(found.front().text.find("no worker serves queue 2-3") != std::string::npos);
  CHECK(found.front().mend.text == "ethtool -X eth0 equal 2");
}

TEST_CASE("queues that have gone since the daemon started can be put back") {
  World world = with_daemon();
  world.eth0().receive_queues = world.eth0().transmit_queues = 1;
  world.eth0().channels = Channels{.combined = 1, .max_combined = 8};
  const Findings found = amiss(world.findings(), "queues");
  REQUIRE(found.size() == 1);
  CHECK(found.front().mend.text == "ethtool -L eth0 combined 2");
}

TEST_CASE("a user who may not ask the daemon is told to, and that nothing is amiss") {
  World world = with_daemon();
  world.running.reset();
  world.facts.host.privilege.uid = 1000;
  world.facts.host.privilege.effective = std::uint64_t{0};
  Findings found = amiss(world.findings(), "served_by");
  REQUIRE(found.size() == 1);
  CHECK(found.front().severity == Severity::note);
  CHECK(found.front().mend == Mend::by_command("sudo guideway doctor /etc/gw.yaml"));
  CHECK(amiss(world.findings(), "capabilities").empty());
  world.facts.host.privilege.uid = 0;
  found = amiss(world.findings(), "served_by");
  REQUIRE(found.size() == 1);
  CHECK(found.front().severity == Severity::warning);
  CHECK(found.front().mend.text.find("it hangs: journalctl -u guideway") != std::string::npos);
}

}  // namespace
}  // namespace guideway::doctor
