/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * verdict.h: the one exit of a program: counts the verdict.
 */
#ifndef GUIDEWAY_VERDICT_H
#define GUIDEWAY_VERDICT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Counts `verdict` in `map`, a per-CPU array of __u64. */
static __always_inline void count_verdict(void *map, __u32 verdict)
{
	__u64 *count = bpf_map_lookup_elem(map, &verdict);

	if (count)
		(*count)++;
}

#endif /* GUIDEWAY_VERDICT_H */
