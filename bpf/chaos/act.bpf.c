/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The acting half of a fault, away from cgroup hooks: on the system call's own function or on a security hook. One
 * instance of this object per function, opened with the program of the backend chosen and the function as its
 * target; rules and tokens are those of core.bpf.c. Without a token these do nothing, so other users of a shared hook
 * are left alone.
 */
#include "../core.h"
#include "delay.h"
#include "rule.h"
#include "token.h"

/* bpf_override_return and modifying return values are for GPL programs only. */
char LICENSE[] SEC("license") = "GPL";

#define ERRNO_MAX 4095

/* Which hook this instance is: its bit in a token's hooks. */
const volatile u64 own_hook = 0;

static __always_inline s64 error_here(void)
{
	s64 error = -(s64)take_error(own_hook);

	/* The verifier of v6.12 and later wants to see the range: of the very register, and it knows nothing of a negation. */
	asm volatile("" : "+r"(error));
	return error < -ERRNO_MAX || error > 0 ? 0 : error;
}

/* 64 bits wide: a system call whose upper half is zero returns four billion and something, not an error. */
SEC("?fmod_ret")
long modify(void *ctx)
{
	return error_here();
}

SEC("?kprobe")
int override(struct pt_regs *regs)
{
	s64 error = error_here();

	if (error)
		bpf_override_return(regs, error);
	return 0;
}

SEC("?lsm")
long deny(void *ctx)
{
	return error_here();
}

SEC("?lsm_cgroup")
int deny_cgroup(void *ctx)
{
	s64 error = error_here();

	if (!error)
		return 1;
	bpf_set_retval(error);
	return 0;
}

static long yield_step(u32 step, void *context)
{
	char byte;

	if (delay_step(0, context))
		return 1;
	/* Takes the lock of the task's own memory, where the kernel gives the CPU away if somebody waits for it. */
	bpf_copy_from_user_task(&byte, 1, NULL, bpf_get_current_task_btf(), 0);
	return 0;
}

/* One loop may be over before a long delay is. */
static long yield_on(u32 step, void *context)
{
	struct delay *delay = context;

	bpf_loop(DELAY_STEPS, yield_step, delay, 0);
	return delay->over ? 1 : 0;
}

static __always_inline void hold_here(void)
{
	u64 task = (u64)bpf_get_current_task(), now = bpf_ktime_get_boot_ns();
	struct token *token = bpf_map_lookup_elem(&tokens, &task);
	struct rule *rule = rule_to_act(token, own_hook, EFFECT_DELAY, now);
	struct rule_state *state;
	struct delay delay = {};
	u32 slot;

	if (!rule)
		return;
	slot = token->slot;
	state = bpf_map_lookup_elem(&rule_states, &slot);
	if (!state || state->id != token->id)
		return;
	if (token->dry_run) {
		token->met = 1;
		return;
	}
	if (!take_delay(rule, state, now, token->value)) {
		token->given_back = 1;
		give_back_hit(state, &state->throttled);
		return;
	}
	token->met = 1;
	delay.until_ns = bpf_ktime_get_ns() + token->value;
	delay.slot = slot;
	delay.id = rule->id;
	bpf_loop(64, yield_on, &delay, 0);
}

SEC("?fmod_ret.s")
long modify_holding(void *ctx)
{
	hold_here();
	return 0;
}

SEC("?lsm.s")
int deny_holding(void *ctx)
{
	hold_here();
	return 0;
}
