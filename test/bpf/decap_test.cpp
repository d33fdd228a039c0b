// The decapsulation program over bytes: what it unwraps, what it leaves alone, what it refuses.
#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "bpf/abi.h"
#include "bpf/program.h"
#include "decap.skel.h"
#include "net/encapsulation.h"
#include "support/frame_builder.h"

namespace guideway::test {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({
#define GW_VERDICT_NAME(name) #name,
    GW_DECAP_VERDICT_LIST(GW_VERDICT_NAME)
#undef GW_VERDICT_NAME
});

// The program on a host that is 10.0.1.11.
class Decap {
 public:
  explicit Decap(std::string_view trusted_source = {}) : skeleton_(decap_bpf__open()) {
    REQUIRE(skeleton_ != nullptr);
    skeleton_->rodata->restricted = trusted_source.empty() ? 0 : 1;
    REQUIRE(decap_bpf__load(skeleton_) == 0);
    add(skeleton_->maps.locals, "10.0.1.11");
    if (!trusted_source.empty()) add(skeleton_->maps.sources, trusted_source);
  }
  ~Decap() { decap_bpf__destroy(skeleton_); }
  Decap(const Decap&) = delete;
  Decap& operator=(const Decap&) = delete;

  struct Answer {
    std::uint32_t action;
    std::string verdict;
    Bytes packet;
  };
  Answer ask(const Bytes& frame) {
    const auto before = counts(skeleton_->maps.decap_verdicts, GW_DECAP_VERDICTS);
    Outcome outcome = run_xdp(skeleton_->progs.guideway_decap, frame);
    const std::size_t verdict =
        counted_once(before, counts(skeleton_->maps.decap_verdicts, GW_DECAP_VERDICTS));
    return {outcome.action,
            verdict < GW_DECAP_VERDICTS ? std::string(kNames[verdict]) : "not one verdict",
            std::move(outcome.packet)};
  }

 private:
  static void add(const bpf_map* map, std::string_view address) {
    const std::uint32_t key = ip(address).wire().wire(), present = 1;
    REQUIRE(bpf_map_update_elem(bpf_map__fd(map), &key, &present, BPF_ANY) == 0);
  }
  decap_bpf* skeleton_;
};

// The frame that the load balancer makes of `inner`.
Bytes tunnelled(const FrameSpec& inner, std::string_view source = "10.0.0.10",
                std::string_view destination = "10.0.1.11") {
  const OuterTemplate outer =
      make_outer_template({{2, 0, 0, 0, 0, 9}}, {{2, 0, 0, 0, 0, 8}}, ip(source), ip(destination));
  const Bytes packet = build_ip(inner);
  Bytes frame(sizeof(OuterHeader) + packet.size());
  std::ranges::copy(packet, frame.begin() + sizeof(OuterHeader));
  guideway::encapsulate(outer, frame.data() + sizeof(OuterHeader),
                        static_cast<std::uint16_t>(packet.size()), inner.type_of_service);
  return frame;
}

void mark_congestion_outside(Bytes& frame) {
  frame[15] |= std::byte{3};
  frame[24] = frame[25] = std::byte{0};
  const std::uint16_t checksum = internet_checksum(std::span(frame).subspan(14, 20));
  frame[24] = static_cast<std::byte>(checksum >> 8);
  frame[25] = static_cast<std::byte>(checksum & 0xff);
}

}  // namespace

TEST_CASE(
    "what the load balancer encapsulates comes out as it went in, behind the same Ethernet "
    "header") {
  need_bpf_privilege();
  Decap decap;
  for (const std::size_t payload : {0U, 1U, 18U, 1400U}) {
    const FrameSpec inner{.type_of_service = 0xb9, .protocol = 6, .payload = payload};
    const Bytes frame = tunnelled(inner);
    const auto answer = decap.ask(frame);
    CHECK(answer.action == XDP_PASS);
    CHECK(answer.verdict == "decapsulated");
    Bytes expected(frame.begin(), frame.begin() + 14);
    const Bytes packet = build_ip(inner);
    expected.insert(expected.end(), packet.begin(), packet.end());
    CHECK(answer.packet == expected);
  }
}

TEST_CASE("what is no tunnel to this host passes untouched") {
  need_bpf_privilege();
  Decap decap;
  Bytes arp = build_frame({.ether_type = 0x0806});
  for (const Bytes& frame :
       {build_frame({.destination = "10.0.1.11"}), tunnelled({}, "10.0.0.10", "10.0.1.12"), arp}) {
    const auto answer = decap.ask(frame);
    CHECK(answer.action == XDP_PASS);
    CHECK(answer.verdict == "pass_not_tunnelled");
    CHECK(answer.packet == frame);
  }
}

TEST_CASE("GRE with options, of another protocol, or in fragments passes untouched") {
  need_bpf_privilege();
  Decap decap;
  Bytes with_key = tunnelled({});
  with_key[34] = std::byte{0x20};
  Bytes ipv6_inside = tunnelled({});
  ipv6_inside[36] = std::byte{0x86};
  ipv6_inside[37] = std::byte{0xdd};
  Bytes fragment = tunnelled({});
  fragment[20] = std::byte{0x20};
  for (const Bytes& frame : {with_key, ipv6_inside, fragment}) {
    const auto answer = decap.ask(frame);
    CHECK(answer.action == XDP_PASS);
    CHECK(answer.verdict == "pass_unsupported");
    CHECK(answer.packet == frame);
  }
}

TEST_CASE("a tunnel that ends inside a header is dropped") {
  need_bpf_privilege();
  Decap decap;
  for (const std::size_t bytes : {35U, 37U, 38U, 57U}) {
    Bytes frame = tunnelled({});
    frame.resize(bytes);
    const auto answer = decap.ask(frame);
    INFO(bytes);
    CHECK(answer.action == XDP_DROP);
    CHECK(answer.verdict == "malformed");
  }
}

TEST_CASE("with trusted sources, a tunnel from elsewhere is dropped") {
  need_bpf_privilege();
  Decap decap("10.0.0.10");
  CHECK(decap.ask(tunnelled({})).verdict == "decapsulated");
  const auto answer = decap.ask(tunnelled({}, "10.0.0.66"));
  CHECK(answer.action == XDP_DROP);
  CHECK(answer.verdict == "source_refused");
}

TEST_CASE(
    "congestion marked on the way is handed to an inner packet that can carry it (RFC 6040)") {
  need_bpf_privilege();
  Decap decap;
  for (const std::uint8_t inner_tos :
       {std::uint8_t{0xb9}, std::uint8_t{0xba}, std::uint8_t{0x03}}) {
    Bytes frame = tunnelled({.type_of_service = inner_tos});
    mark_congestion_outside(frame);
    const auto answer = decap.ask(frame);
    CHECK(answer.verdict == "decapsulated");
    const Bytes expected = build_ip({.type_of_service = static_cast<std::uint8_t>(inner_tos | 3)});
    CHECK(Bytes(answer.packet.begin() + 14, answer.packet.end()) == expected);
  }
}

TEST_CASE("congestion marked on the way drops an inner packet that cannot carry it (RFC 6040)") {
  need_bpf_privilege();
  Decap decap;
  Bytes frame = tunnelled({.type_of_service = 0xb8});
  mark_congestion_outside(frame);
  const auto answer = decap.ask(frame);
  CHECK(answer.action == XDP_DROP);
  CHECK(answer.verdict == "ecn_dropped");
}

}  // namespace guideway::test
