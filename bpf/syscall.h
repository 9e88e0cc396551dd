/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which system call it is: ABI and number in one small integer that is never 0.
 *
 *   bits 12..10  ABI, below; src/frame/syscall-names/ has their names
 *   bits  9..0   number; NR_INVALID stands for every number that no kernel has, so that a program which
 *                tries out numbers cannot fill the maps
 *
 * A compat call is known by its entry (TS_COMPAT, the x32 bit), not by the program's word size: a 64-bit
 * program may use int 0x80.
 */
#ifndef KBTOP_SYSCALL_H
#define KBTOP_SYSCALL_H

#include "core.h"

#define ABI_SHIFT 10
#define ABI_X86_64 1
#define ABI_I386 2
#define ABI_X32 3
#define ABI_ARM64 4
#define ABI_ARM 5
#define NR_INVALID ((1 << ABI_SHIFT) - 1)
#define CALL(abi, nr) ((u32)(abi) << ABI_SHIFT | (u32)(nr))

#define TS_COMPAT 0x0002
#define X32_SYSCALL_BIT 0x40000000
#define ARM64_TIF_32BIT (1UL << 22)

/* `nr` as the kernel keeps it, -1 after a return from a signal handler or a call that a tracer skipped. */
static __always_inline u32 call_of(struct task_struct *task, s64 nr)
{
	u32 abi;

#if defined(__TARGET_ARCH_arm64)
	abi = task->thread_info.flags & ARM64_TIF_32BIT ? ABI_ARM : ABI_ARM64;
#else
	abi = ABI_X86_64;
	if (unlikely(task->thread_info.status & TS_COMPAT)) {
		abi = ABI_I386;
	} else if (unlikely(nr > 0 && nr & X32_SYSCALL_BIT)) {
		abi = ABI_X32;
		nr &= ~X32_SYSCALL_BIT;
	}
#endif
	return CALL(abi, (u64)nr < NR_INVALID ? nr : NR_INVALID);
}

static __always_inline s64 nr_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_arm64)
	return regs->syscallno;
#else
	return (s64)regs->orig_ax;
#endif
}

/* clone, fork, vfork, clone3: the child's first return to user space looks like a result of 0. */
static __always_inline bool call_forks(u32 call)
{
	switch (call) {
#if defined(__TARGET_ARCH_arm64)
	case CALL(ABI_ARM64, 220): case CALL(ABI_ARM64, 435):
	case CALL(ABI_ARM, 2): case CALL(ABI_ARM, 120): case CALL(ABI_ARM, 190): case CALL(ABI_ARM, 435):
#else
	case CALL(ABI_X86_64, 56): case CALL(ABI_X86_64, 57): case CALL(ABI_X86_64, 58): case CALL(ABI_X86_64, 435):
	case CALL(ABI_I386, 2): case CALL(ABI_I386, 120): case CALL(ABI_I386, 190): case CALL(ABI_I386, 435):
	case CALL(ABI_X32, 56): case CALL(ABI_X32, 57): case CALL(ABI_X32, 58): case CALL(ABI_X32, 435):
#endif
		return true;
	}
	return false;
}

/* exit and exit_group: entered, never left. */
static __always_inline bool call_exits(u32 call)
{
	switch (call) {
#if defined(__TARGET_ARCH_arm64)
	case CALL(ABI_ARM64, 93): case CALL(ABI_ARM64, 94): case CALL(ABI_ARM, 1): case CALL(ABI_ARM, 248):
#else
	case CALL(ABI_X86_64, 60): case CALL(ABI_X86_64, 231): case CALL(ABI_I386, 1): case CALL(ABI_I386, 252):
	case CALL(ABI_X32, 60): case CALL(ABI_X32, 231):
#endif
		return true;
	}
	return false;
}

/* execve and execveat of every ABI. */
static __always_inline bool call_execs(u32 call)
{
	switch (call) {
#if defined(__TARGET_ARCH_arm64)
	case CALL(ABI_ARM64, 221): case CALL(ABI_ARM64, 281): case CALL(ABI_ARM, 11): case CALL(ABI_ARM, 387):
#else
	case CALL(ABI_X86_64, 59): case CALL(ABI_X86_64, 322): case CALL(ABI_I386, 11): case CALL(ABI_I386, 358):
	case CALL(ABI_X32, 520): case CALL(ABI_X32, 545):
#endif
		return true;
	}
	return false;
}

/* Number -1 at the exit is what rt_sigreturn (on 32-bit ABIs perhaps sigreturn) leaves behind. */
static __always_inline u32 call_sigreturn(u32 call)
{
	switch (call >> ABI_SHIFT) {
	case ABI_X86_64: return CALL(ABI_X86_64, 15);
	case ABI_X32: return CALL(ABI_X32, 513);
	case ABI_ARM64: return CALL(ABI_ARM64, 139);
	default: return CALL(call >> ABI_SHIFT, 173);
	}
}

static __always_inline bool call_is_sigreturn(u32 call)
{
	switch (call) {
	case CALL(ABI_X86_64, 15): case CALL(ABI_X32, 513): case CALL(ABI_ARM64, 139):
	case CALL(ABI_I386, 173): case CALL(ABI_ARM, 173): case CALL(ABI_I386, 119): case CALL(ABI_ARM, 119):
		return true;
	}
	return false;
}

/* User registers of the current task where no tracepoint hands them over; to be read with bpf_core_read. */
static __always_inline struct pt_regs *current_regs(struct task_struct *task)
{
	/* Before v5.15 there is no helper: they lie at the end of the stack, 16 KiB where KASAN is off. */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (struct pt_regs *)bpf_task_pt_regs(task);
	return (struct pt_regs *)(BPF_CORE_READ(task, stack) + (16 << 10) - bpf_core_type_size(struct pt_regs));
}

/* The system call that the current task is in. */
static __always_inline u32 current_call(struct task_struct *task)
{
#if defined(__TARGET_ARCH_arm64)
	return call_of(task, BPF_CORE_READ(current_regs(task), syscallno));
#else
	return call_of(task, BPF_CORE_READ(current_regs(task), orig_ax));
#endif
}

#endif
