/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.h: the maps of the steering program. Filled by user space (userspace/xdp/steering.h); one set
 * for each interface.
 */
#ifndef GUIDEWAY_MAPS_H
#define GUIDEWAY_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* What is a VIP, and which services it has: see struct gw_vip_key. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GW_MAX_VIP_ENTRIES);
	__type(key, struct gw_vip_key);
	__type(value, struct gw_vip_value);
} vips SEC(".maps");

/* The socket of each receive queue. A socket that is closed leaves the map by itself. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, GW_MAX_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

/* How often each enum gw_verdict was given, on each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GW_VERDICTS);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

#endif /* GUIDEWAY_MAPS_H */
