/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ring records of every length from 8 to 263 bytes, every fifth one discarded: for the ring tests' wrap and copy.
 * Each byte after the sequence number is the low byte of sequence number plus place.
 */
#include "../core.h"

const volatile u32 target_tgid = 0;
const volatile u32 wanted_nr = 0;

u64 produced = 0;
u64 discarded = 0;
u64 lost = 0;

#define MAX_FILL 256

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u8[8 + MAX_FILL]);
} scratch SEC(".maps");

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	u32 slot = 0, length, i;
	u64 seq;
	u8 *out;

	if (bpf_get_current_pid_tgid() >> 32 != target_tgid || (u32)id != wanted_nr)
		return 0;
	out = bpf_map_lookup_elem(&scratch, &slot);
	if (!out)
		return 0;
	seq = atomic_inc(&produced);
	if (seq % 5 == 4) {
		void *room = bpf_ringbuf_reserve(&records, 40, 0);

		if (room) {
			bpf_ringbuf_discard(room, BPF_RB_NO_WAKEUP);
			atomic_inc(&discarded);
		} else {
			atomic_inc(&lost);
		}
		return 0;
	}
	*(u64 *)out = seq;
	for (i = 0; i < MAX_FILL; i++)
		out[8 + i] = seq + i;
	length = 8 + (seq & (MAX_FILL - 1));
	if (bpf_ringbuf_output(&records, out, length, BPF_RB_NO_WAKEUP))
		atomic_inc(&lost);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
