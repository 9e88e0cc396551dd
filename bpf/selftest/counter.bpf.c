/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Counts system calls of one process in every kind of map the addon reads; the oracle of test/native. */
#include "../core.h"


const volatile u32 target_tgid = 0;
const volatile u32 wanted_nr = 0;

u64 hits = 0;			/* .bss */
u64 enabled = 1;		/* .data */
s32 signed_value = -5;
bool flag = true;
u8 small = 7;
char label[16] = "kbtop";

struct value {
	u64 count;
	u64 max_nr;
	u64 one;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct value);
} by_nr SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct value);
} by_tid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct value);
} total SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} plain SEC(".maps");

/* Not made of words: read() must refuse it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u32);
} narrow SEC(".maps");

static __always_inline void bump(struct value *v, u64 nr)
{
	v->count++;
	if (nr > v->max_nr)
		v->max_nr = nr;
	v->one = 1;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	u64 pid_tgid = bpf_get_current_pid_tgid(), tid = (u32)pid_tgid;
	struct value zero = {}, *v;
	u32 nr = id, slot = 0;

	if (!enabled || pid_tgid >> 32 != target_tgid || (wanted_nr && wanted_nr != nr))
		return 0;
	atomic_inc(&hits);
	v = bpf_map_lookup_elem(&by_nr, &nr);
	if (!v) {
		bpf_map_update_elem(&by_nr, &nr, &zero, BPF_NOEXIST);
		v = bpf_map_lookup_elem(&by_nr, &nr);
	}
	if (v)
		bump(v, nr);
	v = bpf_map_lookup_elem(&by_tid, &tid);
	if (!v) {
		bpf_map_update_elem(&by_tid, &tid, &zero, BPF_NOEXIST);
		v = bpf_map_lookup_elem(&by_tid, &tid);
	}
	if (v)
		bump(v, nr);
	v = bpf_map_lookup_elem(&total, &slot);
	if (v)
		bump(v, nr);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
