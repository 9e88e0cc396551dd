/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A program that runs into itself: the kernel skips the inner run and counts it. */
#include "../core.h"

const volatile u32 target_tgid = 0;
const volatile u32 wanted_nr = 0;

u64 hits = 0;

static __always_inline bool is_ours(void)
{
	return bpf_get_current_pid_tgid() >> 32 == target_tgid;
}

static __always_inline void fault(void)
{
	u64 word;

	bpf_probe_read_user(&word, sizeof(word), (void *)8);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(begins, struct pt_regs *regs, long nr)
{
	if (is_ours() && nr == wanted_nr)
		fault();
	return 0;
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(nests)
{
	if (!is_ours())
		return 0;
	atomic_inc(&hits);
	fault();
	return 0;
}

char _license[] SEC("license") = "GPL";
