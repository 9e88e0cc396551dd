/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* May a kprobe replace a system call's result here? One that never does, on a rare call. */
#include "../core.h"

/* Never set, but the verifier cannot know that: the helper stays in the program. */
bool wanted = false;

#if defined(__TARGET_ARCH_x86)
SEC("kprobe/__x64_sys_getpgid")
#elif defined(__TARGET_ARCH_arm64)
SEC("kprobe/__arm64_sys_getpgid")
#endif
int probe(void *ctx)
{
	if (wanted)
		bpf_override_return(ctx, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
