/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a fault is to the kernel: its rule, its counters, and the decision whether a call is hit. Written and read by
 * src/chaos/engine/; src/chaos/decide.ts is the same decision, and its test vectors run through this one.
 *
 * Every structure is made of u64 words, so that user space can write and read it by their order. A rule does nothing
 * unless it is armed, and it is only armed for a time that lies in the kernel: whatever becomes of kbtop, it ends.
 */
#ifndef KBTOP_CHAOS_RULE_H
#define KBTOP_CHAOS_RULE_H

#include "../core.h"

#define RULES_MAX 8
#define COMM_BYTES 16
#define GLOB_OPS 128
#define NSEC_PER_SEC 1000000000ULL
/* No fault lasts longer, whatever its rule says. */
#define ARMED_MAX_NS (15 * 60 * NSEC_PER_SEC)

enum effect {
	EFFECT_ERROR = 1,
	EFFECT_SIGNAL = 2,
	EFFECT_DELAY = 3,
};

#define RULE_DRY_RUN 1		/* decide and count, and let everything pass */
#define RULE_YIELDS 2		/* delay: in a hook that may sleep, which gives the CPU away, not at the entry */
#define RULE_NAME_ONLY 4	/* the path's part behind its last '/' must match, not all of it */

#define ANY (~0ULL)

struct rule {
	u64 id;			/* 0: no rule in this place */
	u64 armed_ns;		/* CLOCK_BOOTTIME */
	u64 until_ns;
	u64 effect;
	u64 value;		/* errno, signal number, or nanoseconds */
	u64 flags;
	u64 skip;		/* let so many matching calls pass first */
	u64 every;		/* then hit one in so many; 0 and 1: each */
	u64 last;		/* none after this matching call; 0: no such end */
	u64 p32;		/* hit with this probability in 2^-32 */
	u64 key;		/* mix(seed) */
	u64 max_hits;
	u64 uid;		/* ANY, or the one user */
	u64 fd;			/* ANY, or the one descriptor in the call's descriptor argument */
	u64 port;		/* ANY, or the one port in the call's address argument */
	u64 comm_bytes;		/* 0: any name */
	u64 path_ops;		/* 0: any path */
	char comm[COMM_BYTES];
	u16 path[GLOB_OPS];	/* as glob.h has them */
};

/* Counters only grow, but for hits, which a call gives back that was not hit after all. */
struct rule_state {
	u64 id;			/* whose they are: a call of the rule before may still be under way */
	u64 matched;		/* calls in scope that every predicate fits */
	u64 hits;
	u64 acted;		/* hits whose call was really failed, signalled or held */
	u64 missed;		/* hits that the hook never saw: the call ended before */
	u64 unreadable;		/* calls left alone because it could not be told whether an argument fits */
	u64 delay_ns;		/* CPU time that delays burnt */
	u64 throttled;		/* hits left out since delays had used up their share of a CPU */
	u64 lost;		/* hits that found no room to be told */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RULES_MAX);
	__type(key, u32);
	__type(value, struct rule);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RULES_MAX);
	__type(key, u32);
	__type(value, struct rule_state);
} rule_states SEC(".maps");

static __always_inline bool is_armed(const struct rule *rule, u64 now)
{
	return rule->id && now >= rule->armed_ns && now < rule->until_ns && now - rule->armed_ns < ARMED_MAX_NS;
}

/* Upper half of the splitmix64 finalizer over the key and the number of the call. */
static __always_inline u64 draw(u64 key, u64 n)
{
	u64 z = key + n * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) >> 32;
}

/* Is the nth matching call hit? Without the limit of hits, which is taken from a counter that others share. */
static __always_inline bool is_due(const struct rule *rule, u64 n)
{
	if (n <= rule->skip)
		return false;
	if (rule->last && n > rule->last)
		return false;
	if (rule->every > 1 && (n - rule->skip - 1) % rule->every)
		return false;
	return draw(rule->key, n) < rule->p32;
}

/* The number of this hit, from 1; 0 when the rule has had all it may. */
static __always_inline u64 take_hit(const struct rule *rule, struct rule_state *state)
{
	u64 before;

	/* Once spent it is left alone, so that it is not seen above its limit; racing calls may be for a moment. */
	if (*(volatile u64 *)&state->hits >= rule->max_hits)
		return 0;
	before = __sync_fetch_and_add(&state->hits, 1);
	if (before < rule->max_hits)
		return before + 1;
	__sync_fetch_and_add(&state->hits, -1);
	return 0;
}

/* @param why the counter that says what became of it */
static __always_inline void give_back_hit(struct rule_state *state, u64 *why)
{
	__sync_fetch_and_add(&state->hits, -1);
	atomic_inc(why);
}

#endif
