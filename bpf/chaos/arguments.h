/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A system call's arguments at its entry, of every ABI. */
#ifndef KBTOP_CHAOS_ARGUMENTS_H
#define KBTOP_CHAOS_ARGUMENTS_H

#include "../core.h"
#include "../syscall.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs___arguments {
#if defined(__TARGET_ARCH_arm64)
	u64 regs[31];
	u64 orig_x0;
#else
	unsigned long bp;
	unsigned long bx;
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
#endif
};

#pragma clang attribute pop

/* The nth argument, from 0. */
static __always_inline u64 argument_of(struct pt_regs *at, u32 call, u32 n)
{
	struct pt_regs___arguments *regs = (void *)at;
	u64 value = 0;

#if defined(__TARGET_ARCH_arm64)
	if (n < 6)
		bpf_core_read(&value, sizeof(value), &regs->regs[n]);
	return call >> ABI_SHIFT == ABI_ARM ? (u32)value : value;
#else
	if (call >> ABI_SHIFT == ABI_I386) {
		switch (n) {
		case 0: value = BPF_CORE_READ(regs, bx); break;
		case 1: value = BPF_CORE_READ(regs, cx); break;
		case 2: value = BPF_CORE_READ(regs, dx); break;
		case 3: value = BPF_CORE_READ(regs, si); break;
		case 4: value = BPF_CORE_READ(regs, di); break;
		case 5: value = BPF_CORE_READ(regs, bp); break;
		}
		return (u32)value;
	}
	switch (n) {
	case 0: value = BPF_CORE_READ(regs, di); break;
	case 1: value = BPF_CORE_READ(regs, si); break;
	case 2: value = BPF_CORE_READ(regs, dx); break;
	case 3: value = BPF_CORE_READ(regs, r10); break;
	case 4: value = BPF_CORE_READ(regs, r8); break;
	case 5: value = BPF_CORE_READ(regs, r9); break;
	}
	return value;
#endif
}

#endif
