/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is decided at a call's entry and done by a hook further in. A call has one token at the most, so it counts
 * once, however often its hook runs (overlayfs asks once per layer). Hooks of every kind can look tokens up: not all
 * program types have task storage, so the key is the task itself.
 */
#ifndef KBTOP_CHAOS_TOKEN_H
#define KBTOP_CHAOS_TOKEN_H

#include "rule.h"

#define TOKENS_MAX 8192

struct token {
	u64 id;			/* of the rule */
	u64 cgroup;
	u64 entered_ns;		/* CLOCK_BOOTTIME */
	u64 value;
	u64 hooks;		/* bit per hook that may act; 0: the entry has */
	u32 slot;		/* of the rule */
	u32 call;
	u32 pid;		/* thread: a task's place in memory may be used again */
	u32 effect;
	u32 met;		/* the hook, or the entry, had it: the call fails, was held or signalled, or in a dry run would have been */
	u32 dry_run;
	u32 given_back;		/* its hit is, and has been counted as something else */
	union {
		u32 zero;	/* as core.bpf.c makes it */
		u32 depth;	/* how often the task is within the function that a kernel fault is limited to */
	};
	u64 n;
	u64 hit;
	char path[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TOKENS_MAX);
	__type(key, u64);
	__type(value, struct token);
} tokens SEC(".maps");

/* The rule of a token that a hook may act on, now; null when it may not. */
static __always_inline struct rule *rule_to_act(struct token *token, u64 hook, u32 effect, u64 now)
{
	struct rule *rule;
	u32 slot;

	if (!token || !(token->hooks & hook) || token->effect != effect || token->met || token->given_back ||
	    token->pid != (u32)bpf_get_current_pid_tgid())
		return NULL;
	slot = token->slot;
	rule = bpf_map_lookup_elem(&rules, &slot);
	/* It may have been disarmed, or its time may have come, since the call began. */
	return rule && rule->id == token->id && is_armed(rule, now) ? rule : NULL;
}

/* The error that the current call is to fail with in this hook; 0: let it pass. Once per call. */
static __always_inline u64 take_error(u64 hook)
{
	u64 task = (u64)bpf_get_current_task();
	struct token *token = bpf_map_lookup_elem(&tokens, &task);

	if (!rule_to_act(token, hook, EFFECT_ERROR, bpf_ktime_get_boot_ns()))
		return 0;
	token->met = 1;
	return token->dry_run ? 0 : token->value;
}

#endif
