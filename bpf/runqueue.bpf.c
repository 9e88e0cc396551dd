/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Run queue latency per cgroup: how long a task that could run waited for a CPU, from its wake-up or preemption
 * until it runs, on the waiting task's own cgroup; and which cgroup was given the CPU when it was preempted.
 *
 * Two ways to know a wait:
 *
 * switch_sched_info  The scheduler's own account (CONFIG_SCHED_INFO, which delay accounting and /proc/PID/schedstat
 *     use): at sched_switch the next task still carries the time it was queued (last_queued), the run queue's clock
 *     is the one that will close the wait a moment later, and run_delay has grown by what it waited on other run
 *     queues before it was moved here. One tracepoint, no clock read, the same sum and count as schedstat, and no
 *     wait is ever reported late. Of switches that BPF was not shown, count and sum follow with the task's next.
 * switch_timestamps  Own clock reads at wake-up, preemption and switch: the fallback where the kernel keeps no
 *     account or run queues cannot be reached from a task (no CONFIG_FAIR_GROUP_SCHED).
 *
 * Measured (bench/runqueue.ts, and test/probes/runqueue.test.ts against schedstat, four burning tasks per CPU): 170-230 ns
 * per switch for sched_info, 320-370 for timestamps, 650-740 for libbpf-tools' runqlat; sched_info's sums equal schedstat's
 * to the nanosecond and its counts to the wait, timestamps are 0.2 to 0.5 % off. Waits of less than a microsecond differ:
 * the run queue's clock stands still between two events of one scheduling step, where timestamps see their own cost.
 *
 * Limits: a wait shows when it ends, so a task that starves right now shows once it runs. Time between
 * try_to_wake_up() and the insertion into a remote CPU's queue is not a wait. Of tasks older than the probe, the part of
 * the first wait that was spent on another queue is not seen. Time held back by a CPU quota counts as waiting, and
 * is told apart by throttledPct.
 */
#include "core.h"
#include "cgroup.h"
#include "hist.h"
#include "loss.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Histograms are spread over `cpu & shard_mask`; shared ones need atomics. */
const volatile u32 shard_mask = 0;
const volatile bool shards_shared = true;

/* Raised by user space before it attaches: what tasks remember from an earlier time is void. */
volatile u64 generation = 1;

/* Preemptions for which `preemptions` had no room. */
volatile u64 preemptions_dropped = 0;

struct wait_key {
	u64 cgroup;
	u64 shard;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct wait_key);
	__type(value, struct hist);
} waits SEC(".maps");

struct preemption_key {
	u64 victim;
	u64 by;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct preemption_key);
	__type(value, u64);
} preemptions SEC(".maps");

struct wait_state {
	/* switch_sched_info: run_delay that is already in a histogram. switch_timestamps: since when it waits, or 0. */
	u64 ns;
	u64 pcount;	/* switch_sched_info: waits that are in a histogram */
	u64 generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wait_state);
} wait_states SEC(".maps");

static const struct hist no_hist;

/* `n` waits of `ns` each. */
static __always_inline void add_waits(u64 cgroup, u64 ns, u64 n)
{
	struct wait_key key = { .cgroup = cgroup, .shard = bpf_get_smp_processor_id() & shard_mask };
	struct hist *hist = bpf_map_lookup_elem(&waits, &key);

	if (!hist) {
		bpf_map_update_elem(&waits, &key, &no_hist, BPF_NOEXIST);
		hist = bpf_map_lookup_elem(&waits, &key);
		if (!hist) {
			count_losses(map, n);
			return;
		}
	}
	/* User space sees by the sum that something was added. */
	ns = ns ?: 1;
	if (shards_shared) {
		atomic_add(&hist->sum_ns, ns * n);
		atomic_add(&hist->bucket[hist_index(ns)], n);
	} else {
		hist->sum_ns += ns * n;
		hist->bucket[hist_index(ns)] += n;
	}
	hist_max(hist, ns);
}

static __always_inline bool still_runnable(bool preempt, struct task_struct *prev)
{
	if (preempt)
		return true;
	if (bpf_core_field_exists(prev->__state))
		return prev->__state == TASK_RUNNING;
	return BPF_CORE_READ((struct task_struct___state *)prev, state) == TASK_RUNNING;
}

static __always_inline void add_preemption(u64 victim, u64 by)
{
	struct preemption_key key = { .victim = victim, .by = by };
	u64 one = 1, *count;

	count = bpf_map_lookup_elem(&preemptions, &key);
	if (!count && bpf_map_update_elem(&preemptions, &key, &one, BPF_NOEXIST) == 0)
		return;
	if (!count)
		count = bpf_map_lookup_elem(&preemptions, &key);
	if (count)
		++*count;
	else
		atomic_inc(&preemptions_dropped);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switch_sched_info, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 queued = next->sched_info.last_queued;
	struct wait_state *state, first;
	u64 run_delay, pcount, cgroup, ns;

	/* To idle: prev sleeps, or a quota holds it back and nobody took its CPU. */
	if (!next->pid)
		return 0;
	cgroup = cgroup_key(next);
	if (still_runnable(preempt, prev) && prev->pid)
		add_preemption(cgroup_key(prev), cgroup);
	if (!queued)
		return 0;

	run_delay = next->sched_info.run_delay;
	/* A task that has never run owes its whole run_delay to this wait. */
	pcount = next->sched_info.pcount;
	first.ns = pcount ? run_delay : 0;
	first.pcount = pcount;
	first.generation = generation;
	ns = next->se.cfs_rq->rq->clock - queued;
	state = bpf_task_storage_get(&wait_states, next, &first, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (state) {
		u64 elsewhere = run_delay - state->ns, missed = pcount - state->pcount;

		state->ns = run_delay + ns;
		state->pcount = pcount + 1;
		if (unlikely(state->generation != first.generation))
			state->generation = first.generation;
		else if (likely(!missed))
			ns += elsewhere;
		else
			add_waits(cgroup, elsewhere / missed, missed);
	}
	add_waits(cgroup, ns, 1);
	return 0;
}

static __always_inline void starts_waiting(struct task_struct *task, u64 now)
{
	struct wait_state *state;

	if (!task->pid)
		return;
	state = bpf_task_storage_get(&wait_states, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state) {
		count_loss(map);
		return;
	}
	state->ns = now;
	state->generation = generation;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(wakeup_timestamps, struct task_struct *task)
{
	starts_waiting(task, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(wakeup_new_timestamps, struct task_struct *task)
{
	starts_waiting(task, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switch_timestamps, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns(), cgroup, ns;
	bool preempted = still_runnable(preempt, prev) && prev->pid;
	struct wait_state *state;

	if (preempted)
		starts_waiting(prev, now);
	if (!next->pid)
		return 0;
	cgroup = cgroup_key(next);
	if (preempted)
		add_preemption(cgroup_key(prev), cgroup);
	state = bpf_task_storage_get(&wait_states, next, 0, 0);
	if (!state || !state->ns || state->generation != generation)
		return 0;
	ns = now - state->ns;
	state->ns = 0;
	add_waits(cgroup, ns, 1);
	return 0;
}
