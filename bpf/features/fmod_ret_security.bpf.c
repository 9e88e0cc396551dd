/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* May a program make a security hook refuse here, without BPF among the active LSMs? One that refuses nothing, on a rare hook. */
#include "../core.h"

SEC("fmod_ret/security_path_chroot")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
