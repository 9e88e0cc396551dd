/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take raw tracepoints? */
#include "../core.h"

SEC("raw_tp/cgroup_mkdir")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
