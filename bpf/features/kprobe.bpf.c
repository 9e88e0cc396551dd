/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take kprobes? On a function that only the kernel's own BPF tests call. */
#include "../core.h"

SEC("kprobe/bpf_fentry_test1")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
