// Next hops against the kernel itself: real devices, routes and neighbours in network namespaces.
#include "control/routes.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <set>
#include <string>

#include "integration/routes/lab.h"
#include "support/catch.h"
#include "support/patience.h"

#define NEEDS_LAB()                                                        \
  if (const std::string problem = test::lab_problem(); !problem.empty()) { \
    std::cout << "SKIP: " << problem << std::endl;                         \
    return;                                                                \
  }

namespace guideway::control {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using State = NextHop::State;

Ipv4Address ip(const char* text) { return Ipv4Address::parse(text).value(); }

std::vector<Ipv4Address> addresses_from(const char* first, std::uint32_t count) {
  std::vector<Ipv4Address> result;
  for (std::uint32_t i = 0; i < count; ++i) result.emplace_back(Be32(ip(first).host() + i));
  return result;
}

// A lab with an io_context, and the next hops under test once they are opened.
struct World {
  test::Lab lab;
  boost::asio::io_context io;
  int changes = 0;                  // calls of the listener
  std::function<void()> on_change;  // what the listener does besides
  std::unique_ptr<Routes> routes;

  void open(std::size_t buffer_bytes = Routes::kNotificationBufferBytes) {
    auto opened = Routes::open(
        io,
        [this] {
          ++changes;
          if (on_change) on_change();
        },
        buffer_bytes);
    REQUIRE(opened.has_value());
    routes = std::move(*opened);
  }
  void watch(const std::vector<Ipv4Address>& addresses, Ipv4Address source = {}) {
    if (routes == nullptr) open();
    const auto watched = routes->watch(addresses, source);
    INFO((watched ? "" : watched.error().text()));
    REQUIRE(watched.has_value());
  }

  // Runs the io_context until `condition` holds; false when that took too long.
  template <class Condition>
  bool eventually(const Condition& condition, Clock::duration time = 20s) {
    const auto deadline = Clock::now() + test::patient(time);
    while (!condition()) {
      if (Clock::now() > deadline) return false;
      io.run_one_for(10ms);
    }
    return true;
  }
  void run_for(Clock::duration time) { io.run_for(time); }

  const NextHop& hop(const char* address) const {
    const NextHop* found = routes->find(ip(address));
    REQUIRE(found != nullptr);
    return *found;
  }
  bool becomes(const char* address, State state) {
    const bool did = eventually([&] { return hop(address).state == state; });
    UNSCOPED_INFO(address << " is: " << name(hop(address).state));
    return did;
  }
  bool has_mac(const char* address, const std::string& mac) {
    return eventually(
        [&] { return hop(address).state == State::resolved && hop(address).mac.text() == mac; });
  }
  // What the kernel's neighbour table says of an address.
  bool kernel_says(const char* address, const char* state) const {
    return lab.near_output(std::string("neigh show ") + address).find(state) != std::string::npos;
  }
  // The MAC address of a device in "far", set so that a test knows it.
  std::string far_mac(int pair, int last) {
    const std::string mac = "02:00:00:0" + std::to_string(pair) + ":00:0" + std::to_string(last);
    lab.far("link set far" + std::to_string(pair) + " address " + mac);
    return mac;
  }
};

TEST_CASE("An address on the link is resolved without anybody naming a MAC address") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  const std::string mac = world.far_mac(0, 2);
  world.lab.near("link set up0 address 02:00:00:00:00:aa");
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  const NextHop& hop = world.hop("10.77.0.2");
  CHECK(hop.mac.text() == mac);
  CHECK(hop.device_mac.text() == "02:00:00:00:00:aa");
  CHECK(hop.device_name == "up0");
  CHECK(hop.device != 0);
  CHECK(hop.mtu == 1500);
  CHECK(hop.via == ip("10.77.0.2"));
  CHECK(world.changes <= 1);  // none, if the neighbour answered before watch() returned
  CHECK(world.routes->find(ip("10.77.0.3")) == nullptr);
}

TEST_CASE("A neighbour that the kernel knows already is resolved when watch() returns") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near("neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev up0 nud stale");
  world.watch({ip("10.77.0.9")});
  CHECK(world.hop("10.77.0.9").state == State::resolved);
  CHECK(world.hop("10.77.0.9").mac.text() == "02:00:00:00:00:09");
}

TEST_CASE("An address behind a gateway has the gateway's MAC address and the route's MTU") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  const std::string mac = world.far_mac(0, 2);
  world.lab.near("route add 172.20.0.0/16 via 10.77.0.2 mtu 1400");
  world.lab.near("route add 172.21.0.0/16 via 10.77.0.2 mtu 9000");
  world.watch({ip("172.20.1.1"), ip("172.21.1.1")});
  REQUIRE(world.has_mac("172.20.1.1", mac));
  CHECK(world.hop("172.20.1.1").via == ip("10.77.0.2"));
  CHECK(world.hop("172.20.1.1").mtu == 1400);
  CHECK(world.hop("172.21.1.1").mtu == 1500);  // more than the device can send is not to be had
}

TEST_CASE("A host without routes at start is followed until it has a default route") {
  NEEDS_LAB();
  World world;
  world.watch({ip("198.51.100.1")});
  CHECK(world.hop("198.51.100.1") == NextHop{});
  world.lab.add_pair(0);
  world.lab.near("route add default via 10.77.0.2");
  REQUIRE(world.becomes("198.51.100.1", State::resolved));
  CHECK(world.hop("198.51.100.1").via == ip("10.77.0.2"));
  world.lab.near("route del default");
  REQUIRE(world.becomes("198.51.100.1", State::no_route));
  CHECK(world.hop("198.51.100.1") == NextHop{});
}

TEST_CASE("Routes that lead to no host are no routes") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near("route add default via 10.77.0.2");
  world.lab.near("route add blackhole 172.20.1.0/24");
  world.lab.near("route add unreachable 172.20.2.0/24");
  world.lab.near("route add prohibit 172.20.3.0/24");
  world.lab.near("address add fd77::1/64 dev up0 nodad");
  world.lab.near("route add 172.20.4.0/24 via inet6 fd77::2 dev up0");
  world.watch({ip("172.20.1.1"), ip("172.20.2.1"), ip("172.20.3.1"), ip("172.20.4.1"),
               ip("10.77.0.1"), ip("10.77.0.255"), ip("172.20.5.1")});
  REQUIRE(world.becomes("172.20.5.1", State::resolved));
  for (const char* address :
       {"172.20.1.1", "172.20.2.1", "172.20.3.1", "172.20.4.1", "10.77.0.1", "10.77.0.255"}) {
    INFO(address);
    CHECK(world.hop(address) == NextHop{});
  }
  world.lab.near("route del blackhole 172.20.1.0/24");
  CHECK(world.becomes("172.20.1.1", State::resolved));
}

TEST_CASE("A device without MAC addresses is no Ethernet") {
  NEEDS_LAB();
  World world;
  world.lab.near("route add 172.20.0.0/16 dev lo");
  world.watch({ip("172.20.0.1")});
  CHECK(world.hop("172.20.0.1").state == State::no_ethernet);
  CHECK(world.hop("172.20.0.1").device_name == "lo");
}

TEST_CASE("A better route wins when it comes, and the other one when it has gone") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.add_pair(1);
  world.lab.near("route add 172.20.0.0/16 via 10.77.0.2");
  world.watch({ip("172.20.1.1")});
  REQUIRE(world.becomes("172.20.1.1", State::resolved));
  CHECK(world.hop("172.20.1.1").device_name == "up0");

  world.lab.near("route add 172.20.1.0/24 via 10.78.0.2");
  REQUIRE(world.eventually([&] { return world.hop("172.20.1.1").device_name == "up1"; }));
  REQUIRE(world.becomes("172.20.1.1", State::resolved));

  world.lab.near("route del 172.20.1.0/24");
  REQUIRE(world.eventually([&] { return world.hop("172.20.1.1").device_name == "up0"; }));
  CHECK(world.becomes("172.20.1.1", State::resolved));
}

TEST_CASE("A nexthop object that is replaced moves the routes that use it") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  // Without this, the kernel also tells of the routes, for who does not know nexthop objects.
  world.lab.near_setting("nexthop_compat_mode", 0);
  world.lab.near("nexthop add id 7 via 10.77.0.2 dev up0");
  world.lab.near("route add 172.20.0.0/16 nhid 7");
  world.watch({ip("172.20.1.1")});
  REQUIRE(world.becomes("172.20.1.1", State::resolved));
  world.lab.near("nexthop replace id 7 via 10.77.0.3 dev up0");
  CHECK(world.eventually([&] { return world.hop("172.20.1.1").via == ip("10.77.0.3"); }));
}

TEST_CASE("Policy rules are followed, those on the source address too") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.add_pair(1);
  world.lab.near("route add default via 10.77.0.2");
  world.lab.near("route add default via 10.78.0.2 table 100");
  world.watch({ip("172.20.1.1")}, ip("10.77.0.1"));
  REQUIRE(world.becomes("172.20.1.1", State::resolved));

  SECTION("a rule on the destination") {
    world.lab.near("rule add to 172.20.0.0/16 lookup 100");
    CHECK(world.eventually([&] { return world.hop("172.20.1.1").device_name == "up1"; }));
    world.lab.near("rule del to 172.20.0.0/16 lookup 100");
    CHECK(world.eventually([&] { return world.hop("172.20.1.1").device_name == "up0"; }));
  }
  SECTION("a rule on our source address") {
    world.lab.near("rule add from 10.77.0.1 lookup 100");
    CHECK(world.eventually([&] { return world.hop("172.20.1.1").device_name == "up1"; }));
    world.watch({ip("172.20.1.1")});
    CHECK(world.hop("172.20.1.1").device_name == "up0");
  }
  SECTION("a source that is no address of this host is not asked with, until it is one") {
    world.lab.near("rule add from 10.77.0.50 lookup 100");
    world.watch({ip("172.20.1.1")}, ip("10.77.0.50"));
    CHECK(world.hop("172.20.1.1").device_name == "up0");
    world.lab.near("address add 10.77.0.50/32 dev up0");
    CHECK(world.eventually([&] { return world.hop("172.20.1.1").device_name == "up1"; }));
  }
}

TEST_CASE("A neighbour that does not answer has failed, steadily, until it answers") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near_setting("neigh/up0/mcast_solicit", 1);
  world.lab.near_setting("neigh/up0/retrans_time_ms", 100);
  world.watch({ip("10.77.0.77")});
  CHECK(world.hop("10.77.0.77").state == State::resolving);
  REQUIRE(world.becomes("10.77.0.77", State::failed));
  CHECK(world.changes == 1);
  // Several more rounds of asking, and the kernel's forgetting, change nothing.
  world.run_for(2500ms);
  world.lab.near("neigh del 10.77.0.77 dev up0");
  world.run_for(1500ms);
  CHECK(world.hop("10.77.0.77").state == State::failed);
  CHECK(world.changes == 1);

  const std::string mac = world.far_mac(0, 7);
  world.lab.far("address add 10.77.0.77/24 dev far0");
  REQUIRE(world.has_mac("10.77.0.77", mac));
  CHECK(world.changes == 2);
}

TEST_CASE("A neighbour that turns stale and is confirmed changes no next hop") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near_setting("neigh/up0/delay_first_probe_time", 1);
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  const int before = world.changes;
  // Stale, delayed, probed, reachable again: the way of each confirmation.
  const std::string mac = world.hop("10.77.0.2").mac.text();
  world.lab.near("neigh change 10.77.0.2 lladdr " + mac + " dev up0 nud stale");
  world.run_for(100ms);
  world.lab.near("neigh change 10.77.0.2 lladdr " + mac + " dev up0 nud probe");
  REQUIRE(world.eventually([&] { return world.kernel_says("10.77.0.2", "REACHABLE"); }));
  world.run_for(200ms);
  CHECK(world.changes == before);
  CHECK(world.hop("10.77.0.2").state == State::resolved);
}

TEST_CASE("A neighbour's MAC address that died unannounced is found out and replaced") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near_setting("neigh/up0/delay_first_probe_time", 1);
  world.lab.near_setting("neigh/up0/retrans_time_ms", 100);
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  // Nobody sends to it, so the kernel leaves it stale: only our confirmation every 15 s can notice.
  world.lab.near("neigh change 10.77.0.2 lladdr " + world.hop("10.77.0.2").mac.text() +
                 " dev up0 nud stale");
  const std::string mac = world.far_mac(0, 8);
  CHECK(world.eventually([&] { return world.hop("10.77.0.2").mac.text() == mac; }, 40s));
}

TEST_CASE("A neighbour that announces another MAC address is followed at once") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  // What the kernel makes of an ARP reply with another address.
  world.lab.near("neigh change 10.77.0.2 lladdr 02:00:00:00:00:99 dev up0 nud reachable");
  CHECK(world.has_mac("10.77.0.2", "02:00:00:00:00:99"));
}

TEST_CASE("A neighbour entry that the operator deletes is found again, and not taken for failed") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  world.run_for(1s);  // what was asked for just now is not asked for again
  std::set<State> seen;
  world.on_change = [&] { seen.insert(world.hop("10.77.0.2").state); };
  world.lab.near("neigh del 10.77.0.2 dev up0");
  REQUIRE(world.eventually([&] { return world.kernel_says("10.77.0.2", "REACHABLE"); }));
  world.run_for(200ms);
  CHECK(world.hop("10.77.0.2").state == State::resolved);
  CHECK(seen.count(State::failed) == 0);
}

TEST_CASE("A permanent entry is taken as it is, and stays permanent") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near("neigh replace 10.77.0.87 lladdr 02:00:00:00:00:87 dev up0 nud permanent");
  world.watch({ip("10.77.0.2"), ip("10.77.0.87"), ip("10.77.0.88")});
  CHECK(world.hop("10.77.0.87").mac.text() == "02:00:00:00:00:87");
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  world.lab.near("neigh replace 10.77.0.2 lladdr 02:00:00:00:00:22 dev up0 nud permanent");
  world.lab.near("neigh replace 10.77.0.88 lladdr 02:00:00:00:00:88 dev up0 nud permanent");
  REQUIRE(world.has_mac("10.77.0.2", "02:00:00:00:00:22"));
  REQUIRE(world.has_mac("10.77.0.88", "02:00:00:00:00:88"));
  world.run_for(2200ms);
  for (const char* address : {"10.77.0.2", "10.77.0.87", "10.77.0.88"})
    CHECK(world.kernel_says(address, "PERMANENT"));
}

TEST_CASE("A device without ARP has nobody to ask, and its next hops are there at once") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near("link set up0 arp off");
  world.watch({ip("10.77.0.2")});
  CHECK(world.hop("10.77.0.2").state == State::resolved);
}

TEST_CASE("A device's new MTU and MAC address are taken over") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  world.lab.near("link set up0 mtu 1300");
  CHECK(world.eventually([&] { return world.hop("10.77.0.2").mtu == 1300; }));
  world.lab.near("link set up0 address 02:00:00:00:00:bb");
  CHECK(world.eventually([&] {
    return world.hop("10.77.0.2").device_mac.text() == "02:00:00:00:00:bb" &&
           world.hop("10.77.0.2").state == State::resolved;
  }));
}

TEST_CASE("A device that loses its carrier is down until it has it again") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  world.lab.far("link set far0 down");
  REQUIRE(world.becomes("10.77.0.2", State::device_down));
  CHECK(world.hop("10.77.0.2").device_name == "up0");
  world.lab.far("link set far0 up");
  CHECK(world.becomes("10.77.0.2", State::resolved));
}

TEST_CASE("A device that is set down or deleted takes its routes along, and gives them back") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.watch({ip("10.77.0.2")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  const std::uint32_t device = world.hop("10.77.0.2").device;
  world.lab.near("link set up0 down");
  REQUIRE(world.becomes("10.77.0.2", State::no_route));
  world.lab.near("link set up0 up");
  REQUIRE(world.becomes("10.77.0.2", State::resolved));

  world.lab.near("link del up0");
  REQUIRE(world.becomes("10.77.0.2", State::no_route));
  world.lab.add_pair(0);
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  CHECK(world.hop("10.77.0.2").device != device);
}

TEST_CASE("Lost notifications lead to everything being asked for anew") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near("route add 172.20.0.0/16 via 10.77.0.2");
  world.lab.near("neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev up0 nud permanent");
  world.lab.near("neigh replace 10.77.0.9 lladdr 02:00:00:00:00:09 dev up0 nud permanent");
  world.open(4096);
  world.watch({ip("172.20.1.1"), ip("172.20.2.1")});
  REQUIRE(world.hop("172.20.1.1").state == State::resolved);

  // While nobody reads, the first of these fill the buffer. What matters comes last and is lost.
  std::string burst;
  for (int i = 0; i < 500; ++i)
    burst += "route add 172.30." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
             "/32 via 10.77.0.2\n";
  burst += "link set up0 mtu 1350\n";
  burst += "neigh replace 10.77.0.2 lladdr 02:00:00:00:00:92 dev up0 nud permanent\n";
  burst += "neigh replace 10.77.0.9 lladdr 02:00:00:00:00:99 dev up0 nud permanent\n";
  burst += "route add 172.20.2.0/24 via 10.77.0.9\n";
  world.lab.near_batch(burst);

  CHECK(world.has_mac("172.20.1.1", "02:00:00:00:00:92"));
  CHECK(world.has_mac("172.20.2.1", "02:00:00:00:00:99"));
  CHECK(world.hop("172.20.1.1").mtu == 1350);
  // And it hears of what comes afterwards.
  world.lab.near("neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev up0 nud permanent");
  CHECK(world.has_mac("172.20.1.1", "02:00:00:00:00:02"));
}

TEST_CASE("Addresses that are no longer watched are not found, those that stay are as they were") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.watch({ip("10.77.0.2"), ip("10.77.0.3")});
  REQUIRE(world.becomes("10.77.0.2", State::resolved));
  REQUIRE(world.becomes("10.77.0.3", State::resolved));
  const int before = world.changes;
  world.watch({ip("10.77.0.3"), ip("10.77.0.3"), ip("203.0.113.1")});
  CHECK(world.routes->find(ip("10.77.0.2")) == nullptr);
  CHECK(world.hop("10.77.0.3").state == State::resolved);
  CHECK(world.hop("203.0.113.1").state == State::no_route);
  world.run_for(100ms);
  CHECK(world.changes == before);
}

TEST_CASE("A burst of changes is one round for the listener") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near("neigh replace 10.77.0.9 lladdr 02:00:00:00:00:09 dev up0 nud permanent");
  const auto addresses = addresses_from("172.20.0.0", 200);
  world.watch(addresses);
  std::string burst;
  for (const Ipv4Address address : addresses)
    burst += "route add " + address.text() + "/32 via 10.77.0.9\n";
  world.lab.near_batch(burst);
  REQUIRE(world.becomes("172.20.0.199", State::resolved));
  world.run_for(200ms);
  CHECK(world.changes == 1);
}

TEST_CASE("Ten thousand addresses are looked up in little time, and again when a route changes") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.lab.near("neigh replace 10.77.0.9 lladdr 02:00:00:00:00:09 dev up0 nud permanent");
  world.lab.near("neigh replace 10.77.0.10 lladdr 02:00:00:00:00:10 dev up0 nud permanent");
  world.lab.near("route add 172.16.0.0/12 via 10.77.0.9");
  const auto addresses = addresses_from("172.20.0.0", 10'000);
  const auto begin = Clock::now();
  world.watch(addresses);
  const auto watched = Clock::now();
  CHECK(watched - begin < test::patient(5s));
  for (const Ipv4Address address : addresses)
    if (world.routes->find(address)->state != State::resolved) FAIL(address.text());

  world.lab.near("route replace 172.16.0.0/12 via 10.77.0.10");
  const auto replaced = Clock::now();
  REQUIRE(world.has_mac("172.20.39.15", "02:00:00:00:00:10"));
  const auto followed = Clock::now();
  for (const Ipv4Address address : addresses)
    if (world.routes->find(address)->via != ip("10.77.0.10")) FAIL(address.text());
  CHECK(world.changes == 1);
  const auto ms = [](auto time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
  };
  std::cout << "10000 addresses: open and watch " << ms(watched - begin).count()
            << " ms, route change followed after " << ms(followed - replaced).count() << " ms\n";
}

TEST_CASE("The listener may end the watching, and nobody is called after it ended") {
  NEEDS_LAB();
  World world;
  world.lab.add_pair(0);
  world.on_change = [&] { world.routes.reset(); };
  world.watch({ip("10.77.0.2"), ip("172.20.1.1")});
  world.lab.near("route add 172.20.0.0/16 via 10.77.0.2");
  REQUIRE(world.eventually([&] { return world.routes == nullptr; }));
  world.lab.near("link set up0 down");
  world.io.restart();
  world.run_for(100ms);
  CHECK(world.changes == 1);
}

}  // namespace
}  // namespace guideway::control
