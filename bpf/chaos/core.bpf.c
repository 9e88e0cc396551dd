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

/* Which rules a call concerns, and where its arguments lie. */
struct call_rules {
	u32 mask;	/* bit per rule */
	u8 path;	/* number of the argument, or NO_ARGUMENT */
	u8 fd;
	u8 address;
	u8 zero;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALLS_MAX);
	__type(key, u32);
	__type(value, struct call_rules);
} calls SEC(".maps");

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

/* Fields as src/chaos/engine/hits.ts reads them. */
struct hit {
	u64 time_ns;	/* CLOCK_BOOTTIME, of the call's end */
	u64 id;		/* of the rule */
	u64 cgroup;
	u64 n;		/* number of the matching call, and of the hit; from 1 */
	u64 number;
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

/* False: it does not fit, or cannot be told, which is counted. */
static __noinline bool path_fits(struct pt_regs *regs, struct rule *rule, struct rule_state *state, u32 call, u32 argument)
{
	u32 zero = 0;
	struct glob *glob = bpf_map_lookup_elem(&globs, &zero);

	if (!glob || argument == NO_ARGUMENT)
		return false;
	if (bpf_probe_read_user_str(glob->text, sizeof(glob->text), (void *)argument_of(regs, call, argument)) <= 0) {
		atomic_inc(&state->unreadable);
		return false;
	}
	__builtin_memcpy(glob->pattern, rule->path, sizeof(glob->pattern));
	return glob_matches(glob);
}

static __always_inline bool port_fits(struct pt_regs *regs, struct rule *rule, struct rule_state *state, u32 call, u32 argument)
{
	struct {
		u16 family;
		__be16 port;
	} address = {};

	if (argument == NO_ARGUMENT)
		return false;
	if (bpf_probe_read_user(&address, sizeof(address), (void *)argument_of(regs, call, argument))) {
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
	for (i = 0; i < COMM_BYTES; i++)
		if (comm[i] != rule->comm[i])
			return false;
	return true;
}

static __always_inline bool fits(struct pt_regs *regs, struct task_struct *task, struct call_rules *of, u32 call, struct rule *rule, struct rule_state *state)
{
	if (rule->uid != ANY && (u32)bpf_get_current_uid_gid() != rule->uid)
		return false;
	if (rule->comm_bytes && !comm_fits(rule, task))
		return false;
	if (rule->fd != ANY && (of->fd == NO_ARGUMENT || (u32)argument_of(regs, call, of->fd) != rule->fd))
		return false;
	if (rule->port != ANY && !port_fits(regs, rule, state, call, of->address))
		return false;
	return !rule->path_bytes || path_fits(regs, rule, state, call, of->path);
}

static __always_inline void copy_path(struct pt_regs *regs, struct call_rules *of, u32 call, struct token *token)
{
	if (of->path == NO_ARGUMENT ||
	    bpf_probe_read_user_str(token->path, sizeof(token->path), (void *)argument_of(regs, call, of->path)) <= 0)
		token->path[0] = 0;
}

/* True when this rule hits the call; other rules are then not asked. */
static __noinline bool consider(struct pt_regs *regs, struct call_rules *of, u32 call, u32 slot, u64 cgroup)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 now = bpf_ktime_get_boot_ns(), self = (u64)bpf_get_current_task();
	struct rule *rule = bpf_map_lookup_elem(&rules, &slot);
	struct rule_state *state = bpf_map_lookup_elem(&rule_states, &slot);
	struct token token = {};
	bool here;

	if (!rule || !state || !is_armed(rule, now) || !fits(regs, task, of, call, rule, state))
		return false;
	token.n = __sync_fetch_and_add(&state->matched, 1) + 1;
	if (!is_due(rule, token.n))
		return false;
	token.hit = take_hit(rule, state);
	if (!token.hit)
		return false;
	here = rule->effect == EFFECT_DELAY && !rule->hook && !(rule->flags & RULE_DRY_RUN);
	if (here && !take_delay(rule, state, now, rule->value)) {
		__sync_fetch_and_add(&state->hits, -1);
		atomic_inc(&state->throttled);
		return false;
	}
	token.id = rule->id;
	token.cgroup = cgroup;
	token.entered_ns = now;
	token.value = rule->value;
	token.hook = rule->hook;
	token.slot = slot;
	token.call = call;
	token.pid = task->pid;
	token.effect = rule->effect;
	token.dry_run = rule->flags & RULE_DRY_RUN;
	copy_path(regs, of, call, &token);
	if (token.effect == EFFECT_SIGNAL && !token.dry_run)
		token.acted = bpf_send_signal_thread(rule->value) == 0;
	if (bpf_map_update_elem(&tokens, &self, &token, BPF_ANY)) {
		atomic_inc(&state->lost);
		give_back_hit(state);
		return false;
	}
	if (here) {
		struct token *kept = bpf_map_lookup_elem(&tokens, &self);

		hold(slot, rule->id, rule->value);
		if (kept)
			kept->acted = 1;
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

	if (!state)
		return 0;
	if (!token->acted && !token->dry_run) {
		/* It failed, or came to its end, before the hook was asked. */
		give_back_hit(state);
		return 0;
	}
	if (token->acted) {
		atomic_inc(&state->acted);
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
	hit->acted = token->acted;
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
	bpf_map_delete_elem(&tokens, &self);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_returns, struct pt_regs *regs, long result)
{
	u32 call = call_of(bpf_get_current_task_btf(), nr_of(regs));
	struct call_rules *of = bpf_map_lookup_elem(&calls, &call);

	/* A call that changes its own number (exec, sigreturn) leaves its token to the next one or to the exit. */
	return of && of->mask ? finish(result) : 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exits, struct task_struct *task)
{
	return finish(0);
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
