/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One program for each way to make a call fail, on the tasks of one cgroup; which kernel takes which, test/vm/backends.test.ts
 * tells. Where to attach is said at run time.
 */
#include "../core.h"

const volatile u64 target_cgroup = 0;
/*
 * A negative errno. 64 bits: a program that returns an int leaves the upper half of the result zero, and the system call
 * gives 4294967268 instead of -28.
 */
const volatile s64 result = 0;
const volatile s32 narrow_result = 0;
const volatile u32 signal_nr = 0;
const volatile u32 signal_call = 0;

u64 hits = 0;

static __always_inline bool hit(void)
{
	if (bpf_get_current_cgroup_id() != target_cgroup)
		return false;
	atomic_inc(&hits);
	return true;
}

SEC("?fmod_ret")
long by_fmod_ret(void *ctx)
{
	return hit() ? result : 0;
}

/* What happens without the upper half. */
SEC("?fmod_ret")
int by_narrow_fmod_ret(void *ctx)
{
	return hit() ? narrow_result : 0;
}

SEC("?fmod_ret.s")
long by_sleepable_fmod_ret(void *ctx)
{
	return hit() ? result : 0;
}

SEC("?kprobe")
int by_override(void *ctx)
{
	if (hit())
		bpf_override_return(ctx, result);
	return 0;
}

SEC("?lsm/file_open")
int by_lsm(void *ctx)
{
	return hit() ? result : 0;
}

SEC("?lsm.s/file_open")
int by_sleepable_lsm(void *ctx)
{
	return hit() ? result : 0;
}

/* The kernel itself runs the next two for one cgroup only. */
SEC("?lsm_cgroup/socket_connect")
int by_lsm_cgroup(void *ctx)
{
	atomic_inc(&hits);
	bpf_set_retval(result);
	return 0;
}

SEC("?cgroup/connect4")
int by_cgroup(void *ctx)
{
	atomic_inc(&hits);
	bpf_set_retval(result);
	return 0;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(by_signal, struct pt_regs *regs, long id)
{
	if ((u32)id == signal_call && hit())
		bpf_send_signal(signal_nr);
	return 0;
}

char _license[] SEC("license") = "GPL";
