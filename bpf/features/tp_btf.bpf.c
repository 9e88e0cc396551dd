/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take BTF-typed tracepoints? Attached to one that fires when a cgroup is made. */
#include "../core.h"

SEC("tp_btf/cgroup_mkdir")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
