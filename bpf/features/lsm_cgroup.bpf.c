/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take LSM programs of one cgroup? One that allows every socket. */
#include "../core.h"

SEC("lsm_cgroup/socket_create")
int probe(void *ctx)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
