/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Faults: which calls are hit is decided here, at the entry of a system call, and what came of it is told here, at
 * its exit. In between something else may act on the token: a hook in a cgroup (cgroup.bpf.c), or a program on the
 * call itself or on a security hook (act.bpf.c). Signals and delays act here at once. Attached only while a rule is armed.
 *
 * Not seen: operations of io_uring, which enter by no call of their own.
 *
 * Needs bpf_loop (v5.17).
 */
#include "../core.h"
#include "../cgroup.h"
#include "../syscall.h"
#include "../task.h"
#include "arguments.h"
#include "delay.h"
#include "glob.h"
#include "rule.h"
#include "token.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define CALLS_MAX (6 << ABI_SHIFT)
#define AF_INET 2
#define AF_INET6 10
#define NO_ARGUMENT 0xff

/* Which rules a call concerns, and where its arguments lie: their numbers, or NO_ARGUMENT. */
struct call_rules {
	u32 mask;	/* bit per rule */
	u8 path[2];
	u8 fd[2];
	u8 address;
	u8 zero[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALLS_MAX);
	__type(key, u32);
	__type(value, struct call_rules);
} calls SEC(".maps");

/* Call and rule -> bit per hook that may act; 0: the entry itself. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALLS_MAX * RULES_MAX);
	__type(key, u32);
	__type(value, u64);
} call_hooks SEC(".maps");

/* Cgroup -> bit per rule. Children of a cgroup in scope are in scope from their making. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u64);
} scope SEC(".maps");

/* Calls that were failed on purpose, by cgroup and call: the syscalls pane tells them from real errors. */
struct injected_key {
	u64 cgroup;
	u64 call;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct injected_key);
	__type(value, u64);
} injected SEC(".maps");

/* Fields as src/chaos/engine/layout.ts reads them. */
struct hit {
	u64 time_ns;	/* CLOCK_BOOTTIME, of the call's end */
	u64 id;		/* of the rule */
	u64 cgroup;
	u64 n;		/* number of the matching call, from 1 */
	u64 number;	/* of the hit; by the end of its call where the call was really hit */
	s64 result;	/* what the program was given */
	u64 value;	/* errno, signal or nanoseconds that were to be */
	u64 held_ns;	/* from entry to exit */
	u32 pid;
	u32 tid;
	u32 ns_pid;
	u32 uid;
	u32 call;
	u8 effect;
	u8 acted;
	u8 dry_run;
	u8 zero;
	char comm[COMM_BYTES];
	char path[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} hits SEC(".maps");

/* For BTF, which layout.test.ts reads. */
const struct hit *hit_layout __attribute__((unused));
const enum effect *effect_layout __attribute__((unused));

/* Where a token is made: the stack has no room for it. A program does not run twice at once on a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct token);
} fresh_tokens SEC(".maps");

/* Tokens that exist: the exits of other calls need not look for any while there are none. */
u64 tokens_out = 0;

/* Does one of the path arguments fit? What cannot be told does not, and is counted. */
static __noinline bool path_fits(struct pt_regs *regs, struct call_rules *of, u32 call, struct rule *rule, struct rule_state *state)
{
	u32 zero = 0, i;
	struct glob *glob = bpf_map_lookup_elem(&globs, &zero);
	bool unknown = false;

	if (!glob)
		return false;
	for (i = 0; i < 2; i++) {
		enum glob_answer answer = GLOB_UNKNOWN;
		long bytes;

		if (of->path[i] == NO_ARGUMENT)
			break;
		bytes = bpf_probe_read_user_str(glob->text, sizeof(glob->text), (void *)argument_of(regs, call, of->path[i]));
		/* Of an empty string 6.1 and 6.12 give 0, 6.18 gives 1: the length with its NUL. */
		if (bytes >= 0)
			answer = glob_matches(glob, rule, bytes ? bytes - 1 : 0);
		if (answer == GLOB_YES)
			return true;
		if (answer == GLOB_UNKNOWN)
			unknown = true;
	}
	if (unknown)
		atomic_inc(&state->unreadable);
	return false;
}

static __always_inline bool fd_fits(struct pt_regs *regs, struct call_rules *of, u32 call, struct rule *rule)
{
	u32 i;

	for (i = 0; i < 2; i++)
		if (of->fd[i] != NO_ARGUMENT && (u32)argument_of(regs, call, of->fd[i]) == rule->fd)
			return true;
	return false;
}

static __always_inline bool port_fits(struct pt_regs *regs, struct call_rules *of, u32 call, struct rule *rule, struct rule_state *state)
{
	struct {
		u16 family;
		__be16 port;
	} address = {};
	void *at;

	if (of->address == NO_ARGUMENT)
		return false;
	at = (void *)argument_of(regs, call, of->address);
	/* sendto on a connected socket names nobody. */
	if (!at)
		return false;
	if (bpf_probe_read_user(&address, sizeof(address), at)) {
		atomic_inc(&state->unreadable);
		return false;
	}
	return (address.family == AF_INET || address.family == AF_INET6) && __builtin_bswap16(address.port) == rule->port;
}

static __always_inline bool comm_fits(struct rule *rule, struct task_struct *task)
{
	char comm[COMM_BYTES] = {};
	u32 i;

	bpf_core_read(comm, sizeof(comm), &task->comm);
	for (i = 0; i < COMM_BYTES; i++) {
		if (comm[i] != rule->comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

static __always_inline bool fits(struct pt_regs *regs, struct task_struct *task, struct call_rules *of, u32 call, struct rule *rule, struct rule_state *state)
{
	if (rule->uid != ANY && (u32)bpf_get_current_uid_gid() != rule->uid)
		return false;
	if (rule->comm_bytes && !comm_fits(rule, task))
		return false;
	if (rule->fd != ANY && !fd_fits(regs, of, call, rule))
		return false;
	if (rule->port != ANY && !port_fits(regs, of, call, rule, state))
		return false;
	return !rule->path_ops || path_fits(regs, of, call, rule, state);
}

static __always_inline void copy_path(struct pt_regs *regs, struct call_rules *of, u32 call, struct token *token)
{
	if (of->path[0] == NO_ARGUMENT ||
	    bpf_probe_read_user_str(token->path, sizeof(token->path), (void *)argument_of(regs, call, of->path[0])) <= 0)
		token->path[0] = 0;
}

/* A call has but one token. One that is still there is of a call whose end was missed. */
static __always_inline void drop_token(void)
{
	u64 self = (u64)bpf_get_current_task();

	if (bpf_map_delete_elem(&tokens, &self) == 0)
		__sync_fetch_and_add(&tokens_out, -1);
}

/* True when this rule hits the call; other rules are then not asked. */
static __noinline bool consider(struct pt_regs *regs, struct call_rules *of, u32 call, u32 slot, u64 cgroup)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 now = bpf_ktime_get_boot_ns(), self = (u64)bpf_get_current_task(), *hooks;
	struct rule *rule = bpf_map_lookup_elem(&rules, &slot);
	struct rule_state *state = bpf_map_lookup_elem(&rule_states, &slot);
	struct delay delay = {};
	u32 place = call * RULES_MAX + slot, zero = 0;
	struct token *token = bpf_map_lookup_elem(&fresh_tokens, &zero);
	bool holds;

	if (!rule || !state || !token || state->id != rule->id || !is_armed(rule, now) || !fits(regs, task, of, call, rule, state))
		return false;
	token->n = __sync_fetch_and_add(&state->matched, 1) + 1;
	if (!is_due(rule, token->n))
		return false;
	token->hit = take_hit(rule, state);
	if (!token->hit)
		return false;
	hooks = bpf_map_lookup_elem(&call_hooks, &place);
	token->hooks = hooks ? *hooks : 0;
	holds = rule->effect == EFFECT_DELAY && !token->hooks && !(rule->flags & RULE_DRY_RUN);
	if (holds && !take_delay(rule, state, now, rule->value)) {
		give_back_hit(state, &state->throttled);
		return false;
	}
	token->id = rule->id;
	token->cgroup = cgroup;
	token->entered_ns = now;
	token->value = rule->value;
	token->slot = slot;
	token->call = call;
	token->pid = task->pid;
	token->effect = rule->effect;
	token->dry_run = rule->flags & RULE_DRY_RUN;
	token->met = !token->hooks;
	token->given_back = token->zero = 0;
	copy_path(regs, of, call, token);
	if (bpf_map_update_elem(&tokens, &self, token, BPF_NOEXIST)) {
		give_back_hit(state, &state->lost);
		return false;
	}
	__sync_fetch_and_add(&tokens_out, 1);
	if (token->effect == EFFECT_SIGNAL && !token->dry_run && bpf_send_signal_thread(rule->value)) {
		/* No such signal, or none to such a task: let it go, and say that nothing was done. */
		drop_token();
		give_back_hit(state, &state->missed);
		return true;
	}
	if (holds) {
		delay.until_ns = bpf_ktime_get_ns() + rule->value;
		delay.slot = slot;
		delay.id = rule->id;
		bpf_loop(DELAY_STEPS, delay_step, &delay, 0);
	}
	return true;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(call_enters, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 call = call_of(task, nr), mask, slot;
	struct call_rules *of = bpf_map_lookup_elem(&calls, &call);
	u64 cgroup, *in;

	if (!of || !of->mask)
		return 0;
	cgroup = cgroup_key(task);
	in = bpf_map_lookup_elem(&scope, &cgroup);
	if (!in)
		return 0;
	if (tokens_out)
		drop_token();
	mask = of->mask & *in;
	for (slot = 0; slot < RULES_MAX; slot++)
		if (mask >> slot & 1 && consider(regs, of, call, slot, cgroup))
			break;
	return 0;
}

static __always_inline void count_injected(const struct token *token)
{
	struct injected_key key = { .cgroup = token->cgroup, .call = token->call };
	u64 *count = bpf_map_lookup_elem(&injected, &key), one = 1;

	if (!count && bpf_map_update_elem(&injected, &key, &one, BPF_NOEXIST) == 0)
		return;
	count = bpf_map_lookup_elem(&injected, &key);
	if (count)
		atomic_inc(count);
}

static __noinline int tell(struct token *token, s64 result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 slot = token->slot;
	struct rule_state *state = bpf_map_lookup_elem(&rule_states, &slot);
	struct hit *hit;

	if (!state || state->id != token->id)
		return 0;
	if (token->given_back)
		return 0;
	if (!token->met) {
		/* It failed, or came to its end, before the hook was asked. */
		give_back_hit(state, &state->missed);
		return 0;
	}
	if (!token->dry_run) {
		/* Hits that are given back leave no gap. */
		token->hit = __sync_fetch_and_add(&state->acted, 1) + 1;
		if (token->effect == EFFECT_ERROR)
			count_injected(token);
	}
	hit = bpf_ringbuf_reserve(&hits, sizeof(*hit), 0);
	if (!hit) {
		atomic_inc(&state->lost);
		return 0;
	}
	hit->time_ns = bpf_ktime_get_boot_ns();
	hit->id = token->id;
	hit->cgroup = token->cgroup;
	hit->n = token->n;
	hit->number = token->hit;
	hit->result = result;
	hit->value = token->value;
	hit->held_ns = hit->time_ns - token->entered_ns;
	hit->pid = task->tgid;
	hit->tid = task->pid;
	hit->ns_pid = ns_pid_of(task);
	hit->uid = bpf_get_current_uid_gid();
	hit->call = token->call;
	hit->effect = token->effect;
	hit->acted = !token->dry_run;
	hit->dry_run = token->dry_run;
	hit->zero = 0;
	bpf_core_read(hit->comm, sizeof(hit->comm), &task->comm);
	__builtin_memcpy(hit->path, token->path, sizeof(hit->path));
	bpf_ringbuf_submit(hit, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline int finish(s64 result)
{
	u64 self = (u64)bpf_get_current_task();
	struct token *token = bpf_map_lookup_elem(&tokens, &self);

	if (!token)
		return 0;
	if (token->pid == (u32)bpf_get_current_task_btf()->pid)
		tell(token, result);
	drop_token();
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_returns, struct pt_regs *regs, long result)
{
	/* Whatever its number is by now: exec and sigreturn change it. */
	return tokens_out ? finish(result) : 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exits, struct task_struct *task)
{
	return tokens_out ? finish(0) : 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(child_of, struct cgroup *cgrp)
{
	struct kernfs_node *kn = BPF_CORE_READ(cgrp, kn), *above;
	u64 hierarchy = (u64)(u32)BPF_CORE_READ(cgrp, root, hierarchy_id) << CGROUP_HIERARCHY_SHIFT;
	u64 parent, key, *in;

	if (bpf_core_field_exists(kn->__parent))
		above = BPF_CORE_READ(kn, __parent);
	else
		above = BPF_CORE_READ((struct kernfs_node___parent *)kn, parent);
	if (!above)
		return 0;
	parent = hierarchy | BPF_CORE_READ(above, id);
	in = bpf_map_lookup_elem(&scope, &parent);
	if (!in)
		return 0;
	key = hierarchy | BPF_CORE_READ(kn, id);
	bpf_map_update_elem(&scope, &key, in, BPF_ANY);
	return 0;
}
