/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Programs of many kinds in one object: what a kernel refuses must not take the rest down. */
#include "../core.h"

u64 hits = 0;

SEC("tp_btf/sys_enter")
int BPF_PROG(works, struct pt_regs *regs, long id)
{
	atomic_inc(&hits);
	return 0;
}

SEC("raw_tp/sys_exit")
int works_raw(void *ctx)
{
	atomic_inc(&hits);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int on_fentry(void *ctx)
{
	return 0;
}

SEC("kprobe/bpf_fentry_test1")
int on_kprobe(void *ctx)
{
	return 0;
}

/* No kernel has this function. */
SEC("fentry/kbtop_no_such_function")
int on_nothing(void *ctx)
{
	return 0;
}

SEC("tracepoint/sched/kbtop_no_such_event")
int on_no_event(void *ctx)
{
	return 0;
}

/* Reads through an unchecked pointer: the verifier refuses it everywhere. */
SEC("tp_btf/sys_exit")
int BPF_PROG(unverifiable, struct pt_regs *regs, long ret)
{
	return *(volatile int *)(ret + 8);
}

/* Only on demand. */
SEC("?raw_tp/sched_switch")
int on_demand(void *ctx)
{
	return 0;
}

SEC("cgroup/sock_create")
int on_socket(void *ctx)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
