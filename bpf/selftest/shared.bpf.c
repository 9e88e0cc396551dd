/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Programs that are told at run time where to attach and whose map to use; the oracle of test/native/targets.test.ts. */
#include "../core.h"

const volatile u32 target_tgid = 0;
/* Which instance of this object counts: its key in the map. */
const volatile u32 instance = 0;
u64 private_hits = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, u64);
} table SEC(".maps");

static __always_inline int count(void)
{
	u32 slot = instance;
	u64 *value;

	if (bpf_get_current_pid_tgid() >> 32 != target_tgid)
		return 0;
	value = bpf_map_lookup_elem(&counts, &slot);
	if (value)
		atomic_inc(value);
	atomic_inc(&private_hits);
	return 0;
}

SEC("?tp_btf/sys_exit")
int on_tracepoint(void *ctx)
{
	return count();
}

/* Without a place of its own. */
SEC("?fentry")
int on_function(void *ctx)
{
	return count();
}

SEC("?kprobe/kbtop_no_such_function")
int on_kprobe(void *ctx)
{
	return count();
}

char _license[] SEC("license") = "GPL";
