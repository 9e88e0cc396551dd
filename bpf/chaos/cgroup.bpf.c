/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The acting half of a fault in the hooks of a cgroup: attached to the target's own cgroup, so that the kernel itself
 * keeps it to those below. One instance of this object per program and cgroup; rules and tokens are those of
 * core.bpf.c. Any error from v5.18 on, EPERM before.
 */
#include "../core.h"
#include "rule.h"
#include "token.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Which hook this instance is: its bit in a token's hooks. */
const volatile u64 own_hook = 0;

/* 0 refuses with the error, 1 allows. */
static __always_inline int refuse(void)
{
	u64 error = take_error(own_hook);

	if (!error)
		return 1;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_set_retval))
		bpf_set_retval(-(int)error);
	return 0;
}

#define CGROUP_HOOK(name, section)      \
	SEC(section)                    \
	int name(void *ctx)             \
	{                               \
		return refuse();        \
	}

CGROUP_HOOK(connect4, "?cgroup/connect4")
CGROUP_HOOK(connect6, "?cgroup/connect6")
CGROUP_HOOK(bind4, "?cgroup/bind4")
CGROUP_HOOK(bind6, "?cgroup/bind6")
CGROUP_HOOK(sendmsg4, "?cgroup/sendmsg4")
CGROUP_HOOK(sendmsg6, "?cgroup/sendmsg6")
CGROUP_HOOK(sock_create, "?cgroup/sock_create")
CGROUP_HOOK(setsockopt, "?cgroup/setsockopt")
CGROUP_HOOK(getsockopt, "?cgroup/getsockopt")
