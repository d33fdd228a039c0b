/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * abi.h: the only contract between the kernel's side (bpf/) and user space (userspace/): the keys
 * and values of maps, the verdicts that are counted, and the flow hash. Both sides compile this
 * file, so that they cannot differ.
 *
 * Addresses and ports are in network byte order, as they lie in the packet.
 */
#ifndef GUIDEWAY_ABI_H
#define GUIDEWAY_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define GW_ASSERT(condition, text) static_assert(condition, text)
#define GW_INLINE static inline
extern "C" {
#else
#define GW_ASSERT(condition, text) _Static_assert(condition, text)
#define GW_INLINE static inline __attribute__((always_inline))
#endif

/* Receive queues that an interface can have; the size of the XSKMAP. */
#define GW_MAX_QUEUES 256
/* Entries of the VIP map: one for each VIP and one for each (VIP, protocol, port). */
#define GW_MAX_VIP_ENTRIES 65536

/*
 * Key of the VIP map. (address, protocol, port) stands for a service. (address, 0, 0) says that the
 * address is a VIP at all: it tells "not ours" from "ours, but nobody serves this port".
 */
struct gw_vip_key {
	__be32 address;
	__be16 port;
	__u8 protocol; /* IPPROTO_* */
	__u8 zero;
};
GW_ASSERT(sizeof(struct gw_vip_key) == 8, "a map key has no padding");

struct gw_vip_value {
	__u32 flags; /* none yet: 0 */
};
GW_ASSERT(sizeof(struct gw_vip_value) == 4, "a map value has a fixed size");

/*
 * What became of a packet in XDP, each counted per CPU (decision table: bpf/README.md). The names
 * are those of docs/packets.md; the daemon shows them under these names.
 */
#define GW_VERDICT_LIST(X)                                                                         \
	X(pass_not_ip)             /* PASS: neither IPv4 nor IPv6 */                                   \
	X(pass_not_vip)            /* PASS: the destination is no VIP */                               \
	X(pass_truncated)          /* PASS: too short to have a destination */                         \
	X(redirected)              /* REDIRECT: to the socket of the receive queue */                  \
	X(no_service)              /* DROP: to a VIP, but no service has the protocol and port */      \
	X(no_socket)               /* DROP: no worker on this receive queue */                         \
	X(icmp_dropped)            /* DROP: ICMP to a VIP */                                           \
	X(fragment_refused)        /* DROP: fragment to a VIP */                                       \
	X(malformed_truncated)     /* DROP: to a VIP, ends inside a header */                          \
	X(malformed_version)       /* DROP: to a VIP, IP version is not 4 */                           \
	X(malformed_header_length) /* DROP: to a VIP, IP header shorter than 20 bytes */

enum gw_verdict {
#define GW_VERDICT_ENUM(name) GW_VERDICT_##name,
	GW_VERDICT_LIST(GW_VERDICT_ENUM)
#undef GW_VERDICT_ENUM
	GW_VERDICTS
};

/* The same for the decapsulation program of backends. */
#define GW_DECAP_VERDICT_LIST(X)                                                                   \
	X(pass_not_tunnelled) /* PASS: no GRE packet to an address of ours */                          \
	X(pass_unsupported)   /* PASS: GRE or IP with options, fragments, payload not IPv4 */          \
	X(decapsulated)       /* PASS: the inner packet */                                             \
	X(source_refused)     /* DROP: the tunnel's source is not one of those given */                \
	X(malformed)          /* DROP: ends inside a header, or no room to change it */                \
	X(ecn_dropped)        /* DROP: congestion was marked, the inner packet cannot carry it */

enum gw_decap_verdict {
#define GW_VERDICT_ENUM(name) GW_DECAP_##name,
	GW_DECAP_VERDICT_LIST(GW_VERDICT_ENUM)
#undef GW_VERDICT_ENUM
	GW_DECAP_VERDICTS
};

/* Entries of each of the decapsulation program's two maps of addresses. */
#define GW_DECAP_MAX_ADDRESSES 1024

/* One flow, as its packets say it: protocol and the two ends. */
struct gw_flow_key {
	__be32 source_address;
	__be32 destination_address;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 zero[3];
};
GW_ASSERT(sizeof(struct gw_flow_key) == 16, "two 64-bit words, no padding");

/* The key of the flow hash. The same on every load balancer of a fleet. */
struct gw_hash_seed {
	__u64 first;
	__u64 second;
};

/* The finaliser of MurmurHash3: a bijection of 64 bits in which each input bit moves all others. */
GW_INLINE __u64 gw_mix64(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	x ^= x >> 33;
	return x;
}

/* Eight bytes of a key, read as little-endian on every host, so that mixed fleets agree. */
GW_INLINE __u64 gw_word(const void *bytes)
{
	__u64 word;

	__builtin_memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/*
 * The flow hash: 64 bits over protocol, addresses and ports, keyed. The key enters before each
 * mix, so that who does not know it cannot choose flows that collide. 64-bit multiplications only:
 * BPF has no wider ones.
 */
GW_INLINE __u64 gw_flow_hash(const struct gw_flow_key *key, const struct gw_hash_seed *seed)
{
	__u64 addresses = gw_word(&key->source_address);
	__u64 ports = gw_word(&key->source_port);

	return gw_mix64(gw_mix64(addresses ^ seed->first) ^ ports ^ seed->second);
}

/*
 * The slot of a Maglev table of `size` entries (below 2^32) that a flow hash falls into: the upper
 * half of the hash, scaled. The lower half is left to the flow table, so that flows that share
 * a slot do not share a bucket.
 */
GW_INLINE __u32 gw_table_slot(__u64 hash, __u32 size)
{
	return (__u32)(((hash >> 32) * size) >> 32);
}

#ifdef __cplusplus
}
#endif
#endif /* GUIDEWAY_ABI_H */
