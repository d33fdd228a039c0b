#include "cli/watch_view.h"

#include <algorithm>

#include "cli/columns.h"
#include "support/catch.h"
#include "watch_scene.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using std::chrono::seconds;

constexpr std::uint64_t kNoon = 1'767'268'800;  // 2026-01-01T12:00:00Z

struct Watched {
  Watched(const observe::Status& before_status, const observe::Status& now_status)
      : before(reading(before_status)), now(reading(now_status)) {}

  [[nodiscard]] Scene scene() const {
    return {.before = &before, .now = &now, .unix_seconds = kNoon, .pools = &pools};
  }
  [[nodiscard]] std::vector<std::string> screen(ScreenSize size = {},
                                                const Palette& palette = {}) const {
    return watch_screen(scene(), size, palette);
  }

  Reading before, now;
  std::vector<std::string> pools{};
};

observe::Status a_second_later() {
  observe::Status status = later(example_status(), seconds(1));
  WorkerTotals& worker = status.interfaces[0].queues[0].worker;
  worker.received += 12'345;
  worker.transmitted += 12'335;
  worker.flow_inserted += 210;
  worker.drops[static_cast<std::size_t>(DropReason::no_backend)] += 10;
  status.services[0].packets += 12'335;
  status.services[0].bytes += 1'225'000;
  status.pools[0].backends[0].packets += 12'335;
  status.pools[0].backends[0].bytes += 1'225'000;
  status.pools[0].backends[0].flows += 210;
  return status;
}

TEST_CASE("a screen of 80 x 24 shows the daemon, all packets, services and backends") {
  const Watched watched(example_status(), a_second_later());
  CHECK(joined_lines(watched.screen()) ==
        "guidewayd 0.1.0 on lb1: ready, up 1h 02m 04s, generation 7  2026-01-01T12:00:00Z\n"
        "last reload: none yet\n"
        "packets/s: in 12.3 k, out 12.3 k (9.8 Mbit/s), dropped 10\n"
        "drops/s: no_backend 10\n"
        "flows: 210 new/s, 24 of 2097152 remembered (0.0 %)\n"
        "trouble: 10.9.0.2 of pool blue is down: status 503 (http port 80 p..; and 1 more\n"
        "\n"
        "  service              name  health   packets/s  bit/s    share\n"
        "  tcp 198.51.100.1:80  web   healthy     12.3 k  9.8 M  100.0 %\n"
        "  udp 198.51.100.1:53  dns   healthy          0      0    0.0 %\n"
        "\n"
        "  backend   pool  health       packets/s  bit/s  flows/s    share\n"
        "  10.0.0.1  blue  up, 40 %        12.3 k  9.8 M      210  100.0 %\n"
        "  10.9.0.2  blue  down                 0      0        0    0.0 %\n"
        "  10.9.0.3  blue  up, drained          0      0        0    0.0 %\n");
}

TEST_CASE("a wide screen has room for why a backend is down") {
  const auto lines = Watched(example_status(), a_second_later()).screen({140, 24});
  CHECK_THAT(lines[5], Contains("/healthz); 10.9.0.3 of pool blue: next hop: no route"));
  CHECK_THAT(lines[13], Contains("0.0 %  status 503 (http port 80 path /healthz)"));
  CHECK_THAT(lines[14], Contains("0.0 %  next hop: no route"));
}

TEST_CASE("troubles that do not fit into the line are counted") {
  const auto lines = Watched(example_status(), a_second_later()).screen({100, 24});
  CHECK(lines[5] ==
        "trouble: 10.9.0.2 of pool blue is down: status 503 (http port 80 path /healthz); and 1 "
        "more");
}

TEST_CASE("no screen has a line or a column too much, whatever its size and the names in it") {
  const std::string name =
      GENERATE(as<std::string>{}, "pool-", "Zürich-東京-サービス-", std::string(90, 'n'));
  observe::Status before = many(200, 7, name), now = later(many(200, 13, name), seconds(1));
  for (std::size_t i = 0; i < now.pools.size(); i += 2) {
    now.pools[i].backends[0].health = "down";
    now.pools[i].backends[0].drain = "operator";
    now.pools[i].backends[0].weight_percent = 10;
    now.pools[i].backends[0].checks[0].state = "down";
    now.pools[i].backends[0].checks[0].last = "no answer: 返事がありません";
  }
  now.node = name + name;
  now.interfaces[0].attachment = "lost";
  const Watched watched(before, now);
  const bool colours = GENERATE(false, true);
  for (const std::size_t rows : {1U, 2U, 5U, 6U, 7U, 9U, 10U, 15U, 16U, 17U, 24U, 50U, 500U}) {
    for (const std::size_t columns : {1U, 2U, 3U, 10U, 40U, 79U, 80U, 81U, 132U, 300U}) {
      const auto lines = watched.screen({columns, rows}, Palette(colours));
      CAPTURE(rows, columns, joined_lines(lines));
      CHECK(lines.size() <= rows);
      CHECK(std::ranges::all_of(lines, [&](const auto& line) {
        return columns_of(line) <= columns && line.find('\n') == std::string::npos;
      }));
      if (rows <= 200) CHECK(lines.size() >= std::min<std::size_t>(rows, 6));
    }
  }
}

TEST_CASE("on 80 columns the numbers of a backend are there also where its pool has a long name") {
  const std::string name(90, 'n');
  const auto lines =
      Watched(many(2, 0, name), later(many(2, 13, name), seconds(1))).screen({80, 24});
  CHECK(lines[6] ==
        "  service                 name               health   packets/s   bit/s    share");
  CHECK_THAT(joined_lines(lines), Contains("10.200.100.1  ") && Contains(".."));
  CHECK(std::ranges::count_if(
            lines, [](const std::string& line) { return line.ends_with("100.0 %"); }) == 2);
}

TEST_CASE("what does not fit is one line with the sum, the busiest are above it") {
  const Watched watched(many(200, 0), later(many(200, 10), seconds(1)));
  const auto lines = watched.screen({80, 24});
  REQUIRE(lines.size() == 24);
  // 5 lines of the daemon, 2 blank ones, 2 headings: 5 of the other 15 are the services'.
  CHECK_THAT(lines[7], StartsWith("  tcp 198.51.100.199:65535"));
  CHECK_THAT(lines[10], StartsWith("  tcp 198.51.100.196:65535"));
  CHECK_THAT(lines[11], StartsWith("  and 196 more "));
  CHECK_THAT(lines[14], StartsWith("  10.200.100.199 "));
  CHECK_THAT(lines[22], StartsWith("  10.200.100.191 "));
  CHECK_THAT(lines[23], StartsWith("  and 191 more "));
  // 10 x (0 + .. + 190) packets of 100 bytes.
  CHECK_THAT(lines[23], Contains(" 181 k ") && Contains(" 145 M"));
}

TEST_CASE("rows that services do not need are the backends', and the other way round") {
  observe::Status few = many(40, 1);
  few.services.resize(2);
  const auto backends = Watched(few, later(few, seconds(1))).screen({80, 30});
  CHECK(backends.size() == 30);
  CHECK_THAT(backends[29], StartsWith("  and 22 more"));
  few = many(40, 1);
  few.pools.resize(3);
  const auto services = Watched(few, later(few, seconds(1))).screen({80, 30});
  CHECK(services.size() == 30);
  CHECK_THAT(services[24], StartsWith("  and 23 more"));
  CHECK_THAT(services[29], StartsWith("  10.200.100.2 "));
}

TEST_CASE("a first document shows what there is, and no rates") {
  Watched watched(example_status(), example_status());
  Scene scene = watched.scene();
  scene.before = nullptr;
  const std::string screen = joined_lines(watch_screen(scene, {}, {}));
  CHECK_THAT(screen,
             Contains("\npackets/s: in -, out -, dropped -\ndrops/s: -\nflows: - new/s, 24 "));
  CHECK_THAT(screen, Contains("  tcp 198.51.100.1:80  web   healthy          -      -      -\n"));
  CHECK_THAT(screen, Contains("  10.0.0.1  blue  up, 40 %             -      -        -      -\n"));
}

TEST_CASE("behind a restart the screen shows the new daemon, without rates") {
  observe::Status restarted = example_status();
  restarted.pid = 4712;
  restarted.uptime = seconds(1);
  restarted.services[0].packets = 0;
  const std::string screen = joined_lines(Watched(a_second_later(), restarted).screen());
  CHECK_THAT(screen, StartsWith("guidewayd 0.1.0 on lb1: ready, up 1s, generation 7"));
  CHECK_THAT(screen, Contains("\npackets/s: in -, out -, dropped -\n"));
}

TEST_CASE("a daemon that cannot be reached is said to be, and rates are not made up") {
  Watched watched(example_status(), a_second_later());
  Scene scene = watched.scene();
  scene.silence = Silence{seconds(12), "connecting to /s: Connection refused"};
  const auto lines = watch_screen(scene, {}, {});
  CHECK(lines[0] ==
        "guidewayd cannot be reached since 12 s (lb1): connecting to /s: Connection ref..");
  CHECK(lines[2] == "packets/s: in -, out -, dropped -");
  CHECK_THAT(joined_lines(lines), Contains("  10.0.0.1  blue "));
}

TEST_CASE("the last reload is there, and red if it has failed") {
  observe::Status status = a_second_later();
  status.reloads = {.succeeded = 3, .failed = 1, .last_succeeded = true, .last_unix_seconds = 60};
  CHECK(Watched(example_status(), status).screen()[1] ==
        "last reload: succeeded at 1970-01-01T00:01:00Z; 3 succeeded, 1 failed");
  status.reloads.last_succeeded = false;
  CHECK_THAT(Watched(example_status(), status).screen({}, Palette(true))[1],
             StartsWith("last reload: \33[31mfailed\33[0m at "));
}

TEST_CASE("on a screen, too, up is green, down is red and drained is yellow") {
  const Palette palette(true);
  observe::Status now = a_second_later();
  now.ready = false;
  now.services[1].healthy = false;
  now.pools[0].backends[0].weight_percent = 100;
  const std::string screen = joined_lines(Watched(example_status(), now).screen({}, palette));
  CHECK_THAT(screen, Contains(palette.bad("not ready")) && Contains(palette.good("healthy")) &&
                         Contains(palette.bad("unhealthy")) && Contains(palette.good("up") + " ") &&
                         Contains(palette.bad("down")) &&
                         Contains(palette.caution("up, drained")) &&
                         Contains(palette.caution("dropped 10")) && Contains("\33[31mtrouble: ") &&
                         Contains("\33[1m  backend "));
}

TEST_CASE("the pools that are asked for are shown, and troubles of these only") {
  observe::Status before = many(3, 1), now = later(many(3, 11), seconds(1));
  now.pools[0].backends[0].health = "down";
  Watched watched(before, now);
  watched.pools = {"pool-1", "pool-2"};
  const std::string screen = joined_lines(watched.screen());
  CHECK_THAT(screen, Contains("10.200.100.1 ") && Contains("10.200.100.2 ") &&
                         !Contains("10.200.100.0") && !Contains("trouble"));
}

TEST_CASE("an interface that has lost its program is a trouble") {
  observe::Status now = a_second_later();
  now.interfaces[0].attachment = "lost";
  CHECK_THAT(Watched(example_status(), now).screen()[5],
             StartsWith("trouble: interface eth1 has lost the XDP program; "));
}

TEST_CASE("a worker that stands still is a trouble") {
  observe::Status now = a_second_later();
  now.interfaces[0].queues[1].stalled = seconds(75);
  CHECK_THAT(Watched(example_status(), now).screen()[5],
             StartsWith("trouble: the worker of eth1 queue 1 has stood still for 1m 15s; "));
}

TEST_CASE("a daemon that has nothing yet is shown as that") {
  observe::Status status;
  status.node = "lb1";
  const auto lines = Watched(status, later(status, seconds(1))).screen();
  CHECK_THAT(lines[0], StartsWith("guidewayd - on lb1: not ready, up 1s"));
  CHECK(lines[4] == "flows: 0 new/s, 0 of 0 remembered (-)");
  CHECK(lines[6] == "  service  name  health  packets/s  bit/s  share");
}

TEST_CASE("only the lines that have changed are painted again") {
  CHECK(repaint({}, {"a", "b"}) == "\33[1;1H\33[Ka\33[2;1H\33[Kb");
  CHECK(repaint({"a", "b", "c"}, {"a", "x", "c"}) == "\33[2;1H\33[Kx");
  CHECK(repaint({"a", "b", "c"}, {"a"}) == "\33[2;1H\33[K\33[3;1H\33[K");
  CHECK(repaint({"a"}, {"a"}).empty());
}

}  // namespace
}  // namespace guideway::cli
