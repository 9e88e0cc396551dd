/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take classic tracepoints (tracefs, perf events)? */
#include "../core.h"

SEC("tracepoint/cgroup/cgroup_mkdir")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
