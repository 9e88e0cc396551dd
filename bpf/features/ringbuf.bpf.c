/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel have BPF ring buffers? */
#include "../core.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

SEC("raw_tp/cgroup_mkdir")
int probe(void *ctx)
{
	u64 word = 0;

	bpf_ringbuf_output(&ring, &word, sizeof(word), BPF_RB_NO_WAKEUP);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
