// The decision table of bpf/README.md, row by row, through the kernel's own BPF_PROG_TEST_RUN.
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>

#include <array>
#include <random>

#include "bpf/program.h"
#include "core/unique_fd.h"
#include "steer.skel.h"
#include "support/frame_builder.h"
#include "xdp/steer_verdict.h"
#include "xdp/steering.h"

namespace guideway::test {
namespace {

constexpr std::uint16_t kArp = 0x0806, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8,
                        kLldp = 0x88cc;

// The program with 198.51.100.1 tcp/80 and udp/53 as services, and a socket on queue 0 on request.
class Steer {
 public:
  Steer() : skeleton_(steer_bpf__open_and_load()) {
    REQUIRE(skeleton_ != nullptr);
    const gw_vip_value value{};
    for (const gw_vip_key& key : xdp::vip_entries(
             {{ip("198.51.100.1"), 80, Protocol::tcp}, {ip("198.51.100.1"), 53, Protocol::udp}}))
      REQUIRE(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.vips), &key, &value, BPF_ANY) == 0);
  }
  ~Steer() { steer_bpf__destroy(skeleton_); }
  Steer(const Steer&) = delete;
  Steer& operator=(const Steer&) = delete;

  void put_socket_on_queue_0() {
    socket_ = UniqueFd(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    REQUIRE(socket_.valid());
    const int descriptors = 64;  // the map takes only sockets that can receive
    REQUIRE(::setsockopt(socket_.get(), SOL_XDP, XDP_RX_RING, &descriptors, sizeof descriptors) ==
            0);
    const std::uint32_t queue = 0;
    const int fd = socket_.get();
    REQUIRE(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.sockets), &queue, &fd, BPF_ANY) == 0);
  }

  struct Answer {
    std::uint32_t action;
    std::string verdict;
    bool untouched;
  };
  Answer ask(const Bytes& frame) {
    const auto before = counts(skeleton_->maps.verdicts, GW_VERDICTS);
    const Outcome outcome = run_xdp(skeleton_->progs.guideway_steer, frame);
    const std::size_t verdict = counted_once(before, counts(skeleton_->maps.verdicts, GW_VERDICTS));
    return {outcome.action,
            verdict < GW_VERDICTS ? std::string(xdp::kVerdictNames[verdict]) : "not one verdict",
            outcome.packet == frame};
  }

 private:
  steer_bpf* skeleton_;
  UniqueFd socket_;
};

struct Row {
  std::string packet;
  Bytes frame;
  std::uint32_t action;
  std::string verdict;
};

Bytes shortened(const FrameSpec& spec, std::size_t bytes) {
  Bytes frame = build_frame(spec);
  REQUIRE(frame.size() > bytes);
  frame.resize(bytes);
  return frame;
}

FrameSpec to_service() { return {.protocol = 6, .destination_port = 80}; }

template <class Change>
Bytes changed(Change change) {
  FrameSpec spec = to_service();
  change(spec);
  return build_frame(spec);
}

std::vector<Row> table() {
  const auto with = [](auto change) { return changed(change); };
  return {
      {"ARP", with([](auto& s) { s.ether_type = kArp; }), XDP_PASS, "pass_not_ip"},
      {"LLDP", with([](auto& s) { s.ether_type = kLldp; }), XDP_PASS, "pass_not_ip"},
      {"three VLAN tags", with([](auto& s) {
         s.tags = {{kServiceVlan, 1}, {kVlan, 2}, {kVlan, 3}};
       }),
       XDP_PASS, "pass_not_ip"},
      {"IPv6", with([](auto& s) { s.ether_type = kIpv6; }), XDP_PASS, "pass_not_vip"},
      {"to another host", with([](auto& s) { s.destination = "198.51.100.2"; }), XDP_PASS,
       "pass_not_vip"},
      {"SSH to another host", with([](auto& s) {
         s.destination = "10.0.0.1";
         s.destination_port = 22;
       }),
       XDP_PASS, "pass_not_vip"},
      {"fragment to another host", with([](auto& s) {
         s.destination = "10.0.0.1";
         s.fragment = 0x2000;
       }),
       XDP_PASS, "pass_not_vip"},
      {"bad IP header to another host", with([](auto& s) {
         s.destination = "10.0.0.1";
         s.header_words = 3;
       }),
       XDP_PASS, "pass_not_vip"},
      {"IP options to another host", with([](auto& s) {
         s.destination = "10.0.0.1";
         s.option_bytes = 8;
       }),
       XDP_PASS, "pass_not_vip"},
      {"ends inside the IP header", shortened(to_service(), 14 + 19), XDP_PASS, "pass_truncated"},
      {"ends inside a VLAN tag",
       [] {
         FrameSpec s = to_service();
         s.tags = {{kVlan, 5}};
         return shortened(s, 16);
       }(),
       XDP_PASS, "pass_truncated"},
      {"TCP to the service", build_frame(to_service()), XDP_REDIRECT, "redirected"},
      {"UDP to the service", build_frame({.protocol = 17, .destination_port = 53}), XDP_REDIRECT,
       "redirected"},
      {"in a VLAN", with([](auto& s) {
         s.tags = {{kVlan, 100}};
       }),
       XDP_REDIRECT, "redirected"},
      {"in a VLAN in a service VLAN", with([](auto& s) {
         s.tags = {{kServiceVlan, 7}, {kVlan, 100}};
       }),
       XDP_REDIRECT, "redirected"},
      {"with IP options", with([](auto& s) { s.option_bytes = 40; }), XDP_REDIRECT, "redirected"},
      {"a bad checksum is the worker's to see", with([](auto& s) { s.ip_checksum = 1; }),
       XDP_REDIRECT, "redirected"},
      {"padded", with([](auto& s) {
         s.payload = 0;
         s.padding = 6;
       }),
       XDP_REDIRECT, "redirected"},
      {"port without service", with([](auto& s) { s.destination_port = 81; }), XDP_DROP,
       "no_service"},
      {"port of the other protocol", with([](auto& s) { s.destination_port = 53; }), XDP_DROP,
       "no_service"},
      {"other protocol", with([](auto& s) { s.protocol = 132; }), XDP_DROP, "no_service"},
      {"port 0", with([](auto& s) { s.destination_port = 0; }), XDP_DROP, "no_service"},
      {"protocol 0", with([](auto& s) { s.protocol = 0; }), XDP_DROP, "no_service"},
      {"ICMP", with([](auto& s) { s.protocol = 1; }), XDP_DROP, "icmp_dropped"},
      {"first fragment", with([](auto& s) { s.fragment = 0x2000; }), XDP_DROP, "fragment_refused"},
      {"later fragment", with([](auto& s) { s.fragment = 0x00b9; }), XDP_DROP, "fragment_refused"},
      {"IP version 6 behind IPv4's EtherType", with([](auto& s) { s.version = 6; }), XDP_DROP,
       "malformed_version"},
      {"IP header of 16 bytes", with([](auto& s) { s.header_words = 4; }), XDP_DROP,
       "malformed_header_length"},
      {"ends before the ports", shortened(to_service(), 14 + 20 + 3), XDP_DROP,
       "malformed_truncated"},
      {"IP header longer than the frame",
       [] {
         FrameSpec s = to_service();
         s.header_words = 15;
         return shortened(s, 14 + 40);
       }(),
       XDP_DROP, "malformed_truncated"},
  };
}

}  // namespace

TEST_CASE(
    "each row of the steering table has its verdict, its counter, and leaves the packet as it is") {
  need_bpf_privilege();
  Steer steer;
  steer.put_socket_on_queue_0();
  for (const Row& row : table()) {
    INFO(row.packet);
    const Steer::Answer answer = steer.ask(row.frame);
    CHECK(answer.action == row.action);
    CHECK(answer.verdict == row.verdict);
    CHECK(answer.untouched);
  }
}

TEST_CASE("a packet for a service on a queue without a worker is dropped and counted, not passed") {
  need_bpf_privilege();
  Steer steer;
  const Steer::Answer answer = steer.ask(build_frame(to_service()));
  CHECK(answer.action == XDP_DROP);
  CHECK(answer.verdict == "no_socket");
}

// What user space says the program would answer, by the same services.
std::string foretold(const Bytes& frame) {
  const auto entries = xdp::vip_entries(
      {{ip("198.51.100.1"), 80, Protocol::tcp}, {ip("198.51.100.1"), 53, Protocol::udp}});
  const auto in_vips = [&](const gw_vip_key& key) {
    return std::ranges::any_of(
        entries, [&](const gw_vip_key& one) { return std::memcmp(&one, &key, sizeof key) == 0; });
  };
  return std::string(xdp::kVerdictNames[xdp::steer_verdict(frame, in_vips)]);
}

TEST_CASE("user space foretells the verdict of each row of the steering table") {
  for (const Row& row : table()) {
    INFO(row.packet);
    CHECK(foretold(row.frame) == row.verdict);
  }
  CHECK(foretold(Bytes(13)) == "pass_truncated");  // the kernel runs no program on so little
  CHECK(foretold({}) == "pass_truncated");
}

TEST_CASE("user space foretells what the program says of packets that are damaged at random") {
  need_bpf_privilege();
  Steer steer;
  steer.put_socket_on_queue_0();
  const std::vector<Row> rows = table();
  std::mt19937 random(20240817);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 4000; ++round) {
    Bytes frame = rows[below(rows.size())].frame;
    // In the headers, where the decisions are: Ethernet, two tags, IP with a few options, ports.
    for (std::size_t changes = below(4); changes > 0; --changes)
      frame[below(std::min<std::size_t>(frame.size(), 52))] = static_cast<std::byte>(random());
    if (below(3) == 0) frame.resize(14 + below(frame.size() - 13));
    INFO(to_hex(frame));
    CHECK(foretold(frame) == steer.ask(frame).verdict);
  }
}

TEST_CASE("every verdict has a row in the table or a test of its own") {
  need_bpf_privilege();
  std::vector<std::string> seen{"no_socket"};
  for (const Row& row : table()) seen.push_back(row.verdict);
  for (const auto name : xdp::kVerdictNames) {
    INFO(name);
    CHECK(std::ranges::find(seen, name) != seen.end());
  }
}

}  // namespace guideway::test
