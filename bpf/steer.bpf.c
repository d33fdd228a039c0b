/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * steer.bpf.c: is a packet for a VIP? Then to the AF_XDP socket of its receive queue; if not, on to
 * the kernel, untouched. Nothing else is dropped here but what is addressed to a VIP.
 *
 * The decision table is in README.md; a test sends a packet for each of its rows.
 */
#include "parse.h"
#include "maps.h"
#include "verdict.h"

#include <xdp/xdp_helpers.h>

/* Behind filters, before programs that expect what the kernel gets; these see what we pass. */
struct {
	__uint(priority, 20);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(guideway_steer);

struct ports {
	__be16 source;
	__be16 destination;
};

static __always_inline int is_in_vips(__be32 address, __u8 protocol, __be16 port)
{
	struct gw_vip_key key = {
		.address = address,
		.port = port,
		.protocol = protocol,
	};

	return bpf_map_lookup_elem(&vips, &key) != NULL;
}

/* A packet to a VIP: is it whole, and is there a service for it? */
static __always_inline enum gw_verdict match_service(struct cursor *cursor, struct iphdr *ip)
{
	struct ports *ports;

	if (ip->version != 4)
		return GW_VERDICT_malformed_version;
	if (ip->ihl < 5)
		return GW_VERDICT_malformed_header_length;
	if (ip->frag_off & bpf_htons(GW_IP_MORE_FRAGMENTS | GW_IP_FRAGMENT_OFFSET))
		return GW_VERDICT_fragment_refused;
	if (ip->protocol == IPPROTO_ICMP)
		return GW_VERDICT_icmp_dropped;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return GW_VERDICT_no_service;

	cursor->at = (void *)ip + ip->ihl * 4;
	ports = cursor_peek(cursor, struct ports);
	if (!ports)
		return GW_VERDICT_malformed_truncated;
	if (!is_in_vips(ip->daddr, ip->protocol, ports->destination))
		return GW_VERDICT_no_service;
	return GW_VERDICT_redirected;
}

static __always_inline enum gw_verdict classify(struct xdp_md *ctx)
{
	struct cursor cursor = cursor_of(ctx);
	struct iphdr *ip;

	switch (parse_ethernet(&cursor)) {
	case ETH_P_IP:
		break;
	case ETH_P_IPV6: /* no VIP is an IPv6 address */
		return GW_VERDICT_pass_not_vip;
	case GW_TRUNCATED:
		return GW_VERDICT_pass_truncated;
	default:
		return GW_VERDICT_pass_not_ip;
	}

	ip = cursor_peek(&cursor, struct iphdr);
	if (!ip)
		return GW_VERDICT_pass_truncated;
	if (!is_in_vips(ip->daddr, 0, 0))
		return GW_VERDICT_pass_not_vip;
	return match_service(&cursor, ip);
}

SEC("xdp")
int guideway_steer(struct xdp_md *ctx)
{
	enum gw_verdict verdict = classify(ctx);
	int action = XDP_DROP;

	switch (verdict) {
	case GW_VERDICT_pass_not_ip:
	case GW_VERDICT_pass_not_vip:
	case GW_VERDICT_pass_truncated:
		action = XDP_PASS;
		break;
	case GW_VERDICT_redirected:
		action = bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_DROP);
		if (action != XDP_REDIRECT)
			verdict = GW_VERDICT_no_socket;
		break;
	default:
		break;
	}
	count_verdict(&verdicts, verdict);
	return action;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
