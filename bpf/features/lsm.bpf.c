/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Does this kernel take LSM programs? One that allows what it is asked, on a rare hook. */
#include "../core.h"

SEC("lsm/path_chroot")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
