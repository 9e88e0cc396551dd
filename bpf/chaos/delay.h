/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Holding a call up. No helper sleeps, so a delay burns its CPU: bounded per hit, and in all to a share of one CPU
 * since the rule was armed. It ends early when a signal waits, so that a held process can still be killed, and when
 * the rule is disarmed. Where the program may sleep each turn gives the CPU away. Needs bpf_loop (v5.17).
 */
#ifndef KBTOP_CHAOS_DELAY_H
#define KBTOP_CHAOS_DELAY_H

#include "rule.h"

/* Of one CPU: 5 %, and some at once. */
#define DELAY_SHARE 20
#define DELAY_BURST_NS (50 * 1000 * 1000ULL)
/* Where others get the CPU meanwhile: 25 %, and the longest delay at once. */
#define YIELDING_SHARE 4
#define YIELDING_BURST_NS (5 * NSEC_PER_SEC)
/* bpf_loop goes round 2^23 times at the most. */
#define DELAY_STEPS (1U << 23)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sigset___waiting {
	unsigned long sig[1];
};

struct sigpending___waiting {
	struct sigset___waiting signal;
};

struct signal_struct___waiting {
	struct sigpending___waiting shared_pending;
};

/* Not TIF_SIGPENDING: its bit differs between machines, and since v6.18 between versions. */
struct task_struct___waiting {
	struct signal_struct___waiting *signal;
	struct sigset___waiting blocked;
	struct sigpending___waiting pending;
};

#pragma clang attribute pop

struct delay {
	u64 until_ns;	/* CLOCK_MONOTONIC */
	u64 id;
	u32 slot;
	u32 over;
};

static __always_inline bool signal_waits(void)
{
	struct task_struct___waiting *task = (void *)bpf_get_current_task();
	unsigned long waiting = BPF_CORE_READ(task, pending.signal.sig[0]) | BPF_CORE_READ(task, signal, shared_pending.signal.sig[0]);

	return waiting & ~BPF_CORE_READ(task, blocked.sig[0]);
}

static long delay_step(u32 step, void *context)
{
	struct delay *delay = context;
	struct rule *rule;
	u32 slot = delay->slot;

	if (bpf_ktime_get_ns() >= delay->until_ns) {
		delay->over = 1;
		return 1;
	}
	/* Looking at these each time would cost more than the clock does. */
	if (step & 63)
		return 0;
	rule = bpf_map_lookup_elem(&rules, &slot);
	delay->over = !rule || rule->id != delay->id || signal_waits();
	return delay->over ? 1 : 0;
}

/* Whether there is room in the budget for so long a delay; taken if so. */
static __always_inline bool take_delay(const struct rule *rule, struct rule_state *state, u64 now, u64 ns)
{
	u64 age = now - rule->armed_ns;
	u64 room = rule->flags & RULE_YIELDS ? age / YIELDING_SHARE + YIELDING_BURST_NS : age / DELAY_SHARE + DELAY_BURST_NS;

	if (__sync_fetch_and_add(&state->delay_ns, ns) + ns <= room)
		return true;
	__sync_fetch_and_add(&state->delay_ns, -ns);
	return false;
}

#endif
