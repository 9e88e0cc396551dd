/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Faults below a system call: the kernel's own allocations and block I/O fail, but only while one function is being run
 * for one of the rule's calls. One instance of this object per rule, opened with a pair of programs on that function, one on
 * what is to fail, and these as their targets; rules and tokens are those of core.bpf.c. The call's entry has decided
 * already: without its token nothing here does anything, so scope, predicates, counts, budget and time are the common ones.
 * What happens below is no call of its own: all failures within one call are one hit.
 *
 * Never failed: what the kernel was promised to get (__GFP_NOFAIL), interrupts that come upon the task, and I/O of
 * devices that the node itself lives on.
 *
 * Needs bpf_get_func_arg (v5.17).
 */
#include "../core.h"
#include "arguments.h"
#include "rule.h"
#include "token.h"

/* bpf_override_return and modifying return values are for GPL programs only. */
char LICENSE[] SEC("license") = "GPL";

#define WANTED_BYTES 64
#define DEVICES_MAX 32

enum condition {
	CONDITION_NONE = 0,
	CONDITION_PID = 1,
	CONDITION_STRING = 2,	/* an argument is a string */
	CONDITION_DENTRY = 3,	/* an argument is a struct dentry with that name */
};

/* The bit of this instance in a token's hooks; no other rule's. */
const volatile u64 own_hook = 0;
/* What the failing function returns. */
const volatile s64 failure = 0;
/* On the function that must be on the call chain. */
const volatile u32 condition = CONDITION_NONE;
const volatile u32 condition_argument = 0;	/* from 0 */
const volatile u32 wanted_pid = 0;
const volatile u32 wanted_bytes = 0;		/* without the NUL */
const volatile char wanted[WANTED_BYTES] = {};
const volatile u64 nofail_mask = 0;
/* As the kernel numbers devices: major << 20 | minor. */
const volatile u32 excluded_count = 0;
const volatile u32 excluded[DEVICES_MAX] = {};

/* Failed so far: allocations or I/O, not calls. */
u64 failed = 0;
/* Would have been failed, were they not of those that never are. */
u64 spared_nofail = 0;
u64 spared_interrupts = 0;
u64 spared_devices = 0;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct block_device {
	u32 bd_dev;
};

struct bio {
	struct block_device *bi_bdev;
};

#if defined(__TARGET_ARCH_arm64)
struct thread_info___preempt {
	u64 preempt_count;
};
#else
/* v6.2 to v6.14 (64701838bf05 "x86/percpu: Move preempt_count next to current_task"). */
struct pcpu_hot {
	int preempt_count;
};
#endif

#pragma clang attribute pop

#if !defined(__TARGET_ARCH_arm64)
extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;
#endif

#define SERVING_SOFTIRQ 0x00000100
#define IN_HARDIRQ 0x000f0000
#define IN_NMI 0x00f00000
#define IN_INTERRUPT (SERVING_SOFTIRQ | IN_HARDIRQ | IN_NMI)

/* False in an interrupt, which only seems to be the work of the task that it came upon; and where that cannot be told. */
static __always_inline bool is_task_work(void)
{
	u32 count = IN_INTERRUPT;

#if defined(__TARGET_ARCH_arm64)
	struct thread_info___preempt *info = (void *)&bpf_get_current_task_btf()->thread_info;

	count = BPF_CORE_READ(info, preempt_count);
#else
	if (&__preempt_count) {
		count = *(int *)bpf_this_cpu_ptr(&__preempt_count);
	} else if (&pcpu_hot) {
		struct pcpu_hot *hot = bpf_this_cpu_ptr(&pcpu_hot);

		count = hot->preempt_count;
	}
#endif
	return !(count & IN_INTERRUPT);
}

/* The current call's, if this rule hits it. */
static __always_inline struct token *own_token(void)
{
	u64 task = (u64)bpf_get_current_task();
	struct token *token = bpf_map_lookup_elem(&tokens, &task);

	return token && token->hooks & own_hook && token->pid == (u32)bpf_get_current_pid_tgid() ? token : NULL;
}

static __always_inline bool is_wanted(const void *text)
{
	/* Longer than what is wanted by a byte, or all that begins alike would be taken. */
	char name[WANTED_BYTES + 8] = {};
	long bytes = bpf_probe_read_kernel_str(name, WANTED_BYTES + 1, text);
	u32 i;

	/* Types do not tell whose memory a string is in; the one read fails on the other's. */
	if (bytes < 0)
		bytes = bpf_probe_read_user_str(name, WANTED_BYTES + 1, text);
	if (bytes != wanted_bytes + 1)
		return false;
	for (i = 0; i < WANTED_BYTES; i++)
		if (name[i] != wanted[i])
			return false;
	return true;
}

static __always_inline bool condition_holds(u64 argument)
{
	struct dentry *dentry = (void *)argument;

	switch (condition) {
	case CONDITION_PID:
		return bpf_get_current_pid_tgid() >> 32 == wanted_pid;
	case CONDITION_STRING:
		return is_wanted((void *)argument);
	case CONDITION_DENTRY:
		return is_wanted(BPF_CORE_READ(dentry, d_name.name));
	default:
		return true;
	}
}

/*
 * The depth lies in the token: whatever becomes of the way out (a return probe may be missed), it ends with the call.
 * A function that comes upon itself stays entered, whatever its inner arguments.
 */
static __always_inline void enter(u64 argument)
{
	struct token *token = own_token();

	if (token && is_task_work() && (token->depth || condition_holds(argument)))
		token->depth++;
}

static __always_inline void leave(void)
{
	struct token *token = own_token();

	if (token && token->depth && is_task_work())
		token->depth--;
}

SEC("?fentry")
int enters(void *ctx)
{
	u64 argument = 0;

	if (condition >= CONDITION_STRING)
		bpf_get_func_arg(ctx, condition_argument, &argument);
	enter(argument);
	return 0;
}

SEC("?fexit")
int leaves(void *ctx)
{
	leave();
	return 0;
}

/* Of a kernel function, from 0; those of system calls lie elsewhere. */
static __always_inline u64 parameter_of(struct pt_regs *at, u32 n)
{
	struct pt_regs___arguments *regs = (void *)at;
	u64 value = 0;

#if defined(__TARGET_ARCH_arm64)
	if (n < 5)
		bpf_core_read(&value, sizeof(value), &regs->regs[n]);
#else
	switch (n) {
	case 0: value = BPF_CORE_READ(regs, di); break;
	case 1: value = BPF_CORE_READ(regs, si); break;
	case 2: value = BPF_CORE_READ(regs, dx); break;
	case 3: value = BPF_CORE_READ(regs, cx); break;
	case 4: value = BPF_CORE_READ(regs, r8); break;
	}
#endif
	return value;
}

SEC("?kprobe")
int enters_kprobe(struct pt_regs *regs)
{
	enter(condition >= CONDITION_STRING ? parameter_of(regs, condition_argument) : 0);
	return 0;
}

SEC("?kretprobe")
int leaves_kprobe(void *ctx)
{
	leave();
	return 0;
}

/* Of a hit call within the function; asked hundreds of thousands of times a second, so the token comes first. */
static __always_inline struct token *failing(void)
{
	struct token *token = own_token();
	struct rule *rule;
	u32 slot;

	if (!token || !token->depth || token->effect != EFFECT_ERROR || token->given_back)
		return NULL;
	slot = token->slot;
	rule = bpf_map_lookup_elem(&rules, &slot);
	/* It may have been disarmed, or its time may have come, since the call began: a call that tries again gets on then. */
	if (!rule || rule->id != token->id || !is_armed(rule, bpf_ktime_get_boot_ns()))
		return NULL;
	if (!is_task_work()) {
		atomic_inc(&spared_interrupts);
		return NULL;
	}
	return token;
}

static __always_inline s64 fail(struct token *token)
{
	token->met = 1;
	if (token->dry_run)
		return 0;
	atomic_inc(&failed);
	return failure;
}

/* The kernel's own test of this flag is within the function that is made to fail. */
static __always_inline s64 fail_allocation(u64 gfp)
{
	struct token *token = failing();

	if (!token)
		return 0;
	if (gfp & nofail_mask) {
		atomic_inc(&spared_nofail);
		return 0;
	}
	return fail(token);
}

static __always_inline s64 fail_bio(struct bio *bio)
{
	struct token *token = failing();
	u32 device, i;

	if (!token)
		return 0;
	device = BPF_CORE_READ(bio, bi_bdev, bd_dev);
	for (i = 0; i < DEVICES_MAX; i++) {
		/* One that cannot be read is none. */
		if (!device || (i < excluded_count && excluded[i] == device)) {
			atomic_inc(&spared_devices);
			return 0;
		}
	}
	return fail(token);
}

SEC("?fmod_ret")
long BPF_PROG(modify_slab, void *cache, u32 gfp)
{
	return fail_allocation(gfp);
}

SEC("?fmod_ret")
long BPF_PROG(modify_page, u32 gfp)
{
	return fail_allocation(gfp);
}

SEC("?fmod_ret")
long BPF_PROG(modify_bio, struct bio *bio)
{
	return fail_bio(bio);
}

static __always_inline int override_with(struct pt_regs *regs, s64 result)
{
	if (result)
		bpf_override_return(regs, result);
	return 0;
}

SEC("?kprobe")
int override_slab(struct pt_regs *regs)
{
	return override_with(regs, fail_allocation((u32)parameter_of(regs, 1)));
}

SEC("?kprobe")
int override_page(struct pt_regs *regs)
{
	return override_with(regs, fail_allocation((u32)parameter_of(regs, 0)));
}

SEC("?kprobe")
int override_bio(struct pt_regs *regs)
{
	return override_with(regs, fail_bio((void *)parameter_of(regs, 0)));
}
