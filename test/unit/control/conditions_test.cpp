// Which services count as well when it is decided what routers are told.
#include "control/conditions.h"

#include <map>

#include "health_support.h"

namespace guideway::control::testing {
namespace {

constexpr auto kUp = Standing{.weight = 1, .usable = true};
constexpr auto kDown = Standing{.weight = 0, .usable = false};

struct Fleet {
  Model model = model_of({pool_of("web", {kOne, kTwo, kThree}), pool_of("mail", {kOne})});
  std::vector<PoolStanding> standings{{.backends = {kUp, kUp, kUp}, .healthy = 3, .empty = false},
                                      {.backends = {kUp}, .healthy = 1, .empty = false}};
  std::map<Ipv4Address, NextHop> hops;

  Fleet() {
    for (const Ipv4Address address : {kOne, kTwo, kThree})
      hops[address].state = NextHop::State::resolved;
    add("web-service", "198.51.100.1", 0);
    add("mail-service", "198.51.100.2", 1);
  }
  void add(const char* name, const char* vip, std::size_t pool) {
    ServiceConfig service;
    service.name = name;
    service.vip = ip(vip);
    service.pool = pool;
    model.services.push_back(std::move(service));
  }
  [[nodiscard]] FindNextHop find() const {
    return [this](Ipv4Address address) {
      const auto found = hops.find(address);
      return found == hops.end() ? nullptr : &found->second;
    };
  }
  [[nodiscard]] std::vector<bgp::ServiceCondition> conditions() const {
    Reachability reachability;
    reachability.look(model, find(), {});
    return service_conditions(model, standings, reachability);
  }
};

TEST_CASE("services are told of in the order of the file, with their VIPs", "[conditions]") {
  const auto conditions = Fleet().conditions();
  REQUIRE(conditions.size() == 2);
  CHECK(conditions[0].service == "web-service");
  CHECK(conditions[0].vip.to_string() == "198.51.100.1");
  CHECK(conditions[0].good);
  CHECK(conditions[0].why.empty());
  CHECK(conditions[1].service == "mail-service");
  CHECK(conditions[1].vip.to_string() == "198.51.100.2");
}

TEST_CASE("a pool with fewer backends than min_healthy makes its services unwell, and says so",
          "[conditions]") {
  Fleet fleet;
  fleet.model.pools[0].min_healthy = 2;
  fleet.standings[0].backends = {kUp, kUp, kDown};
  CHECK(fleet.conditions()[0].good);
  fleet.standings[0].backends = {kUp, kDown, kDown};
  const auto conditions = fleet.conditions();
  CHECK_FALSE(conditions[0].good);
  CHECK(conditions[0].why == "pool web: 1 of 3 backends usable, 2 needed");
  CHECK(conditions[1].good);
}

TEST_CASE("a backend whose next hop is not resolved does not count", "[conditions]") {
  Fleet fleet;
  fleet.hops[kOne].state = NextHop::State::failed;
  const auto conditions = fleet.conditions();
  CHECK(conditions[0].good);
  CHECK_FALSE(conditions[1].good);
  CHECK(conditions[1].why == "pool mail: 0 of 1 backends usable, 1 needed (1 without a next hop)");
  fleet.hops.erase(kTwo);
  fleet.model.pools[0].min_healthy = 2;
  CHECK(fleet.conditions()[0].why ==
        "pool web: 1 of 3 backends usable, 2 needed (2 without a next hop)");
}

TEST_CASE("an empty pool is unwell although on_empty gives its backends flows", "[conditions]") {
  Fleet fleet;
  fleet.standings[1] = {.backends = {kUp}, .healthy = 0, .empty = true};
  CHECK_FALSE(fleet.conditions()[1].good);
}

TEST_CASE("with min_healthy 0 a pool is always well", "[conditions]") {
  Fleet fleet;
  fleet.model.pools[1].min_healthy = 0;
  fleet.standings[1] = {.backends = {kDown}, .healthy = 0, .empty = true};
  CHECK(fleet.conditions()[1].good);
}

TEST_CASE("a neighbour that is asked for anew has a moment to answer, and no more",
          "[conditions]") {
  using State = NextHop::State;
  Fleet fleet;
  Reachability reachability;
  Reachability::Time now{};
  const auto reached_when = [&](State state, std::chrono::milliseconds later) {
    fleet.hops[kOne].state = state;
    now += later;
    reachability.look(fleet.model, fleet.find(), now);
    return reachability.reaches(kOne);
  };
  // One that has never answered is not reached yet.
  CHECK_FALSE(reached_when(State::resolving, 0ms));
  CHECK(reached_when(State::resolved, 1ms));
  CHECK(reached_when(State::resolving, 5000ms));
  CHECK(reached_when(State::resolving, 999ms));
  CHECK_FALSE(reached_when(State::resolving, 1ms));
  CHECK_FALSE(reached_when(State::resolving, 1ms));
  // It has it anew once it has answered.
  CHECK(reached_when(State::resolved, 1ms));
  CHECK(reached_when(State::resolving, 1ms));
  CHECK(reached_when(State::resolved, 900ms));
  CHECK(reached_when(State::resolving, 900ms));
  // What is known to fail has no time at all.
  for (const State state : {State::failed, State::device_down, State::no_route}) {
    CHECK(reached_when(State::resolved, 1ms));
    CHECK_FALSE(reached_when(state, 1ms));
    CHECK_FALSE(reached_when(State::resolving, 1ms));
  }
}

TEST_CASE("only a backend that would take flows is waited for", "[conditions]") {
  Fleet fleet;
  CHECK_FALSE(any_resolving(fleet.model, fleet.standings, fleet.find()));
  fleet.hops[kThree].state = NextHop::State::resolving;
  CHECK(any_resolving(fleet.model, fleet.standings, fleet.find()));
  fleet.standings[0].backends[2] = kDown;
  CHECK_FALSE(any_resolving(fleet.model, fleet.standings, fleet.find()));
  fleet.hops[kThree].state = NextHop::State::failed;
  fleet.standings[0].backends[2] = kUp;
  CHECK_FALSE(any_resolving(fleet.model, fleet.standings, fleet.find()));
}

}  // namespace
}  // namespace guideway::control::testing
