/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* May a program change a system call's result here? A program that changes nothing, on a rare call. */
#include "../core.h"

#if defined(__TARGET_ARCH_x86)
SEC("fmod_ret/__x64_sys_getpgid")
#elif defined(__TARGET_ARCH_arm64)
SEC("fmod_ret/__arm64_sys_getpgid")
#endif
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
