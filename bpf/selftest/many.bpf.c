/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Many programs, as a busy object has them: half on BTF tracepoints, half on classic ones, which are slow to leave. */
#include "../core.h"

u64 hits = 0;

#define CLASSIC(name)                          \
	SEC("tracepoint/cgroup/cgroup_mkdir")  \
	int name(void *ctx)                    \
	{                                      \
		atomic_inc(&hits);             \
		return 0;                      \
	}

#define TYPED(name)                            \
	SEC("tp_btf/cgroup_mkdir")             \
	int name(void *ctx)                    \
	{                                      \
		atomic_inc(&hits);             \
		return 0;                      \
	}

CLASSIC(p00)
CLASSIC(p01)
CLASSIC(p02)
CLASSIC(p03)
CLASSIC(p04)
CLASSIC(p05)
CLASSIC(p06)
CLASSIC(p07)
CLASSIC(p08)
CLASSIC(p09)
TYPED(p10)
TYPED(p11)
TYPED(p12)
TYPED(p13)
TYPED(p14)
TYPED(p15)
TYPED(p16)
TYPED(p17)
TYPED(p18)
TYPED(p19)

char _license[] SEC("license") = "Dual BSD/GPL";
