/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One ring record per system call `wanted_nr` of one process, with a sequence number: the oracle of the ring tests. */
#include "../core.h"

const volatile u32 target_tgid = 0;
const volatile u32 wanted_nr = 0;

u64 produced = 0;
u64 lost = 0;

struct record {
	u64 seq;
	u64 time_ns;
	u32 tid;
	u32 nr;
	u64 fill[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} records SEC(".maps");

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	u64 pid_tgid = bpf_get_current_pid_tgid(), seq;
	struct record *r;

	if (pid_tgid >> 32 != target_tgid || (u32)id != wanted_nr)
		return 0;
	seq = atomic_inc(&produced);
	r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
	if (!r) {
		atomic_inc(&lost);
		return 0;
	}
	r->seq = seq;
	r->time_ns = bpf_ktime_get_ns();
	r->tid = (u32)pid_tgid;
	r->nr = id;
	__builtin_memset(r->fill, 0, sizeof(r->fill));
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
