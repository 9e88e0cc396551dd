/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take task iterators? */
#include "../core.h"

SEC("iter/task")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
