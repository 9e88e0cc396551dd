/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * System calls per (cgroup, ABI, number): exact counts, errors by errno, latencies.
 *
 * A call is counted once, when it returns: that is where its result is known, and one tracepoint is all that
 * level `count` pays for (measured, empty programs: 84 ns a call for either tracepoint, 150 for both; this program
 * makes it 85-96, with errors). What sys_exit gets wrong by itself is put right: exit and exit_group never return
 * (counted by task_exits), a new task returns from a call it never made (skipped), a return from a signal handler
 * and a changed program have overwritten the number (call_sigreturn, task_rename). Calls that seccomp refuses
 * have a sys_exit only, so they count, with their error.
 *
 * Where a call is counted: in its latency histogram if it was timed, else in its slot, else in `calls`.
 * The number of calls is the sum of the three, and each only grows. Errors are counted beside, in a slot or in
 * `errors`. Slots are a fast path for what is busy, handed out by user space: one costs 3 ns, a hash lookup 30.
 *
 * Needs task storage for tracing programs (v5.11).
 */
#include "core.h"
#include "cgroup.h"
#include "hist.h"
#include "ignore.h"
#include "loss.h"
#include "syscall.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SLOT_BITS 12
#define ERROR_SHIFT 16
#define ERRNO_MAX 4095
/* Kernel-internal results that make the call be restarted or become EINTR: ERESTARTSYS .. ERESTART_RESTARTBLOCK */
#define RESTART_FIRST 512
#define RESTART_LAST 516

/* Histograms are spread over `cpu & shard_mask`; shared ones need atomics. */
const volatile u32 shard_mask = 0;
const volatile bool shards_shared = true;

/* Set by user space at any time. A start older than timing_since was left by an earlier timed period. */
volatile bool timing = false;
volatile u64 timing_since = 0;
/* Time one call in sample_mask + 1. */
volatile u32 sample_mask = 0;

/* Calls that were counted, but whose error or latency found no room. */
volatile u64 errors_dropped = 0;
volatile u64 latencies_dropped = 0;

struct call_key {
	u64 cgroup;
	u32 call;
	u32 zero;
};

struct error_key {
	u64 cgroup;
	u32 call;
	u32 error;
};

struct latency_key {
	u64 cgroup;
	u32 call;
	u32 shard;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct call_key);
	__type(value, u64);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct error_key);
	__type(value, u64);
} errors SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct latency_key);
	__type(value, struct hist);
} latency SEC(".maps");

/* Who owns a slot, written by user space alone. */
struct slot_owner {
	u64 cgroup;
	u64 what;	/* call, or call | errno << ERROR_SHIFT; never 0 for an owner */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 1 << SLOT_BITS);
	__type(key, u32);
	__type(value, struct slot_owner);
} slot_owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << SLOT_BITS);
	__type(key, u32);
	__type(value, u64);
} slot_counts SEC(".maps");

struct call_state {
	u64 start_ns;	/* 0: not being timed */
	u32 call;
	u32 exec_call;	/* what a successful exec was called as */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call_state);
} call_states SEC(".maps");

static const struct hist no_hist;

static __always_inline bool count_in_slot(u32 slot, u64 cgroup, u32 what)
{
	struct slot_owner *owner = bpf_map_lookup_elem(&slot_owners, &slot);
	u64 *count;

	if (!owner || owner->cgroup != cgroup || owner->what != what)
		return false;
	count = bpf_map_lookup_elem(&slot_counts, &slot);
	if (!count)
		return false;
	++*count;
	return true;
}

static __always_inline bool count_fast(u64 cgroup, u32 what)
{
	/* The same hash as slotOf() in src/probes/syscall-slots.ts. */
	u32 slot = (((u32)cgroup ^ (u32)(cgroup >> 32) ^ what * 0x9e3779b1) * 0x85ebca6b) >> (32 - SLOT_BITS);

	/* Two places, side by side in one cache line, so that two that are busy never fight for one. */
	return count_in_slot(slot, cgroup, what) || count_in_slot(slot ^ 1, cgroup, what);
}

/* One more in a per-CPU counter of a hash map; false when there is no room for a new one. */
static __always_inline bool bump(void *map, const void *key)
{
	u64 one = 1;
	u64 *count = bpf_map_lookup_elem(map, key);

	if (!count) {
		if (bpf_map_update_elem(map, key, &one, BPF_NOEXIST) == 0)
			return true;
		/* Full, or another CPU was first. */
		count = bpf_map_lookup_elem(map, key);
		if (!count)
			return false;
	}
	++*count;
	return true;
}

static __always_inline void count_call(u64 cgroup, u32 call)
{
	struct call_key key = { .cgroup = cgroup, .call = call };

	if (!count_fast(cgroup, call) && !bump(&calls, &key))
		count_loss(map);
}

static __always_inline bool count_latency(u64 cgroup, u32 call, u64 ns)
{
	struct latency_key key = { .cgroup = cgroup, .call = call, .shard = bpf_get_smp_processor_id() & shard_mask };
	struct hist *hist = bpf_map_lookup_elem(&latency, &key);

	if (!hist) {
		bpf_map_update_elem(&latency, &key, &no_hist, BPF_NOEXIST);
		hist = bpf_map_lookup_elem(&latency, &key);
		if (!hist) {
			atomic_inc(&latencies_dropped);
			return false;
		}
	}
	if (shards_shared)
		hist_add_atomic(hist, ns);
	else
		hist_add(hist, ns);
	return true;
}

static __always_inline void count_error(u64 cgroup, u32 call, u32 error)
{
	struct error_key key = { .cgroup = cgroup, .call = call, .error = error };

	if (error >= RESTART_FIRST && error <= RESTART_LAST)
		return;
	if (!count_fast(cgroup, call | error << ERROR_SHIFT) && !bump(&errors, &key))
		atomic_inc(&errors_dropped);
}

/* Attached while calls are timed. */
SEC("tp_btf/sys_enter")
int BPF_PROG(call_enters, struct pt_regs *regs, long nr)
{
	struct task_struct *task;
	struct call_state *state;

	/* Random, since programs do things in rounds: every 16th call may always be the same one. */
	if (sample_mask && bpf_get_prandom_u32() & sample_mask)
		return 0;
	task = bpf_get_current_task_btf();
	/* Counted all the same, which costs less than to look it up once more. */
	if (ignore_listed && is_ignored(cgroup_key(task)))
		return 0;
	state = bpf_task_storage_get(&call_states, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state)
		return 0;
	state->call = call_of(task, nr);
	state->start_ns = bpf_ktime_get_ns();
	return 0;
}

/* Nanoseconds since the call's start, 0 when it was not timed; *call becomes what it was when it was made. */
static __always_inline u64 finish_timing(struct task_struct *task, u32 *call)
{
	struct call_state *state = bpf_task_storage_get(&call_states, task, 0, 0);
	u64 start;

	if (!state || !state->start_ns)
		return 0;
	start = state->start_ns;
	state->start_ns = 0;
	if (start < timing_since)
		return 0;
	*call = state->call;
	return bpf_ktime_get_ns() - start ?: 1;
}

static __always_inline u32 exec_call(struct task_struct *task, u32 call)
{
	struct call_state *state = bpf_task_storage_get(&call_states, task, 0, 0);

	if (state && state->exec_call) {
		call = state->exec_call;
		state->exec_call = 0;
	}
	return call;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_returns, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	s64 nr = nr_of(regs);
	u32 call = call_of(task, nr);
	u64 ns = 0, cgroup;

	if (timing)
		ns = finish_timing(task, &call);
	if (unlikely(nr == -1)) {
		/* syscall(-1) gets here, too. */
		if (!ns && ret != -38)
			call = call_sigreturn(call);
		if (call_is_sigreturn(call))
			ret = 1;	/* a restored register, not a result */
	}
	if (ret == 0) {
		if (unlikely(call_forks(call)))
			return 0;
		if (unlikely(call_execs(call)))
			call = exec_call(task, call);
	}

	cgroup = cgroup_key(task);
	if (!ns || !count_latency(cgroup, call, ns))
		count_call(cgroup, call);
	if (unlikely((u64)ret >= (u64)-ERRNO_MAX))
		count_error(cgroup, call, -ret);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exits, struct task_struct *task)
{
	u32 call;

	if (task->flags & PF_KTHREAD)
		return 0;
	call = current_call(bpf_get_current_task_btf());
	if (call_exits(call))
		count_call(cgroup_key(task), call);
	return 0;
}

/*
 * exec changes the name before it sets the number (and ABI) to those of an execve of the new program: the last
 * chance to see execveat, or a 32-bit program that became a 64-bit one.
 */
SEC("tp_btf/task_rename")
int BPF_PROG(task_renamed, struct task_struct *task)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct call_state *state;
	u32 call;

	if (task->pid != current->pid)
		return 0;
	call = current_call(current);
	if (!call_execs(call))
		return 0;
	state = bpf_task_storage_get(&call_states, current, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (state)
		state->exec_call = call;
	return 0;
}
