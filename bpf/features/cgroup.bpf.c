/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take cgroup programs? One that allows every socket. */
#include "../core.h"

SEC("cgroup/sock_create")
int probe(void *ctx)
{
	return 1;
}

char _license[] SEC("license") = "Dual BSD/GPL";
