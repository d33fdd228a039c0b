// The tunnel for probes, in the kernel itself: what leaves it, and that connections work through
// it.
#include "control/tunnel.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "integration/tunnel/world.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/patience.h"

namespace guideway::control {
namespace {

using namespace testing;

TEST_CASE("a SYN arrives as GRE with the outer addresses of source and backend, untouched inside") {
  NEEDS_TUNNEL();
  World world;
  // What the kernel hands to the device, as seen before the tunnel reads it.
  const UniqueFd tap(
      ::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)));
  sockaddr_ll device{};
  device.sll_family = AF_PACKET;
  device.sll_protocol = htons(ETH_P_ALL);
  device.sll_ifindex = static_cast<int>(::if_nametoindex("gwprobe0"));
  REQUIRE(::bind(tap.get(), reinterpret_cast<const sockaddr*>(&device), sizeof device) == 0);

  const UniqueFd socket = world.socket(SOCK_STREAM, kOne);
  begin_to_connect(socket, 80);
  const Tunnelled packet = world.packets_from(local_port(socket)).front();

  const Ipv4Header outer = ip_header(packet.outer);
  CHECK(outer.version_and_length == 0x45);
  CHECK(outer.protocol == kProtocolGre);
  CHECK(outer.time_to_live == 64);
  CHECK(outer.fragment.host() == kIpv4DontFragment);
  CHECK(outer.total_length.host() == 24 + packet.inner.size());
  CHECK(Ipv4Address(outer.source) == kSource);
  CHECK(Ipv4Address(outer.destination) == kOne);
  CHECK(test::to_hex(std::span(packet.outer).subspan(20)) == "00000800");

  const Ipv4Header inner = ip_header(packet.inner);
  CHECK(Ipv4Address(inner.source) == kSource);
  CHECK(Ipv4Address(inner.destination) == kVip);
  CHECK(inner.protocol == kProtocolTcp);
  REQUIRE(packet.inner.size() >= 40);
  CHECK(packet.inner[33] == std::byte{kTcpSyn});

  bool same = false;
  std::array<std::byte, 2048> seen;
  for (ssize_t bytes = 0; !same && bytes >= 0;) {
    bytes = ::recv(tap.get(), seen.data(), seen.size(), 0);
    same = bytes >= 0 &&
           std::ranges::equal(std::span(seen).first(static_cast<std::size_t>(bytes)), packet.inner);
  }
  CHECK(same);
  CHECK(world.tunnel->counts().sent >= 1);
}

TEST_CASE("sockets to the same VIP go each to its own backend") {
  NEEDS_TUNNEL();
  World world;
  const int type = GENERATE(SOCK_STREAM, SOCK_DGRAM);
  std::vector<UniqueFd> sockets;
  for (int i = 0; i < 20; ++i) sockets.push_back(world.socket(type, i % 2 == 0 ? kOne : kTwo));
  for (const UniqueFd& socket : sockets) {
    if (type == SOCK_STREAM)
      begin_to_connect(socket, 80);
    else
      send_datagram(socket, "well?");
  }
  for (std::size_t i = 0; i < sockets.size(); ++i)
    for (const Tunnelled& packet : world.packets_from(local_port(sockets[i]))) {
      CHECK(Ipv4Address(ip_header(packet.outer).destination) == (i % 2 == 0 ? kOne : kTwo));
      CHECK(Ipv4Address(ip_header(packet.inner).destination) == kVip);
    }
}

TEST_CASE("an HTTP question through the tunnel is answered by who has the VIP") {
  NEEDS_TUNNEL();
  World world;
  const FarServer server(world.hosts, SOCK_STREAM, 80, [](int client) {
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && ::recv(client, &byte, 1, 0) == 1) request += byte;
    const std::string body = std::string(10'000, '.') + "well";
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
  });
  probe::HttpQuestion http;
  http.path = "/" + std::string(4000, 'x');  // more than one packet
  http.body = "well";
  const probe::Answer answer = world.ask({.kind = http, .port = 80}, kTwo);
  INFO(answer.why);
  CHECK(answer.passed);
  for (const Tunnelled& packet : world.far.seen()) {
    CHECK(Ipv4Address(ip_header(packet.outer).destination) == kTwo);
    CHECK(packet.inner.size() + packet.outer.size() <= 1500);
  }
}

TEST_CASE(
    "a TCP question through the tunnel ends with a reset, which gets to the backend as well") {
  NEEDS_TUNNEL();
  World world;
  std::atomic<int> end{-1};
  const FarServer server(world.hosts, SOCK_STREAM, 80, [&](int client) {
    char byte = 0;
    end = ::recv(client, &byte, 1, 0) < 0 ? errno : 0;
  });
  const probe::Answer answer = world.ask({.kind = probe::TcpQuestion{}, .port = 80}, kOne);
  CHECK(answer.why == "connected");
  CHECK(world.eventually([&] { return end != -1; }));
  CHECK(end == ECONNRESET);
}

TEST_CASE("a port of the VIP that nobody listens at is refused by the backend") {
  NEEDS_TUNNEL();
  World world;
  const probe::Answer answer = world.ask({.kind = probe::TcpQuestion{}, .port = 80}, kOne);
  CHECK(answer.why == "connection refused");
}

TEST_CASE("a datagram through the tunnel is answered by who has the VIP") {
  NEEDS_TUNNEL();
  World world;
  const FarServer server(world.hosts, SOCK_DGRAM, 53, [](int socket) {
    std::array<char, 2048> datagram;
    sockaddr_in client{};
    socklen_t size = sizeof client;
    auto* from = reinterpret_cast<sockaddr*>(&client);
    const ssize_t bytes = ::recvfrom(socket, datagram.data(), datagram.size(), 0, from, &size);
    const std::string answer =
        bytes == 1000 && ntohl(client.sin_addr.s_addr) == kSource.host() ? "well" : "who?";
    ::sendto(socket, answer.data(), answer.size(), 0, from, size);
  });
  probe::UdpQuestion udp;
  udp.payload = std::string(1000, 'u');
  udp.expected = "well";
  const probe::Answer answer = world.ask({.kind = udp, .port = 53}, kOne);
  INFO(answer.why);
  CHECK(answer.passed);
}

TEST_CASE("a megabyte through the tunnel arrives whole") {
  NEEDS_TUNNEL();
  World world;
  std::string sent(1 << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>('a' + i * i % 23);
  std::string received;
  FarServer server(world.hosts, SOCK_STREAM, 80, [&](int client) {
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t bytes = ::recv(client, buffer.data(), buffer.size(), 0);
      if (bytes <= 0) return;
      received.append(buffer.data(), static_cast<std::size_t>(bytes));
    }
  });
  const UniqueFd socket = world.socket(SOCK_STREAM, kOne);
  begin_to_connect(socket, 80);
  std::size_t done = 0;
  CHECK(world.eventually([&] {
    const ssize_t bytes =
        ::send(socket.get(), sent.data() + done, sent.size() - done, MSG_NOSIGNAL);
    if (bytes > 0) done += static_cast<std::size_t>(bytes);
    return done == sent.size();
  }));
  ::shutdown(socket.get(), SHUT_WR);
  char byte = 0;
  CHECK(world.eventually([&] { return ::recv(socket.get(), &byte, 1, 0) == 0; }));
  server.join();
  CHECK(received == sent);
  CHECK(world.tunnel->counts().sent > 64);
}

TEST_CASE("another source is that of sockets that enter from then on") {
  NEEDS_TUNNEL();
  World world;
  const UniqueFd before = world.socket(SOCK_DGRAM, kOne);
  world.tunnel->set_source(kOtherSource);
  const UniqueFd after = world.socket(SOCK_DGRAM, kOne);
  send_datagram(before, "well?");
  send_datagram(after, "well?");
  const Tunnelled old_packet = world.packets_from(local_port(before)).front();
  const Tunnelled new_packet = world.packets_from(local_port(after)).front();
  for (const auto& [packet, source] :
       {std::pair(old_packet, kSource), std::pair(new_packet, kOtherSource)}) {
    CHECK(Ipv4Address(ip_header(packet.outer).source) == source);
    CHECK(Ipv4Address(ip_header(packet.inner).source) == source);
  }
}

TEST_CASE("a source that is no address of this host is an error that says so") {
  NEEDS_TUNNEL();
  World world;
  world.tunnel->set_source(ip("203.0.113.9"));
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto entered = world.tunnel->enter(socket.get(), Protocol::udp, kOne);
  REQUIRE_FALSE(entered.has_value());
  CHECK(entered.error().text() ==
        "entering the tunnel to 10.77.0.2: binding to 203.0.113.9: Cannot assign requested address "
        "(encapsulation.source must be an address of this host)");
}

TEST_CASE("what comes from a socket that has not entered is refused, and goes nowhere") {
  NEEDS_TUNNEL();
  World world;
  const std::uint64_t before = world.tunnel->counts().refused;
  const UniqueFd stranger(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::uint32_t mark = world.mark();
  REQUIRE(::setsockopt(stranger.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0);
  send_datagram(stranger, "let me in");
  CHECK(world.eventually([&] { return world.tunnel->counts().refused > before; }));
  // One that has entered, behind it: were the other one on its way, it would be there by now.
  const UniqueFd socket = world.socket(SOCK_DGRAM, kOne);
  send_datagram(socket, "well?");
  (void)world.packets_from(local_port(socket));
  const std::uint16_t port = local_port(stranger);
  CHECK(std::ranges::none_of(world.far.seen(), [&](const Tunnelled& packet) {
    return source_port(packet.inner) == port;
  }));
}

TEST_CASE("without traffic of its own a tunnel sends and refuses nothing") {
  NEEDS_TUNNEL();
  World world;
  world.io.run_for(1500ms);  // what the kernel says by itself about a new device
  CHECK(world.tunnel->counts().sent == 0);
  CHECK(world.tunnel->counts().refused == 0);
}

TEST_CASE("a socket without the mark does not go through the tunnel") {
  NEEDS_TUNNEL();
  World world;
  world.hosts.near("route add 198.51.100.1/32 via 10.77.0.2");
  bool direct = false;
  FarServer server(world.hosts, SOCK_DGRAM, 53, [&](int socket) {
    char byte = 0;
    direct = ::recv(socket, &byte, 1, 0) == 1;
  });
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  send_datagram(socket, "well?");
  server.join();
  CHECK(direct);
  world.io.poll();
  CHECK(world.far.seen().empty());
}

TEST_CASE("two tunnels at once do not meet, and one survives the other's end") {
  NEEDS_TUNNEL();
  World world;
  auto other = world.open();
  const UniqueFd by_one = world.socket(SOCK_DGRAM, kOne);
  const UniqueFd by_other = world.socket(SOCK_DGRAM, kTwo, other.get());
  send_datagram(by_one, "well?");
  send_datagram(by_other, "well?");
  const auto destination = [&](const UniqueFd& socket) {
    return Ipv4Address(ip_header(world.packets_from(local_port(socket)).front().outer).destination);
  };
  CHECK(destination(by_one) == kOne);
  CHECK(destination(by_other) == kTwo);
  CHECK(world.tunnel->counts().sent == 1);
  CHECK(other->counts().sent == 1);
  world.tunnel.reset();
  send_datagram(by_other, "and now?");
  CHECK(world.eventually([&] { return world.far.seen().size() == 3; }));
  CHECK(other->counts().sent == 2);
}

TEST_CASE("a tunnel that ends leaves nothing on the loop and in the kernel") {
  NEEDS_TUNNEL();
  World world;
  const UniqueFd socket = world.socket(SOCK_STREAM, kOne);
  begin_to_connect(socket, 80);
  SECTION("before it has read anything") {}
  SECTION("afterwards") { (void)world.packets_from(local_port(socket)); }
  world.tunnel.reset();
  CHECK(world.hosts.near_output("rule show").find("0x67000") == std::string::npos);
  CHECK(world.hosts.near_output("-o link show").find("gwprobe") == std::string::npos);
  const auto deadline = Clock::now() + test::patient(20s);
  while (!world.io.stopped() && Clock::now() < deadline) world.io.run_one_for(10ms);
  CHECK(world.io.stopped());
}

TEST_CASE("a device that somebody deletes makes entering fail, and does not keep the loop busy") {
  NEEDS_TUNNEL();
  World world;
  world.io.run_for(50ms);
  world.hosts.near("link del gwprobe0");
  CHECK(world.io.run_for(200ms) < 100);
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto entered = world.tunnel->enter(socket.get(), Protocol::udp, kOne);
  REQUIRE_FALSE(entered.has_value());
  CHECK(entered.error().text() ==
        "entering the tunnel to 10.77.0.2: the device gwprobe0 is gone (it is made anew within a "
        "second)");
  CHECK_FALSE(world.tunnel->look_after());
}

TEST_CASE("a rule, a route or a device's state that somebody takes away comes back") {
  NEEDS_TUNNEL();
  World world;
  const auto rules = world.hosts.near_output("rule show");
  const auto routes = world.hosts.near_output("route show table all dev gwprobe0");
  REQUIRE(rules.find("0x67000") != std::string::npos);
  REQUIRE(routes.find("default") != std::string::npos);
  SECTION("the rule") { world.hosts.near("rule del pref 30000"); }
  SECTION("the route") { world.hosts.near("route flush table all dev gwprobe0"); }
  SECTION("the device set down, which takes its route, too") {
    world.hosts.near("link set gwprobe0 down");
  }
  SECTION("nothing") {}
  CHECK(world.tunnel->look_after());
  CHECK(world.hosts.near_output("rule show") == rules);
  const auto now = world.hosts.near_output("route show table all dev gwprobe0");
  CHECK(now.find("default") != std::string::npos);
  const UniqueFd socket = world.socket(SOCK_STREAM, kOne);
  begin_to_connect(socket, 80);
  CHECK_FALSE(world.packets_from(local_port(socket)).empty());
}

}  // namespace
}  // namespace guideway::control
