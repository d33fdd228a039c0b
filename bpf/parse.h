/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parse.h: a bounds-checked cursor over a frame. Each parser checks that its header is there, moves
 * the cursor behind it, and answers what comes next.
 */
#ifndef GUIDEWAY_PARSE_H
#define GUIDEWAY_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define GW_MAX_VLAN_TAGS 2
#define GW_TRUNCATED (-1)

#define GW_IP_MORE_FRAGMENTS 0x2000
#define GW_IP_FRAGMENT_OFFSET 0x1fff

struct cursor {
	void *at;
	void *end;
};

struct vlan_tag {
	__be16 control;
	__be16 type;
};

static __always_inline struct cursor cursor_of(struct xdp_md *ctx)
{
	struct cursor cursor = {
		.at = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};

	return cursor;
}

/* The header at the cursor, or NULL where the frame ends before it does. The cursor stays. */
#define cursor_peek(cursor, type)                                                                  \
	((cursor)->at + sizeof(type) > (cursor)->end ? NULL : (type *)(cursor)->at)

/* Moves behind Ethernet and up to two VLAN tags. The EtherType of what follows, or GW_TRUNCATED. */
static __always_inline int parse_ethernet(struct cursor *cursor)
{
	struct ethhdr *ethernet = cursor_peek(cursor, struct ethhdr);
	struct vlan_tag *tag;
	__be16 type;
	int i;

	if (!ethernet)
		return GW_TRUNCATED;
	type = ethernet->h_proto;
	cursor->at = ethernet + 1;

#pragma unroll
	for (i = 0; i < GW_MAX_VLAN_TAGS; i++) {
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		tag = cursor_peek(cursor, struct vlan_tag);
		if (!tag)
			return GW_TRUNCATED;
		type = tag->type;
		cursor->at = tag + 1;
	}
	return bpf_ntohs(type);
}

#endif /* GUIDEWAY_PARSE_H */
