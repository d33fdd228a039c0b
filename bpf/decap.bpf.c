/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decap.bpf.c: what `ip link add type gre` does on a backend, for hosts whose kernel has no GRE
 * device: a GRE packet (RFC 2784, no options) to an address of this host becomes the IPv4 packet
 * that it carries, with the same Ethernet header. All else passes untouched.
 *
 *     | Ethernet 14 | IPv4 20 | GRE 4 | inner IPv4 packet |
 *                             | Ethernet 14 | inner IPv4 packet |
 */
#include "parse.h"
#include "verdict.h"
#include "abi.h"

#include <xdp/xdp_helpers.h>

struct {
	__uint(priority, 10);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(guideway_decap);

/* Outer destinations: the host's own addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GW_DECAP_MAX_ADDRESSES);
	__type(key, __be32);
	__type(value, __u32);
} locals SEC(".maps");

/* Outer sources that are trusted; asked only if `restricted` is set. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GW_DECAP_MAX_ADDRESSES);
	__type(key, __be32);
	__type(value, __u32);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_DECAP_VERDICTS);
	__type(key, __u32);
	__type(value, __u64);
} decap_verdicts SEC(".maps");

const volatile __u32 restricted = 0;

struct gre {
	__be16 flags;
	__be16 protocol;
};

#define OUTER_BYTES (sizeof(struct iphdr) + sizeof(struct gre))
#define ECN_MASK 3
#define ECN_CE 3

/*
 * RFC 6040, section 4.2, for an outer header that says "congestion experienced": the inner one
 * says so too, or, where it cannot, the packet goes. Checksum after RFC 1624, equation 3.
 */
static __always_inline int take_congestion(struct iphdr *inner)
{
	__u16 before = (__u16)(((__u16)inner->version << 12) | (inner->ihl << 8) | inner->tos);
	__u16 after = before | ECN_CE;
	__u32 sum;

	if ((inner->tos & ECN_MASK) == 0)
		return -1;
	sum = (__u16)~bpf_ntohs(inner->check) + (__u16)~before + after;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	inner->check = bpf_htons((__u16)~sum);
	inner->tos |= ECN_CE;
	return 0;
}

static __always_inline enum gw_decap_verdict decapsulate(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct ethhdr *ethernet, copy;
	struct iphdr *outer, *inner;
	struct gre *gre;

	ethernet = cursor_peek(&cursor, struct ethhdr);
	if (!ethernet || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return GW_DECAP_pass_not_tunnelled;
	copy = *ethernet;
	cursor.at = ethernet + 1;
	outer = cursor_peek(&cursor, struct iphdr);
	if (!outer || outer->protocol != IPPROTO_GRE || !bpf_map_lookup_elem(&locals, &outer->daddr))
		return GW_DECAP_pass_not_tunnelled;
	if (outer->version != 4 || outer->ihl != 5 ||
	    outer->frag_off & bpf_htons(GW_IP_MORE_FRAGMENTS | GW_IP_FRAGMENT_OFFSET))
		return GW_DECAP_pass_unsupported;
	cursor.at = outer + 1;
	gre = cursor_peek(&cursor, struct gre);
	if (!gre)
		return GW_DECAP_malformed;
	if (gre->flags || gre->protocol != bpf_htons(ETH_P_IP))
		return GW_DECAP_pass_unsupported;
	if (restricted && !bpf_map_lookup_elem(&sources, &outer->saddr))
		return GW_DECAP_source_refused;
	cursor.at = gre + 1;
	inner = cursor_peek(&cursor, struct iphdr);
	if (!inner)
		return GW_DECAP_malformed;
	if ((outer->tos & ECN_MASK) == ECN_CE && take_congestion(inner))
		return GW_DECAP_ecn_dropped;

	if (bpf_xdp_adjust_head(ctx, OUTER_BYTES))
		return GW_DECAP_malformed;
	cursor = cursor_of(ctx);
	ethernet = cursor_peek(&cursor, struct ethhdr);
	if (!ethernet)
		return GW_DECAP_malformed;
	*ethernet = copy;
	return GW_DECAP_decapsulated;
}

SEC("xdp")
int guideway_decap(struct xdp_md *ctx)
{
	enum gw_decap_verdict verdict = decapsulate(ctx);

	count_verdict(&decap_verdicts, verdict);
	return verdict > GW_DECAP_decapsulated ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
