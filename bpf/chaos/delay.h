/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Holding a call up. No helper sleeps, so a delay burns its CPU: bounded per hit, and in all to a share of one CPU
 * since the rule was armed. It ends early when a signal waits, so that a held process can still be killed, and when
 * the rule is disarmed. Where the program may sleep each turn gives the CPU away. Needs bpf_loop (v5.17).
 */
#ifndef KBTOP_CHAOS_DELAY_H
#define KBTOP_CHAOS_DELAY_H

#include "rule.h"

#define TIF_SIGPENDING_MASK (1UL << 2)
/* Of one CPU: 5 %, and some at once. */
#define DELAY_SHARE 20
#define DELAY_BURST_NS (50 * 1000 * 1000ULL)
/* bpf_loop goes round 2^23 times at the most. */
#define DELAY_STEPS (1U << 23)

struct delay {
	u64 until_ns;	/* CLOCK_MONOTONIC */
	u32 slot;
	u32 yields;
	u64 id;
};

static long delay_step(u32 step, void *context)
{
	struct delay *delay = context;
	struct task_struct *task = bpf_get_current_task_btf();
	struct rule *rule;
	u32 slot = delay->slot;

	if (bpf_ktime_get_ns() >= delay->until_ns)
		return 1;
	/* Looking at these each time would cost more than the clock does. */
	if (step & 63)
		return 0;
	if (task->thread_info.flags & TIF_SIGPENDING_MASK)
		return 1;
	rule = bpf_map_lookup_elem(&rules, &slot);
	return !rule || rule->id != delay->id;
}

/* Whether there is room in the budget for so long a delay; taken if so. */
static __always_inline bool take_delay(const struct rule *rule, struct rule_state *state, u64 now, u64 ns)
{
	u64 room = (now - rule->armed_ns) / DELAY_SHARE + DELAY_BURST_NS;

	if (__sync_fetch_and_add(&state->delay_ns, ns) + ns <= room)
		return true;
	__sync_fetch_and_add(&state->delay_ns, -ns);
	return false;
}

static __always_inline void hold(u32 slot, u64 id, u64 ns)
{
	struct delay delay = { .until_ns = bpf_ktime_get_ns() + ns, .slot = slot, .id = id };

	bpf_loop(DELAY_STEPS, delay_step, &delay, 0);
}

#endif
