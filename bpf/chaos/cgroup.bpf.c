/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The acting half of a fault in the hooks of a cgroup: attached to the target's own cgroup, so that the kernel itself
 * keeps it to those below. One instance of this object per cgroup; rules and tokens are those of core.bpf.c. Any
 * error from v5.18 on, EPERM before.
 */
#include "../core.h"
#include "rule.h"
#include "token.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* As rules name them; src/chaos/engine/backends.ts has the same numbers. */
enum cgroup_hook {
	HOOK_CONNECT = 1,
	HOOK_BIND = 2,
	HOOK_SENDMSG = 3,
	HOOK_SOCKET = 4,
	HOOK_SETSOCKOPT = 5,
	HOOK_GETSOCKOPT = 6,
};

/* 0 refuses with the error, 1 allows. */
static __always_inline int refuse(u64 hook)
{
	u64 error = take_error(hook);

	if (!error)
		return 1;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_set_retval))
		bpf_set_retval(-(int)error);
	return 0;
}

#define CGROUP_HOOK(name, section, hook)        \
	SEC(section)                            \
	int name(void *ctx)                     \
	{                                       \
		return refuse(hook);            \
	}

CGROUP_HOOK(connect4, "cgroup/connect4", HOOK_CONNECT)
CGROUP_HOOK(connect6, "cgroup/connect6", HOOK_CONNECT)
CGROUP_HOOK(bind4, "cgroup/bind4", HOOK_BIND)
CGROUP_HOOK(bind6, "cgroup/bind6", HOOK_BIND)
CGROUP_HOOK(sendmsg4, "cgroup/sendmsg4", HOOK_SENDMSG)
CGROUP_HOOK(sendmsg6, "cgroup/sendmsg6", HOOK_SENDMSG)
CGROUP_HOOK(socket, "cgroup/sock_create", HOOK_SOCKET)
CGROUP_HOOK(setsockopt, "cgroup/setsockopt", HOOK_SETSOCKOPT)
CGROUP_HOOK(getsockopt, "cgroup/getsockopt", HOOK_GETSOCKOPT)
