#include "cli/pool_view.h"

#include <boost/json/parse.hpp>

#include "example_status.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;

std::string backends(const observe::Status& status) {
  return backends_text(observe::pools_to_json(status)).value();
}

TEST_CASE("services are shown with their health") {
  observe::Status status = example_status();
  status.services[1].healthy = false;
  CHECK(services_text(observe::services_to_json(status)).value() ==
        R"(services
  service  address              pool  health     packets     bytes
  web      tcp 198.51.100.1:80  blue  healthy       1080  108.0 kB
  dns      udp 198.51.100.1:53  blue  unhealthy        0       0 B
)");
  CHECK(services_text(R"({"services":[]})").value() == "services: none\n");
}

TEST_CASE("backends are shown with their health and a line for each check") {
  CHECK(backends(example_status()) ==
        R"(pool blue: healthy, 2 of 3 backends healthy, 1 needed
  table of 65537 entries, digest fedcba987654
  backend     weight  health                          for  usable    table  went up  went down  next hop
  10.0.0.1  3 (40 %)  up                       1h 00m 00s  yes     100.0 %        1          0  resolved, eth1
  10.9.0.2         1  down                         1m 00s  no        0.0 %        1          1  resolving, eth1 via 10.0.0.254
  10.9.0.3         1  up, drained by operator  1h 00m 00s  yes       0.0 %        1          0  no route

  backend   check                       state  passed  failed    took  last answer
  10.0.0.1  http port 80 path /healthz  up       1860       0  1.2 ms  status 200
  10.9.0.2  http port 80 path /healthz  down       12      31  1.2 ms  status 503
  10.9.0.3  http port 80 path /healthz  up       1860       0  1.2 ms  status 200
)");
}

TEST_CASE("pools are a line apart, and none is said") {
  observe::Status status = example_status();
  status.pools.push_back(empty_pool("red"));
  CHECK_THAT(backends(status), Contains("status 200\n\npool red: "));
  CHECK(backends_text(R"({"pools":[]})").value() == "pools: none\n");
}

TEST_CASE("a check that has no answer yet shows none, and a pool without checks says so") {
  observe::Status status = example_status();
  status.pools[0].backends.resize(1);
  status.pools[0].backends[0].checks[0].last.clear();
  CHECK_THAT(backends(status), Contains("1860       0     -  no answer yet\n"));
  status.pools[0].backends[0].checks.clear();
  CHECK_THAT(backends(status), Contains("resolved, eth1\n  no checks\n"));
}

TEST_CASE("a pool none of whose backends is usable says what happens to its flows") {
  observe::Status status = example_status();
  status.pools[0].empty = true;
  status.pools[0].healthy = false;
  status.pools[0].healthy_backends = 0;
  CHECK_THAT(backends(status),
             Contains("pool blue: unhealthy, 0 of 3 backends healthy, 1 needed\n") &&
                 Contains("  no backend is usable: new flows are dropped (on_empty: drop)\n"));
  status.pools[0].on_empty = "all";
  CHECK_THAT(backends(status),
             Contains("  no backend is usable: each counts as if it were (on_empty: all)\n"));
}

TEST_CASE("an earlier daemon's pool is shown without the health that it does not know") {
  const auto pool =
      json::parse(R"({"name":"p","table_size":7,"backends":[{"address":"10.0.0.1"}]})");
  CHECK_THAT(pool_traffic(pool.as_object()), Contains("pool p\n  table of 7 entries\n"));
  CHECK_THAT(pool_health(pool.as_object()), !Contains("%)") && Contains("  no checks\n"));
}

TEST_CASE("one pool is picked out by its name") {
  const std::string document =
      R"({"pools":[{"name":"a","table_size":7},{"name":"b c","table_size":11}]})";
  CHECK(only_pool(document, "b c").value() == R"({"pools":[{"name":"b c","table_size":11}]})");
  CHECK(only_pool(document, "b").error().text() == "no pool is called \"b\" (there are: a, b c)");
  CHECK(only_pool(R"({"pools":[]})", "b\x1b").error().text() ==
        "no pool is called \"b?\" (there is none)");
}

TEST_CASE("what has neither services nor pools is an error") {
  for (const char* other : {"", "{", "[]", "{}", R"({"services":1,"pools":{}})"}) {
    INFO(other);
    const auto services = services_text(other);
    REQUIRE_FALSE(services);
    CHECK_THAT(services.error().text(), Contains("reading the services of guidewayd: "));
    for (const auto& pools : {backends_text(other), only_pool(other, "a")}) {
      REQUIRE_FALSE(pools);
      CHECK_THAT(pools.error().text(), Contains("reading the backends of guidewayd: "));
    }
  }
}

}  // namespace
}  // namespace guideway::cli
