#include "observe/reasons.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace guideway::observe {
namespace {

constexpr std::string_view kSender =
    "look at who sends it, and at what changes packets on the way (a capture at the router)";

constexpr auto kTexts = std::to_array<ReasonText>({
    {"pass_not_ip",
     "it is neither IPv4 nor IPv6, or has more than two VLAN tags, and stays the "
     "kernel's",
     ""},
    {"pass_not_vip", "its destination is no VIP, and it stays the kernel's",
     "if it should be one: guideway services lists the VIPs; a service for it is missing in the "
     "file, or the file was not reloaded"},
    {"pass_truncated", "it is too short to have an IPv4 destination, and stays the kernel's",
     kSender},
    {"not_ipv4", "there is no IPv4 packet behind its Ethernet header and VLAN tags",
     "VIPs are IPv4 addresses"},
    {"malformed_truncated", "it ends inside a header", kSender},
    {"malformed_version", "it is announced as IPv4, and the version in its header is another",
     kSender},
    {"malformed_header_length", "its IP header says to be below 20 bytes, or longer than the frame",
     kSender},
    {"malformed_total_length",
     "its IP total length is less than its header, or more than the frame has", kSender},
    {"malformed_checksum", "its IP header checksum does not add up",
     "a sender that leaves checksums to its network card, on a virtual link without one, has to "
     "compute them: ethtool -K DEVICE tx off"},
    {"malformed_source",
     "its source is the VIP itself, loopback, multicast, reserved or of 0.0.0.0/8",
     "no client has such an address: somebody forges it, or a NAT on the way is wrong"},
    {"malformed_tcp_offset", "its TCP header says to be below 20 bytes, or longer than the packet",
     kSender},
    {"fragment_refused",
     "it is an IP fragment: only the first has ports, and all would have to reach one backend",
     "lower the MTU or the MSS of the sender, so that nothing is fragmented"},
    {"icmp_dropped", "it is ICMP, which VIPs do not answer", ""},
    {"no_service", "its destination is a VIP, and no service there has its protocol and port",
     "guideway services lists the ports; add the one that is missing to the file and reload"},
    {"no_socket", "no worker serves the receive queue that it came by",
     "set queues: so that each queue that can receive is served, or steer the VIPs to those that "
     "are (ethtool -N)"},
    {"no_backend",
     "no backend of the pool takes new flows: none is up, or all are drained or of "
     "weight 0",
     "guideway backends shows which check fails and who is drained"},
    {"no_next_hop",
     "the next hop of its backend is not resolved, or it is reached through another interface than "
     "the packet came in by",
     "ip route get BACKEND, ip neighbour: there must be a route by this interface, and a neighbour "
     "that answers"},
    {"too_big", "with the 24 bytes of the tunnel's headers it is larger than the egress MTU",
     "raise the MTU towards the backends by 24 bytes, or lower the MSS of the services"},
    {"no_headroom", "there is no room for the tunnel's headers before it", ""},
    {"tx_ring_full", "the kernel has not taken what was sent before",
     "the link or the driver is slower than what comes in: guideway interfaces shows the rings"},
});

constexpr std::size_t find(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(kTexts, name, &ReasonText::name) -
                                  kTexts.begin());
}

constexpr auto kVerdictNames = std::to_array<std::string_view>({
#define GUIDEWAY_VERDICT_NAME(name) #name,
    GW_VERDICT_LIST(GUIDEWAY_VERDICT_NAME)
#undef GUIDEWAY_VERDICT_NAME
});

constexpr bool all_have_a_text() {
  const auto has_text = [](std::string_view name) {
    return find(name) < kTexts.size() && !kTexts[find(name)].meaning.empty();
  };
  return std::ranges::all_of(kDropReasonNames.begin() + 1, kDropReasonNames.end(), has_text) &&
         std::ranges::all_of(kVerdictNames, [&](std::string_view name) {
           return name == "redirected" || has_text(name);
         });
}
static_assert(all_have_a_text(),
              "each drop reason and each verdict of the steering program has a "
              "sentence that explains it");

constexpr ReasonText kNotAttached{
    "not_attached",
    "the steering program was taken off the interface, and everything stays the "
    "kernel's",
    "guideway reload attaches it again"};

}  // namespace

const ReasonText& not_attached_text() { return kNotAttached; }

const ReasonText& reason_text(DropReason reason) {
  assert(reason != DropReason::none);
  return kTexts[find(kDropReasonNames[static_cast<std::size_t>(reason)])];
}

const ReasonText& reason_text(gw_verdict verdict) {
  assert(verdict != GW_VERDICT_redirected && verdict < GW_VERDICTS);
  return kTexts[find(kVerdictNames[verdict])];
}

}  // namespace guideway::observe
