/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Cgroups that nobody asked about, where kbtop was started for some pods only. What is not listed passes, so that the
 * first events of a new container are there before user space knows who it is. Written by src/probes/ignored.ts.
 */
#ifndef KBTOP_IGNORE_H
#define KBTOP_IGNORE_H

#include "core.h"

/* Set by user space before load; without it the verifier leaves all of this out. */
const volatile bool ignore_listed = false;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u64);
} ignored SEC(".maps");

static __always_inline bool is_ignored(u64 cgroup)
{
	return ignore_listed && bpf_map_lookup_elem(&ignored, &cgroup);
}

#endif
