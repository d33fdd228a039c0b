// Why a packet is not forwarded: one name for each cause, the same in the counter, the docs
// (docs/packets.md) and the tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace guideway {

#define GUIDEWAY_DROP_REASONS(X)                                                  \
  X(not_ipv4)                /* no IPv4 packet behind Ethernet and VLAN tags */   \
  X(malformed_truncated)     /* ends inside a header */                           \
  X(malformed_version)       /* IP version is not 4 */                            \
  X(malformed_header_length) /* IP header below 20 bytes or beyond the frame */   \
  X(malformed_total_length)  /* IP total length below the header or beyond it */  \
  X(malformed_checksum)      /* IP header checksum does not add up */             \
  X(malformed_source)        /* source that no client can have, or the VIP */     \
  X(malformed_tcp_offset)    /* TCP header below 20 bytes or beyond the packet */ \
  X(fragment_refused)        /* IP fragment */                                    \
  X(icmp_dropped)            /* ICMP */                                           \
  X(no_service)              /* no service has this address, protocol and port */ \
  X(no_backend)              /* the service has no usable backend */              \
  X(no_next_hop)             /* the backend's next hop is not resolved, or it is  \
                                reached through another interface */              \
  X(too_big)                 /* larger than the egress MTU once encapsulated */   \
  X(no_headroom)             /* no room for the outer header before the packet */ \
  X(tx_ring_full)            /* the kernel has not taken what was sent before */

// `none`: not dropped.
enum class DropReason : std::uint8_t {
  none,
#define GUIDEWAY_DROP_REASON_ENUM(name) name,
  GUIDEWAY_DROP_REASONS(GUIDEWAY_DROP_REASON_ENUM)
#undef GUIDEWAY_DROP_REASON_ENUM
};

// Indexed by DropReason.
inline constexpr auto kDropReasonNames =
    std::to_array<std::string_view>({"none",
#define GUIDEWAY_DROP_REASON_NAME(name) #name,
                                     GUIDEWAY_DROP_REASONS(GUIDEWAY_DROP_REASON_NAME)
#undef GUIDEWAY_DROP_REASON_NAME
    });
inline constexpr std::size_t kDropReasons = kDropReasonNames.size();

}  // namespace guideway
